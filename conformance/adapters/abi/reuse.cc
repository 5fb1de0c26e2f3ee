// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Whether a request carries anything of those that used its entry before: a file index that was once the
// other end of a splice, a flag that keeps the completion away. Each operation is prepared in entries of a
// real ring that held 0xff in every byte, and in entries that held every other operation, and compared with
// the same in a clean one. The kernel gets each of them with an opcode that no kernel has, so nothing is
// carried out and everything else goes over the wire.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "adapters/abi/encodings.h"
#include "adapters/abi/layers.h"
#include "binding.h"
#include "seam/wire_log.h"

namespace binding {
namespace {

using conformance::Encoding;
namespace wire = conformance::wire;

class Reuse {
 public:
  explicit Reuse(Findings& found) : found_(found) {
    for (const Encoding& encoding : conformance::encodings()) {
      if (is_expressible(encoding)) operations_.push_back({encoding, in_a_clean_entry(encoding), ""});
    }
  }

  void run() {
    now_at = "create";
    const Result<void> opened = ring_.init(entries);
    found_.check(opened.ok(), "create(4) fails: " + testing::PrintToString(opened));
    if (!opened.ok()) return;
    const bool idle = all_after("a request with 0xff in every byte", [this] { return send_filled(); });
    for (std::size_t i = 0; idle && i < operations_.size(); ++i) {
      const std::string used_by = operations_[i].encoding.name;
      if (!all_after(used_by, [&] { return send(operations_[i], nullptr); })) return;
    }
    for (const Operation& operation : operations_) {
      found_.check(operation.wrong.empty(), operation.encoding.name + operation.wrong);
    }
  }

 private:
  struct Operation {
    const Encoding& encoding;
    wire::Sqe wanted;
    std::string wrong;  // the first difference
  };

  static wire::Sqe in_a_clean_entry(const Encoding& encoding) {
    wire::Sqe sqe;
    const char* reason = nullptr;
    table.prepare(&sqe, encoding.operation, &encoding.arguments, &reason);
    return conformance::without_unread_fields(sqe);
  }

  // Sends every operation in entries that `before` has used last. False if the ring does not work.
  template <class Before>
  bool all_after(const std::string& used_by, Before before) {
    for (std::size_t first = 0; first < operations_.size(); first += entries) {
      for (u32 i = 0; i < entries; ++i) {
        if (!before()) return false;
      }
      for (std::size_t i = first; i < std::min(first + entries, operations_.size()); ++i) {
        std::string wrong;
        now_at = std::string(operations_[i].encoding.name) + " in an entry that was used by " + used_by;
        if (!send(operations_[i], &wrong)) return false;
        if (operations_[i].wrong.empty() && !wrong.empty()) {
          operations_[i].wrong = " in an entry that was used by " + used_by + ": " + wrong;
        }
      }
    }
    return true;
  }

  // Flags and all: a kernel looks at the opcode first, and one that does not refuses the flags.
  bool send_filled() {
    const Result<Sqe&> queued = ring_.nop(0);
    if (!queued.ok()) return not_working("get_sqe", queued.error());
    wire::Sqe filled;
    std::memset(static_cast<void*>(&filled), 0xff, sizeof filled);
    filled.user_data = 0xfefefefefefefefe;  // all ones have a meaning of their own for liburing
    replace(queued.value(), filled);
    return complete();
  }

  // Says in `wrong`, if it is asked for, what is not as in a clean entry: in this one, or when the kernel
  // gets it.
  bool send(const Operation& operation, std::string* wrong) {
    const Encoding& encoding = operation.encoding;
    const Result<Sqe&> queued = ring_.queue(encoding.operation, encoding.arguments);
    if (!queued.ok()) return not_working("get_sqe and prepare", queued.error());
    if (wrong != nullptr) *wrong = difference(bytes_of(queued.value()), operation.wanted);
    auto sent = std::bit_cast<wire::Sqe>(queued.value());
    sent.opcode = wire::op::nobody;
    replace(queued.value(), sent);
    if (!complete()) return false;
    if (wrong == nullptr || !wrong->empty()) return true;
    const auto published = conformance::wire_log().last_published();
    *wrong = published ? difference(*published, sent) : "the kernel got no SQE";
    if (!wrong->empty()) *wrong += ", when the kernel gets it";
    return true;
  }

  static std::string difference(const wire::Sqe& got, const wire::Sqe& wanted) {
    const std::vector<std::string> found = conformance::differences(got, wanted);
    return found.empty() ? "" : found.front();
  }

  static void replace(Sqe& entry, const wire::Sqe& bytes) { std::memcpy(&entry, &bytes, sizeof bytes); }

  // Submits one request, which every kernel refuses, and takes its CQE.
  bool complete() {
    const Result<u32> submitted = ring_.submit();
    if (submitted != 1u) return not_working("submit of one", submitted);
    std::array<Cqe, 1> cqes;
    const Result<u32> copied = ring_.copy_cqes(cqes, 1);
    if (copied != 1u) return not_working("copy_cqes of one", copied);
    return true;
  }

  template <class T>
  bool not_working(const char* function, const T& result) {
    found_.check(false, now_at + ": " + function + " returns " + testing::PrintToString(result));
    return false;
  }

  static constexpr u32 entries = 4;
  Findings& found_;
  Ring ring_;
  std::vector<Operation> operations_;
};

}  // namespace

void reuse(Findings& found) {
  try {
    start();
    Reuse(found).run();
  } catch (const std::exception& problem) {
    found.check(false, now_at + ": " + problem.what());
  }
}

}  // namespace binding
