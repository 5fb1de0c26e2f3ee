// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// personalities: a request runs with the rights of the task that submits it, or with those that a task
// registered earlier and that the SQE names. So a server acts for its users.
//
// Needs IORING_REGISTER_PERSONALITY and IORING_FEAT_CUR_PERSONALITY (5.6, io_uring_register(2)). What one
// user may do and another may not is seen only if the test runs as root.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "evidence/environment.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class Personality : public RingTest<8> {
 protected:
  static constexpr uid_t nobody_special = 1000;
  TempDir dir;
  Fd secret = dir.create("secret", O_RDWR);

  Personality() {
    // The directory is open to all, and the file is not.
    EXPECT_EQ(fchmod(dir.fd(), 0755), 0);
    EXPECT_EQ(fchmod(secret.get(), 0600), 0);
  }
  // A second user is needed, which only root can be.
  static void need_root() {
    if (geteuid() != 0) stop_blocked({"privilege", "two users are needed: run it as root."});
  }
  // Another user until the end of the block; the rights of root return with root.
  struct AsAnother {
    AsAnother() { EXPECT_EQ(seteuid(nobody_special), 0); }
    AsAnother(const AsAnother&) = delete;
    AsAnother& operator=(const AsAnother&) = delete;
    ~AsAnother() { EXPECT_EQ(seteuid(0), 0); }
  };
  std::uint16_t add(Site site = Site::here()) {
    const std::uint32_t id = must(ring.register_personality(), site);
    if (id < 1 || id > 65535) stop(site, "no id of a personality: " + std::to_string(id));
    return static_cast<std::uint16_t>(id);
  }
  int remove(std::uint32_t id) { return binding::errno_of(ring.unregister_personality(id).error()); }
  wire::Cqe open_with(std::uint16_t personality, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.openat(1, dir.fd(), "secret", O_RDONLY | O_CLOEXEC, 0), site);
    wire::Sqe wanted = wire_of(sqe);
    wanted.personality = personality;
    sqe = std::bit_cast<binding::Sqe>(wanted);
    return complete(site);
  }
  static void expect_opened(const wire::Cqe& cqe, Site site = Site::here()) {
    new_descriptor(cqe, {.user_data = 1}, S_IFREG, site);
  }
  static wire::Cqe failed(int error) { return {.user_data = 1, .res = -error, .flags = 0}; }
  std::string witness() {
    return registration_refused(
        "REGISTER_PERSONALITY", [&] { return binding::errno_of(ring.register_personality().error()); },
        wire::feature::cur_personality);
  }
};

// The rights are those of who submits, and not of who opened the ring. (With SQPOLL they are: it is the
// polling thread that submits.)
TEST_F(Personality, IsThatOfWhoSubmits) {
  if (!kernel_has(wire::feature::cur_personality)) GTEST_SKIP() << witness();
  expect_opened(open_with(0));
  need_root();
  const AsAnother another;
  const wire::Cqe cqe = open_with(0);
  if (configuration().consumes_later()) {
    expect_opened(cqe);
  } else {
    EXPECT_EQ(cqe, failed(EACCES));
  }
}

// Both users register theirs, and each request runs with the one that it names.
TEST_F(Personality, IsChosenByTheRequest) {
  if (!kernel_has(wire::feature::cur_personality)) GTEST_SKIP() << witness();
  const std::uint16_t ours = add();
  expect_opened(open_with(ours));
  need_root();
  std::uint16_t theirs = 0;
  {
    const AsAnother another;
    theirs = add();
    EXPECT_NE(theirs, ours);
    expect_opened(open_with(ours));
    EXPECT_EQ(open_with(theirs), failed(EACCES));
  }
  expect_opened(open_with(ours));
  EXPECT_EQ(open_with(theirs), failed(EACCES));
}

// One that is removed, or never was, is no one's.
TEST_F(Personality, IsRemovedOnce) {
  if (!kernel_has(wire::feature::cur_personality)) GTEST_SKIP() << witness();
  const std::uint16_t id = add(), other = add();
  EXPECT_EQ(remove(id), 0);
  EXPECT_EQ(remove(id), EINVAL);
  EXPECT_EQ(open_with(id), failed(EINVAL));
  expect_opened(open_with(other));
  EXPECT_EQ(complete(wire::Sqe{.opcode = wire::op::nop, .user_data = 1, .personality = id}), failed(EINVAL));
  EXPECT_EQ(complete(wire::Sqe{.opcode = wire::op::nop, .user_data = 1, .personality = other}),
            (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  EXPECT_EQ(remove(0), EINVAL);
  EXPECT_EQ(remove(65536 + std::uint32_t{other}), EINVAL);
  EXPECT_EQ(remove(other), 0);
}

// It has no argument.
TEST_F(Personality, IsRegisteredWithoutAnArgument) {
  if (!kernel_has(wire::feature::cur_personality)) GTEST_SKIP() << witness();
  EXPECT_EQ(do_register(wire::register_op::personality, this, 0), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::personality, nullptr, 1), -EINVAL);
  const std::uint16_t id = add();
  EXPECT_EQ(do_register(wire::register_op::unregister_personality, this, id), -EINVAL);
  EXPECT_EQ(remove(id), 0);
}

}  // namespace
