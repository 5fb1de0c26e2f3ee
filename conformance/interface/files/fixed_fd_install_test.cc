// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// from slot to descriptor: FIXED_FD_INSTALL gives a registered file an ordinary descriptor as well, for the
// code that knows only those.
//
// Needs FIXED_FD_INSTALL (6.8, io_uring_prep_fixed_fd_install(3)).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class FixedFdInstall : public RingTest<8> {
 protected:
  SocketPair pair;
  std::array<std::byte, 8> buffer{};

  void SetUp() override {
    RingTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    must(ring.register_files(std::array{pair.ours.get(), -1}));
  }
  binding::Result<binding::Sqe&> queue(std::uint32_t flags) {
    return ring.fixed_fd_install(1, binding::Slot{0}, flags);
  }
  static wire::Sqe wanted(std::uint32_t flags) {
    return {.opcode = wire::op::fixed_fd_install,
            .flags = wire::fixed_file,
            .fd = 0,
            .op_flags = flags,
            .user_data = 1};
  }
  // The descriptor that the request made: of the socket in slot 0.
  Fd install(std::uint32_t flags, std::uint8_t sqe_flags = 0, Site site = Site::here()) {
    binding::Sqe& sqe = must(queue(flags), site);
    EXPECT_EQ_AT(site, wire_of(sqe), wanted(flags));
    sqe.flags |= sqe_flags;
    Fd made = new_descriptor(complete(site), {.user_data = 1}, S_IFSOCK, site);
    struct stat ours {
    }, theirs{};
    if (fstat(pair.ours.get(), &ours) != 0 || fstat(made.get(), &theirs) != 0) stop_errno(site, "fstat");
    EXPECT_EQ_AT(site, theirs.st_ino, ours.st_ino);
    return made;
  }
  // True if what is sent to the socket can be received through the descriptor.
  void expect_works(int fd, Site site = Site::here()) {
    pair.send("abcd", site);
    EXPECT_EQ_AT(site, ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT), 4);
  }
  wire::Cqe recv_from_slot(Site site = Site::here()) {
    must(ring.recv(2, 0, buffer, MSG_DONTWAIT), site).flags |= wire::fixed_file;
    return without_nonempty(complete(site));
  }
  std::string witness() {
    const int next = next_descriptor();
    return refused([&] { return queue(0); }, wanted(0),
                   [&] { return next_descriptor() == next ? "" : "there is a new descriptor"; });
  }

 private:
  // The number that the next one gets: the lowest that is free.
  int next_descriptor() const {
    const Fd copy(dup(pair.ours.get()));
    return copy.get();
  }
};

TEST_F(FixedFdInstall, MakesADescriptor) {
  if (!kernel_has(wire::op::fixed_fd_install)) GTEST_SKIP() << witness();
  const Fd made = install(0);
  EXPECT_EQ(fcntl(made.get(), F_GETFD), FD_CLOEXEC);
  expect_works(made.get());
}

TEST_F(FixedFdInstall, MakesADescriptorForTheNextProgram) {
  if (!kernel_has(wire::op::fixed_fd_install)) GTEST_SKIP() << witness();
  const Fd made = install(wire::fixed_fd_no_cloexec);
  EXPECT_EQ(fcntl(made.get(), F_GETFD), 0);
  expect_works(made.get());
}

// Slot and descriptor are two references to the file: each outlives the other.
TEST_F(FixedFdInstall, LeavesTheSlotAsItIs) {
  if (!kernel_has(wire::op::fixed_fd_install)) GTEST_SKIP() << witness();
  {
    const Fd made = install(0);
    pair.send("abcd");
    EXPECT_EQ(recv_from_slot(), (wire::Cqe{.user_data = 2, .res = 4, .flags = 0}));
  }
  pair.send("abcd");
  EXPECT_EQ(recv_from_slot(), (wire::Cqe{.user_data = 2, .res = 4, .flags = 0}));
  const Fd made = install(0);
  empty_slots(2);
  EXPECT_EQ(recv_from_slot(), (wire::Cqe{.user_data = 2, .res = -EBADF, .flags = 0}));
  expect_works(made.get());
}

// A worker of the kernel would make it in a table of its own.
TEST_F(FixedFdInstall, MakesItInOurTableAlsoAsynchronously) {
  if (!kernel_has(wire::op::fixed_fd_install)) GTEST_SKIP() << witness();
  const Fd made = install(0, wire::io_async);
  expect_works(made.get());
}

TEST_F(FixedFdInstall, RefusesWhatItCannotInstall) {
  if (!kernel_has(wire::op::fixed_fd_install)) GTEST_SKIP() << witness();
  const long personality = do_register(wire::register_op::personality, nullptr, 0);
  ASSERT_GT(personality, 0);
  wire::Sqe not_fixed = wanted(0), empty_slot = wanted(0), unknown_flag = wanted(2), other_rights = wanted(0);
  not_fixed.flags = 0;
  not_fixed.fd = pair.ours.get();
  empty_slot.fd = 1;
  other_rights.personality = static_cast<std::uint16_t>(personality);
  for (const auto& [sqe, error] :
       {std::pair{not_fixed, EBADF}, {empty_slot, EBADF}, {unknown_flag, EINVAL}, {other_rights, EPERM}}) {
    EXPECT_EQ(complete(sqe), (wire::Cqe{.user_data = 1, .res = -error, .flags = 0})) << wire::to_string(sqe);
  }
}

}  // namespace
