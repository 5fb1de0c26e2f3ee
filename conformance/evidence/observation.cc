// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "evidence/observation.h"

#include <cerrno>

#include "seam/wire.h"

namespace conformance {

std::vector<std::string> objections(const Refusal& r) {
  using wire::result_text;
  std::vector<std::string> found;
  const auto object = [&found](bool wrong, std::string sentence) {
    if (wrong) found.push_back(std::move(sentence));
  };
  const bool was_ignored = r.may_be_ignored && r.res >= 0;

  object(r.nop_before != 0, "a NOP before it completed with " + result_text(r.nop_before) +
                                ": this ring does not work, so a refusal says nothing about " + r.what);
  object(r.nop_after != 0, "a NOP after it completed with " + result_text(r.nop_after) + ": the ring broke");
  object(r.res >= 0 && !was_ignored && !r.instead,
         r.what + " was not refused: it completed with " + result_text(r.res));
  object(r.again != r.res && !was_ignored,
         "the same request completed with " + result_text(r.res) + " and then with " + result_text(r.again));
  if (r.instead) {
    object(r.res != *r.instead, r.what + " completed with " + result_text(r.res) +
                                    "; a kernel without it answers " + result_text(*r.instead));
  } else {
    object(r.nobody != r.res && !was_ignored, "an opcode that no kernel has completed with " +
                                                  result_text(r.nobody) + " and not like " + r.what +
                                                  " with " + result_text(r.res));
    // EINVAL since 5.5. 5.4 looks the descriptor up first and may say EBADF (read in fs/io_uring.c of 5.4).
    object(r.res < 0 && r.res != -EINVAL && !(r.res == -EBADF && r.before_5_5) &&
               !(r.res == -EOPNOTSUPP && r.may_be_unsupported),
           "what a kernel does not know it refuses with EINVAL, not with " + result_text(r.res));
  }
  object(r.probe == true, "this kernel says that it has " + r.probed + ", so also " + r.what);
  object(r.cqe_flags != 0, "the refusal came with CQE flags " + std::to_string(r.cqe_flags) + ", want 0");
  object(!r.user_data_came_back, "a CQE did not bring back the user_data of its SQE");
  object(r.extra_cqes != 0, std::to_string(r.extra_cqes) + " CQEs too many");
  object(!r.happened.empty(), "it was refused and happened all the same: " + r.happened);
  return found;
}

std::string describe(const Refusal& r) {
  using wire::result_text;
  const std::string probe = !r.probe.has_value() ? "there is no probe"
                            : *r.probe           ? "the probe has " + r.probed
                                                 : "the probe lacks " + r.probed;
  return r.what + " refused: " + result_text(r.res) + ", again " + result_text(r.again) +
         ", an opcode no kernel has " + result_text(r.nobody) + ", NOP before " + result_text(r.nop_before) +
         ", NOP after " + result_text(r.nop_after) + ", " + probe + ", " +
         (r.happened.empty() ? "nothing happened" : r.happened);
}

Observation& current_observation() {
  static Observation observation;
  return observation;
}

}  // namespace conformance
