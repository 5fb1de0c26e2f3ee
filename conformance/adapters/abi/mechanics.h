// The layer "mechanics": one ring from create to destroy, with little more than NOPs.
#ifndef CONFORMANCE_ADAPTERS_ABI_MECHANICS_H
#define CONFORMANCE_ADAPTERS_ABI_MECHANICS_H

#include "adapters/abi/findings.h"

namespace binding {

void mechanics(Findings& found);

}  // namespace binding

#endif
