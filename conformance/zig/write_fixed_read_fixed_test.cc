// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// write_fixed/read_fixed: a write from and a read into registered memory, linked. The index of the buffer
// must reach the kernel beside its address.
//
// Needs WRITE_FIXED, READ_FIXED and IORING_REGISTER_BUFFERS (5.1) and IOSQE_IO_LINK (5.3), and room under
// RLIMIT_MEMLOCK.

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class WriteFixedReadFixed : public SizedRingTest {
 protected:
  using Buffer = std::array<unsigned char, 11>;

  TempDir dir;
  Fd file = dir.create("test_io_uring_write_read_fixed", O_RDWR);
  Buffer first, second;  // buf_index 0 and 1

  WriteFixedReadFixed() {
    first.fill('z');
    std::memcpy(first.data(), "foobar", 6);
    second.fill('x');
  }

  void register_both(Site site = Site::here()) {
    const std::array<iovec, 2> both{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
    // Closed rings unpin their buffers a moment later, and until then those count against RLIMIT_MEMLOCK.
    using namespace std::chrono_literals;
    auto registered = ring.register_buffers(both);
    for (int i = 0; i < 100 && registered == binding::Error::nomem; ++i) {
      std::this_thread::sleep_for(10ms);
      registered = ring.register_buffers(both);
    }
    must(registered, site);
  }
  binding::Result<binding::Sqe&> write(std::uint16_t index) {
    return ring.write_fixed(0x45454545, file.get(), std::as_bytes(std::span(first)), 3, index);
  }
  wire::Sqe wanted(std::uint8_t opcode, const Buffer& buffer, std::uint64_t offset, std::uint16_t index,
                   std::uint64_t user_data) const {
    return {.opcode = opcode,
            .fd = file.get(),
            .off = offset,
            .addr = wire::address(buffer.data()),
            .len = 11,
            .user_data = user_data,
            .buf_index = index};
  }
  off_t file_size() const { return lseek(file.get(), 0, SEEK_END); }
};

TEST_P(WriteFixedReadFixed, ReadsBackWhatItWrote) {
  register_both();
  binding::Sqe& write_sqe = must(write(0));
  EXPECT_EQ(wire_of(write_sqe), wanted(wire::op::write_fixed, first, 3, 0, 0x45454545));
  write_sqe.flags |= wire::io_link;
  EXPECT_EQ(
      wire_of(must(ring.read_fixed(0x12121212, file.get(), std::as_writable_bytes(std::span(second)), 0, 1))),
      wanted(wire::op::read_fixed, second, 0, 1, 0x12121212));

  submit(2);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x45454545, .res = 11, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 11, .flags = 0}));
  // A hole of three bytes, then as much of the first buffer as the second one holds.
  EXPECT_EQ(std::string(second.begin(), second.end()), std::string(3, '\0') + "foobarzz");
  EXPECT_EQ(file_size(), 14);
}

// A request may use a part of a registered buffer. The rest of it stays as it was.
TEST_P(WriteFixedReadFixed, UsesOnlyThePartItWasGiven) {
  register_both();
  ASSERT_EQ(pwrite(file.get(), "0123456789", 10, 0), 10);
  must(
      ring.read_fixed(0x12121212, file.get(), std::as_writable_bytes(std::span(second)).subspan(2, 5), 4, 1));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 5, .flags = 0}));
  EXPECT_EQ(std::string(second.begin(), second.end()), "xx45678xxxx");
}

// The address alone would do for an ordinary write. With the index of the other buffer, or of none, it is
// outside of what was registered.
TEST_P(WriteFixedReadFixed, RefusesMemoryThatIsNotInTheBuffer) {
  register_both();
  for (const std::uint16_t index : {std::uint16_t{1}, std::uint16_t{2}}) {
    EXPECT_EQ(wire_of(must(write(index))), wanted(wire::op::write_fixed, first, 3, index, 0x45454545));
    submit(1);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x45454545, .res = -EFAULT, .flags = 0}));
  }
  EXPECT_EQ(file_size(), 0);
}

// Shows that it was the registration that answered above, and that unregistering ends it.
TEST_P(WriteFixedReadFixed, FindsNoBufferOnceUnregistered) {
  register_both();
  ASSERT_TRUE(ring.unregister_buffers().ok());
  EXPECT_EQ(binding::errno_of(ring.unregister_buffers().error()), ENXIO);
  must(write(0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x45454545, .res = -EFAULT, .flags = 0}));
  EXPECT_EQ(file_size(), 0);
}

INSTANTIATE_TEST_SUITE_P(, WriteFixedReadFixed, testing::Values(2, 8), ring_size_name);

}  // namespace
