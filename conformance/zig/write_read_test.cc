// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// write/read: a write and a read of the same bytes, linked, without iovecs.
//
// Needs READ and WRITE (5.6) and IOSQE_IO_LINK (5.3).

#include <fcntl.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class WriteRead : public SizedRingTest {
 protected:
  TempDir dir;
  Fd file = dir.create("test_io_uring_write_read", O_RDWR);
  std::array<unsigned char, 20> written, read;

  WriteRead() {
    written.fill('a');
    read.fill('b');
  }
  wire::Sqe wanted(std::uint8_t opcode, const void* buffer, std::uint64_t user_data) const {
    return {.opcode = opcode,
            .fd = file.get(),
            .off = 10,
            .addr = wire::address(buffer),
            .len = 20,
            .user_data = user_data};
  }
};

TEST_P(WriteRead, ReadsBackWhatItWrote) {
  const auto write_it = [&] {
    return ring.write(0x11111111, file.get(), std::as_bytes(std::span(written)), 10);
  };
  const wire::Sqe write_wanted = wanted(wire::op::write, written.data(), 0x11111111);
  if (!kernel_has(wire::op::write)) {
    GTEST_SKIP() << refused(write_it, write_wanted,
                            [&] { return lseek(file.get(), 0, SEEK_END) > 0 ? "the file grew" : ""; });
  }

  binding::Sqe& write = must(write_it());
  EXPECT_EQ(wire_of(write), write_wanted);
  write.flags |= wire::io_link;
  EXPECT_EQ(wire_of(must(ring.read(0x22222222, file.get(), std::as_writable_bytes(std::span(read)), 10))),
            wanted(wire::op::read, read.data(), 0x22222222));

  submit(2);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x11111111, .res = 20, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x22222222, .res = 20, .flags = 0}));
  EXPECT_EQ(read, written);
}

// Asked through another door: the bytes are at offset 10, and nothing is before them.
TEST_P(WriteRead, PutsTheBytesAtTheOffset) {
  const auto write_it = [&] {
    return ring.write(0x11111111, file.get(), std::as_bytes(std::span(written)), 10);
  };
  if (!kernel_has(wire::op::write)) {
    GTEST_SKIP() << refused(write_it, wanted(wire::op::write, written.data(), 0x11111111),
                            [&] { return lseek(file.get(), 0, SEEK_END) > 0 ? "the file grew" : ""; });
  }
  must(write_it());
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x11111111, .res = 20, .flags = 0}));

  std::string content(40, 'x');
  content.resize(static_cast<std::size_t>(pread(file.get(), content.data(), content.size(), 0)));
  EXPECT_EQ(content, std::string(10, '\0') + std::string(20, 'a'));
}

// A read at the end of the file is short, and says so; it must not fail and must not touch the rest of the
// buffer.
TEST_P(WriteRead, ReadsShortAtTheEnd) {
  const auto read_it = [&] {
    return ring.read(0x22222222, file.get(), std::as_writable_bytes(std::span(read)), 10);
  };
  if (!kernel_has(wire::op::read)) {
    GTEST_SKIP() << refused(read_it, wanted(wire::op::read, read.data(), 0x22222222),
                            [&] { return read[0] != 'b' ? "the buffer changed" : ""; });
  }
  ASSERT_EQ(pwrite(file.get(), "123456789012345", 15, 0), 15);
  must(read_it());
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x22222222, .res = 5, .flags = 0}));
  EXPECT_EQ(std::string(read.begin(), read.end()), "12345" + std::string(15, 'b'));
}

INSTANTIATE_TEST_SUITE_P(, WriteRead, testing::Values(2, 8), ring_size_name);

}  // namespace
