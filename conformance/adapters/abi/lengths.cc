// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Lengths that do not fit into the 32 bits that an SQE has for most of them. Cut to 32 bits, 2^32 bytes
// become none, and a read of none looks like the end of the file.
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "adapters/abi/encodings.h"
#include "adapters/abi/layers.h"
#include "binding.h"

namespace binding {
namespace {

using conformance::Encoding;
namespace wire = conformance::wire;

struct Length {
  u64 bytes;
  const char* text;
};
constexpr std::array around_the_limits{Length{(1ull << 31) - 1, "2^31 - 1"},
                                       Length{(1ull << 32) - 1, "2^32 - 1"}, Length{1ull << 32, "2^32"},
                                       Length{(1ull << 32) + 5, "2^32 + 5"}};

// The length that the SQE carries, in the field in which the golden SQE has it. Puts the golden one there.
u64 take_length(const Encoding& encoding, wire::Sqe& sqe) {
  const wire::Sqe& wanted = encoding.wanted;
  const u64 length = encoding.arguments.length;
  if (wanted.len == length) return std::exchange(sqe.len, wanted.len);
  if (wanted.file_index == length) return std::exchange(sqe.file_index, wanted.file_index);
  return std::exchange(sqe.addr, wanted.addr);
}

// The length of a socket address, which BIND and CONNECT have in .off, is always small.
bool asks_for_bytes(const Encoding& encoding) {
  return encoding.arguments.length != 0 && encoding.wanted.off != encoding.arguments.length;
}

// The smallest number that may stand for a larger one. Reads and their like do a part of what they are asked
// for anyway, never more than 2^31 - 4096 bytes. The length of an option is an int to the kernel, which
// refuses all that are negative. Elsewhere, only the number itself will do.
u64 smallest_substitute(uring_binding_operation operation) {
  switch (operation) {
    case URING_BINDING_READ:
    case URING_BINDING_WRITE:
    case URING_BINDING_READ_FIXED:
    case URING_BINDING_WRITE_FIXED:
    case URING_BINDING_READ_SELECT:
    case URING_BINDING_SPLICE:
    case URING_BINDING_SEND:
    case URING_BINDING_SEND_ZC:
    case URING_BINDING_RECV:
    case URING_BINDING_RECV_SELECT: return 1ull << 30;
    case URING_BINDING_SETSOCKOPT:
    case URING_BINDING_GETSOCKOPT: return 1ull << 31;
    default: return std::numeric_limits<u64>::max();
  }
}

// Empty if right.
std::string wrong_with(const Encoding& encoding, u64 wanted, wire::Sqe sqe) {
  const u64 asked = take_length(encoding, sqe);
  const auto others = conformance::differences(conformance::without_unread_fields(sqe), encoding.wanted);
  if (!others.empty()) return others.front();
  const u64 smallest = smallest_substitute(encoding.operation);
  if (asked == wanted || (asked >= smallest && asked < wanted)) return "";
  return "asks the kernel for " + std::to_string(asked) + "; want it refused, not expressible, " +
         (smallest < wanted ? "or at least " + std::to_string(smallest) : "or as it is");
}

void look_at(Findings& found, const Encoding& encoding, const Length& length) {
  const std::string what = std::string(encoding.name) + " of " + length.text + " bytes";
  now_at = "prepare of " + what;
  uring_binding_arguments arguments = encoding.arguments;
  arguments.length = length.bytes;
  wire::Sqe sqe;
  const char* reason = nullptr;
  const int result = table.prepare(&sqe, encoding.operation, &arguments, &reason);
  if (result == URING_BINDING_NOT_EXPRESSIBLE) return found.not_expressible(what, reason);
  if (result == URING_BINDING_REFUSED) return found.check(true, "");
  const std::string wrong =
      result == 0 ? wrong_with(encoding, length.bytes, sqe) : "prepare returned " + wire::result_text(result);
  found.check(wrong.empty(), what + ": " + wrong);
}

}  // namespace

bool is_expressible(const Encoding& encoding) {
  wire::Sqe sqe;
  const char* reason = nullptr;
  return table.prepare(&sqe, encoding.operation, &encoding.arguments, &reason) == 0;
}

void lengths(Findings& found) {
  for (const Encoding& encoding : conformance::encodings()) {
    if (!asks_for_bytes(encoding) || !is_expressible(encoding)) continue;
    for (const Length& length : around_the_limits) look_at(found, encoding, length);
  }
}

}  // namespace binding
