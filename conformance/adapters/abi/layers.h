// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The layers of --validate that have files of their own; validate.cc says in which order they are looked at.
#ifndef CONFORMANCE_ADAPTERS_ABI_LAYERS_H
#define CONFORMANCE_ADAPTERS_ABI_LAYERS_H

#include "adapters/abi/encodings.h"
#include "adapters/abi/findings.h"

namespace binding {

// Lengths that do not fit into the 32 bits that an SQE has for most of them.
void lengths(Findings& found);

// One ring from create to destroy, with little more than NOPs.
void mechanics(Findings& found);

// Every operation in entries that other requests have used before.
void reuse(Findings& found);

// Whether the adapter has this operation at all. If not, the layer "encodings" says why, and no other.
bool is_expressible(const conformance::Encoding& encoding);

}  // namespace binding

#endif
