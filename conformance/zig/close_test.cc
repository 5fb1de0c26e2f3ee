// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// close: closes a descriptor through the ring.
//
// Needs CLOSE (5.6).

#include <fcntl.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Close : public SizedRingTest {
 protected:
  TempDir dir;
  Fd file = dir.create("test_io_uring_close", O_WRONLY);

  binding::Result<binding::Sqe&> queue() { return ring.close(0x44444444, file.get()); }
  wire::Sqe wanted() const { return {.opcode = wire::op::close, .fd = file.get(), .user_data = 0x44444444}; }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(); }, wanted(),
                   [&] { return is_open(file.get()) ? "" : "the file was closed"; }, std::nullopt, site);
  }
};

TEST_P(Close, ClosesTheDescriptor) {
  if (!kernel_has(wire::op::close)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue())), wanted());
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x44444444, .res = 0, .flags = 0}));
  EXPECT_FALSE(is_open(file.get()));
  static_cast<void>(file.release());
}

// A second close of the same number is an error; were file_index not 0, the kernel would look in a table
// instead.
TEST_P(Close, ReportsADescriptorThatIsNotOpen) {
  if (!kernel_has(wire::op::close)) GTEST_SKIP() << witness();
  // High, so that nothing that is opened meanwhile has it.
  const int number = Fd(fcntl(file.get(), F_DUPFD_CLOEXEC, 500)).get();
  ASSERT_GE(number, 500);
  must(ring.close(0x44444444, number));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x44444444, .res = -EBADF, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, Close, testing::Values(1, 8), ring_size_name);

}  // namespace
