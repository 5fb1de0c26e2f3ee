// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// extended attributes: named values beside the content of a file, set and read through the ring, by
// descriptor or by path.
//
// Needs FSETXATTR, SETXATTR, FGETXATTR and GETXATTR (5.19, io_uring_prep_fsetxattr(3)). Names in `trusted.`,
// which every file system has that has attributes, need a right of root; without it, names in `user.` are
// used.

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class Xattr : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);
  std::string path = "/proc/self/fd/" + std::to_string(file.get());
  std::string name = prefix() + "x", missing = prefix() + "missing";
  std::array<char, 10> buffer{};

  // The SQE of the four: `on_path` is null for those that take a descriptor.
  wire::Sqe wanted(std::uint8_t opcode, const std::string* on_path, const std::string& of, const void* value,
                   std::uint32_t size, std::uint32_t flags = 0) const {
    return {.opcode = opcode,
            .fd = on_path != nullptr ? 0 : file.get(),
            .off = wire::address(value),
            .addr = wire::address(of.c_str()),
            .len = size,
            .op_flags = flags,
            .user_data = 1,
            .addr3 = on_path != nullptr ? wire::address(on_path->c_str()) : 0};
  }
  static std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
  std::span<std::byte> room(std::size_t size) {
    return std::as_writable_bytes(std::span(buffer)).first(size);
  }

  wire::Cqe fset(std::string_view value, std::uint32_t flags, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.fsetxattr(1, file.get(), name.c_str(), bytes(value), flags), site)),
                 wanted(wire::op::fsetxattr, nullptr, name, value.data(),
                        static_cast<std::uint32_t>(value.size()), flags));
    return complete(site);
  }
  wire::Cqe fget(const std::string& of, std::size_t size, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.fgetxattr(1, file.get(), of.c_str(), room(size)), site)),
                 wanted(wire::op::fgetxattr, nullptr, of, buffer.data(), static_cast<std::uint32_t>(size)));
    return complete(site);
  }
  wire::Cqe get(std::size_t size, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.getxattr(1, path.c_str(), name.c_str(), room(size)), site)),
                 wanted(wire::op::getxattr, &path, name, buffer.data(), static_cast<std::uint32_t>(size)));
    return complete(site);
  }
  // By the plain system call.
  std::string value() const {
    std::array<char, 16> read{};
    if (fgetxattr(file.get(), name.c_str(), read.data(), read.size() - 1) < 0) return strerrorname_np(errno);
    return read.data();
  }
  std::string witness() {
    return refused([&] { return ring.fsetxattr(1, file.get(), name.c_str(), bytes("val"), 0); },
                   wanted(wire::op::fsetxattr, nullptr, name, "val", 3),
                   [&] { return value() == "ENODATA" ? "" : "the attribute is there"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }

 private:
  std::string prefix(Site site = Site::here()) const {
    for (const std::string namespace_ : {"trusted.", "user."}) {
      const std::string attempt = namespace_ + "attempt";
      if (fsetxattr(file.get(), attempt.c_str(), "", 0, 0) == 0) return namespace_;
    }
    stop_errno(site, "the file system of TMPDIR takes no extended attributes: fsetxattr");
  }
};

TEST_F(Xattr, IsSetAndReadByDescriptor) {
  if (!kernel_has(wire::op::fsetxattr)) GTEST_SKIP() << witness();
  EXPECT_EQ(fset("val", 0), done(0));
  EXPECT_EQ(value(), "val");
  buffer.fill('-');
  EXPECT_EQ(fget(name, buffer.size()), done(3));
  EXPECT_EQ(std::string_view(buffer.data(), buffer.size()), "val-------");
  EXPECT_EQ(fget(missing, buffer.size()), done(-ENODATA));
}

TEST_F(Xattr, IsSetAndReadByPath) {
  if (!kernel_has(wire::op::fsetxattr)) GTEST_SKIP() << witness();
  const std::string_view text = "four";
  EXPECT_EQ(wire_of(must(ring.setxattr(1, path.c_str(), name.c_str(), bytes(text), 0))),
            wanted(wire::op::setxattr, &path, name, text.data(), 4));
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(value(), "four");
  buffer.fill('-');
  EXPECT_EQ(get(0), done(4)) << "without room, its size";
  EXPECT_EQ(get(2), done(-ERANGE));
  EXPECT_EQ(buffer[0], '-');
  EXPECT_EQ(get(buffer.size()), done(4));
  EXPECT_EQ(std::string_view(buffer.data(), buffer.size()), "four------");
}

TEST_F(Xattr, IsCreatedOrReplacedOnly) {
  if (!kernel_has(wire::op::fsetxattr)) GTEST_SKIP() << witness();
  EXPECT_EQ(fset("one", XATTR_REPLACE), done(-ENODATA));
  EXPECT_EQ(fset("one", XATTR_CREATE), done(0));
  EXPECT_EQ(fset("two", XATTR_CREATE), done(-EEXIST));
  EXPECT_EQ(value(), "one");
  EXPECT_EQ(fset("two", XATTR_REPLACE), done(0));
  EXPECT_EQ(value(), "two");
}

// Name and value are read when it is submitted, also if it has to wait for another request.
TEST_F(Xattr, HasReadItsArgumentsWhenSubmitted) {
  if (!kernel_has(wire::op::fsetxattr)) GTEST_SKIP() << witness();
  const SocketPair pair;
  std::array<std::byte, 4> received{};
  std::string given_name = name, given_value = "val";
  must(ring.recv(2, pair.ours.get(), received, 0)).flags |= wire::io_link;
  must(ring.fsetxattr(1, file.get(), given_name.c_str(), bytes(given_value), 0));
  submit(2);
  given_name.assign(given_name.size(), '?');
  given_value = "???";
  pair.send("abcd");
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 2, .res = 4, .flags = 0}));
  EXPECT_EQ(wait_cqe(), done(0));
  EXPECT_EQ(value(), "val");
}

TEST_F(Xattr, RefusesWhatItCannotDo) {
  if (!kernel_has(wire::op::fsetxattr)) GTEST_SKIP() << witness();
  namespace op = wire::op;
  for (const wire::Sqe& sqe : {wanted(op::fgetxattr, nullptr, name, buffer.data(), 10, XATTR_CREATE),
                               wanted(op::getxattr, &path, name, buffer.data(), 10, XATTR_CREATE),
                               wanted(op::fsetxattr, nullptr, name, "val", 3, 1u << 30)}) {
    EXPECT_EQ(complete(sqe), done(-EINVAL)) << wire::to_string(sqe);
  }
  // A path is not a slot.
  for (wire::Sqe sqe :
       {wanted(op::setxattr, &path, name, "val", 3), wanted(op::getxattr, &path, name, buffer.data(), 10)}) {
    sqe.flags = wire::fixed_file;
    EXPECT_EQ(complete(sqe), done(-EBADF)) << wire::to_string(sqe);
  }
  EXPECT_EQ(value(), "ENODATA");
}

}  // namespace
