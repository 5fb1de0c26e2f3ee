// The golden table: each operation of the adapter ABI with arguments that differ in every field, and the 64
// bytes that the kernel's interface requires for them. Written from the manual pages and
// include/uapi/linux/io_uring.h, with the suite's own numbers (wire.h), and compared without a kernel.
#ifndef CONFORMANCE_ADAPTERS_ABI_ENCODINGS_H
#define CONFORMANCE_ADAPTERS_ABI_ENCODINGS_H

#include <span>
#include <string>
#include <vector>

#include "adapters/uring_binding.h"
#include "seam/wire.h"

namespace conformance {

struct Encoding {
  uring_binding_operation operation;
  const char* name;
  uring_binding_arguments arguments;
  wire::Sqe wanted;
};

// All operations in the order of their numbers; then some of them again, with other arguments.
std::span<const Encoding> encodings();

// "ACCEPT_DIRECT"
std::string operation_name(uring_binding_operation operation);

// The SQE with the golden table's values in the fields that no kernel reads: a binding may write anything
// there.
wire::Sqe without_unread_fields(wire::Sqe sqe);

// The fields in which two SQEs differ, each as a clause: ".len is 0, want 7".
std::vector<std::string> differences(const wire::Sqe& got, const wire::Sqe& wanted);

}  // namespace conformance

#endif
