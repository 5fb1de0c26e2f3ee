// The fixture: a test is the story of one ring.
#ifndef CONFORMANCE_SUPPORT_RING_TEST_H
#define CONFORMANCE_SUPPORT_RING_TEST_H

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "binding.h"
#include "support/observation.h"
#include "support/wire.h"

namespace conformance {

// The value of a result that this test cannot go on without; throws, with what it was, when there is none.
template <class T>
T must(binding::Result<T> result) {
  if (!result.ok()) {
    std::ostringstream text;
    PrintTo(result.error(), &text);
    throw std::runtime_error("cannot go on: " + text.str());
  }
  return result.value();
}

// The bytes of an entry, to compare and to print.
inline wire::Sqe wire_of(const binding::Sqe& sqe) { return binding::bytes_of(sqe); }
inline wire::Cqe wire_of(const binding::Cqe& cqe) { return std::bit_cast<wire::Cqe>(cqe); }

class AnyRingTest : public testing::Test {
 public:
  // Waits for the next CQE and takes it. Really waits: completions may come from another thread of the
  // kernel.
  wire::Cqe wait_cqe();

 protected:
  AnyRingTest(unsigned entries, unsigned setup_flags) : entries_(entries), setup_flags_(setup_flags) {}
  void SetUp() override;

  // True if this kernel's probe lists the operation. Asked with a system call of our own: what a broken
  // binding says of the kernel is no witness. (Before 5.6, when there is no probe, the ring's feature bits
  // tell.)
  bool kernel_has(std::uint8_t opcode) const;

  // Compares what was queued with `wanted`, all 64 bytes, and lets a NOP take its place: the kernel never
  // sees it, so this judges the encoding on kernels without the operation too. The ring must be idle; it is
  // again. A failure carries the caller's line; Clang 14 has no std::source_location for that.
  void expect_encoding(const binding::Result<binding::Sqe&>& queued, const wire::Sqe& wanted,
                       const char* file = __builtin_FILE(), int line = __builtin_LINE());

  // The calls of io_uring_enter(2) in this test so far: "submit=1 wait=0 flags=0 -> 1".
  static std::vector<std::string> enters();

  // What a kernel may lack although it has the opcode, and what tells that it does.
  struct Modifier {
    std::string name;    // "multishot"
    std::uint8_t proxy;  // an opcode of the same release, for the probe
    // The modifier stands in file_index, where kernels before 5.15 do not look: they carry out the request
    // without it, and completing is no objection.
    bool in_file_index = false;
  };

  // For a kernel without the operation: shows that `queue` is refused the way such a kernel refuses, that the
  // ring works before and after, and that nothing happened. `wanted` is the whole SQE that `queue` must
  // write; `happened` looks for traces of the operation and names them, or returns "". With a modifier, it is
  // that which the kernel lacks. Adds a failure for each objection. Returns the witness in words, for
  // GTEST_SKIP.
  std::string refused(const std::function<binding::Result<binding::Sqe&>()>& queue, const wire::Sqe& wanted,
                      const std::function<std::string()>& happened,
                      const std::optional<Modifier>& modifier = std::nullopt);

  // The same for io_uring_register(2): `attempt` asks for the registration called `name` through the binding,
  // and returns the errno. `proxy` is an opcode of the same release.
  std::string registration_refused(const std::string& name, const std::function<int()>& attempt,
                                   std::uint8_t proxy);

  binding::Ring ring;

 private:
  wire::Cqe complete_one(const wire::Sqe& sqe);
  std::int32_t control_nop(std::uint64_t user_data);
  std::string conclude(Refusal refusal);

  unsigned entries_, setup_flags_;
};

// A test on a ring of `entries`, for when that number is part of the story.
template <unsigned entries, unsigned setup_flags = 0>
class RingTest : public AnyRingTest {
 protected:
  RingTest() : AnyRingTest(entries, setup_flags) {}
};

// A test on rings of several sizes, given by INSTANTIATE_TEST_SUITE_P: a mask or a count that happens to be
// right for one size shows on another.
class SizedRingTest : public AnyRingTest, public testing::WithParamInterface<unsigned> {
 protected:
  SizedRingTest() : AnyRingTest(GetParam(), 0) {}
};
inline std::string ring_size_name(const testing::TestParamInfo<unsigned>& size) {
  return "Ring" + std::to_string(size.param);
}

}  // namespace conformance

#endif
