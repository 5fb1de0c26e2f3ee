// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// protection information is refused where there is none: a read or write may carry attributes, of which there
// is one, for devices that store a checksum beside each block. A file without them must say so, and not read
// without a check.
//
// Needs IORING_FEAT_RW_ATTR (6.14, include/uapi/linux/io_uring.h). Older kernels do not look at the words and
// read. A device that has them is not in the guest: what succeeds there is not tried.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/files.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class RwAttributes : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);
  std::array<char, 8> buffer{};
  wire::AttrPi attribute{};

  void SetUp() override {
    RingTest::SetUp();
    if (write(file.get(), "abcdefgh", 8) != 8) stop_errno(Site::here(), "write");
  }
  bool kernel_has_it() const { return kernel_has(wire::feature::rw_attr); }
  // No binding has words for the attribute.
  wire::Sqe wanted(std::uint8_t opcode, std::uint64_t attributes, std::uint64_t mask) const {
    return {.opcode = opcode,
            .fd = file.get(),
            .addr = wire::address(buffer.data()),
            .len = 8,
            .user_data = 1,
            .addr3 = attributes,
            .pad2 = mask};
  }
  wire::Sqe wanted(std::uint8_t opcode) const {
    return wanted(opcode, wire::address(&attribute), wire::rw_attr_flag_pi);
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
  std::string witness() {
    return answered_instead(
        "READ with protection information", 8, [&] { return complete(wanted(wire::op::read)); },
        [] { return ""; }, wire::feature::rw_attr);
  }
  std::string contents(Site site = Site::here()) const {
    std::array<char, 16> text{};
    const ssize_t bytes = pread(file.get(), text.data(), text.size(), 0);
    if (bytes < 0) stop_errno(site, "pread");
    return {text.data(), static_cast<std::size_t>(bytes)};
  }
};

TEST_F(RwAttributes, RefusesProtectionInformation) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(wanted(wire::op::read)), done(-EINVAL));
  EXPECT_EQ(buffer, (std::array<char, 8>{})) << "it was read";
  EXPECT_EQ(complete(wanted(wire::op::write)), done(-EINVAL));
  EXPECT_EQ(contents(), "abcdefgh");
  // Without the attribute the same request is an ordinary one.
  EXPECT_EQ(complete(wanted(wire::op::read, 0, 0)), done(8));
}

// The attribute is read before the file is asked.
TEST_F(RwAttributes, RefusesWhatItCannotRead) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  for (const std::uint8_t opcode : {wire::op::read, wire::op::write}) {
    EXPECT_EQ(complete(wanted(opcode, 8, wire::rw_attr_flag_pi)), done(-EFAULT));
    EXPECT_EQ(complete(wanted(opcode, wire::address(&attribute), 2)), done(-EINVAL)) << "no such attribute";
  }
  attribute.rsvd = 1;
  EXPECT_EQ(complete(wanted(wire::op::read)), done(-EINVAL));
  EXPECT_EQ(contents(), "abcdefgh");
}

}  // namespace
