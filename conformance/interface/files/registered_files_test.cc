// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// table of registered files: a request names a slot instead of a descriptor, which saves looking it up, and
// outlives the descriptor. Servers register their sockets.
//
// Needs IORING_REGISTER_FILES_UPDATE2 (5.13, io_uring_register(2); the table is 5.1, empty slots 5.5,
// IORING_REGISTER_FILES_SKIP 5.12). Before, an unknown registration is refused.

#include <fcntl.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class RegisteredFiles : public RingTest<8> {
 protected:
  Fd zero = open_file("/dev/zero", O_RDONLY);
  Fd null = open_file("/dev/null", O_RDONLY);
  std::array<std::byte, 8> buffer{};

  void register_table(const std::vector<std::int32_t>& table, Site site = Site::here()) {
    must(ring.register_files(table), site);
  }
  // Reads from the file in the slot: 8 bytes of /dev/zero, none of /dev/null.
  wire::Cqe read_slot(std::int32_t slot, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.read(2, slot, buffer, 0), site);
    sqe.flags |= wire::fixed_file;
    EXPECT_EQ_AT(site, wire_of(sqe),
                 (wire::Sqe{.opcode = wire::op::read,
                            .flags = wire::fixed_file,
                            .fd = slot,
                            .addr = wire::address(buffer.data()),
                            .len = 8,
                            .user_data = 2}));
    return complete(site);
  }
  static wire::Cqe read_of(std::int32_t res) { return {.user_data = 2, .res = res, .flags = 0}; }

  long update2(std::uint32_t first, const std::vector<std::int32_t>& table,
               unsigned size = sizeof(wire::RsrcUpdate2)) {
    const wire::RsrcUpdate2 update{.offset = first,
                                   .resv = 0,
                                   .data = wire::address(table.data()),
                                   .tags = 0,
                                   .nr = static_cast<std::uint32_t>(table.size()),
                                   .resv2 = 0};
    return do_register(wire::register_op::files_update2, &update, size);
  }
  std::string witness() {
    return registration_refused(
        "REGISTER_FILES_UPDATE2", [&] { return static_cast<int>(-update2(0, {zero.get()})); },
        wire::feature::rsrc_tags);
  }
};

// The table holds files and not numbers: the descriptors are closed before the slots are used.
TEST_F(RegisteredFiles, AreReachedThroughTheirSlots) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  register_table({zero.get(), -1, null.get(), zero.get()});
  zero = Fd();
  null = Fd();
  EXPECT_EQ(read_slot(0), read_of(8));
  EXPECT_EQ(read_slot(1), read_of(-EBADF)) << "an empty slot";
  EXPECT_EQ(read_slot(2), read_of(0));
  EXPECT_EQ(read_slot(3), read_of(8));
  EXPECT_EQ(read_slot(9), read_of(-EBADF)) << "beyond the table";
  must(ring.unregister_files());
  EXPECT_EQ(read_slot(0), read_of(-EBADF)) << "without a table";
}

TEST_F(RegisteredFiles, LeavesASlotAlone) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  register_table({zero.get(), zero.get(), zero.get()});
  EXPECT_EQ(ring.register_files_update(binding::Slot{0}, std::array{wire::files_skip, -1, null.get()}), 3);
  EXPECT_EQ(read_slot(0), read_of(8));
  EXPECT_EQ(read_slot(1), read_of(-EBADF));
  EXPECT_EQ(read_slot(2), read_of(0));
}

// An update ends at the first descriptor that is none, and says how far it came.
TEST_F(RegisteredFiles, CountsWhatItUpdated) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  register_table({null.get(), null.get(), -1, null.get()});
  EXPECT_EQ(ring.register_files_update(binding::Slot{1}, std::array{zero.get(), not_open, zero.get()}), 1);
  EXPECT_EQ(read_slot(1), read_of(8));
  EXPECT_EQ(read_slot(2), read_of(-EBADF));
  EXPECT_EQ(read_slot(3), read_of(0));
  EXPECT_EQ(binding::errno_of(ring.register_files_update(binding::Slot{0}, std::array{not_open}).error()),
            EBADF);
}

TEST_F(RegisteredFiles, AreUpdatedWithTheNewerCall) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  register_table({null.get(), null.get(), zero.get()});
  EXPECT_EQ(update2(1, {zero.get(), -1}), 2);
  EXPECT_EQ(read_slot(0), read_of(0));
  EXPECT_EQ(read_slot(1), read_of(8));
  EXPECT_EQ(read_slot(2), read_of(-EBADF));
  EXPECT_EQ(update2(0, {zero.get()}, sizeof(wire::RsrcUpdate2) - 8), -EINVAL);
  EXPECT_EQ(read_slot(0), read_of(0));
}

// A request keeps the file that it began with.
TEST_F(RegisteredFiles, MayBeReplacedWhileARequestWaits) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  const SocketPair pair;
  register_table({pair.ours.get()});
  must(ring.recv(1, 0, buffer, 0)).flags |= wire::fixed_file;
  submit(1);
  EXPECT_EQ(ring.register_files_update(binding::Slot{0}, std::array{zero.get()}), 1);
  EXPECT_EQ(read_slot(0), read_of(8));
  pair.send("abcd");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 4, .flags = 0}));
}

// A table of empty slots needs no array of -1 (5.19).
TEST_F(RegisteredFiles, MayBeNoneAtFirst) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  if (!kernel_has(wire::op::socket)) {  // the flag is a word that is reserved
    EXPECT_EQ(ring.register_files_sparse(4).error(), binding::Error::inval);
    EXPECT_EQ(read_slot(3), read_of(-EBADF));
    return;
  }
  must(ring.register_files_sparse(4));
  EXPECT_EQ(read_slot(3), read_of(-EBADF));
  EXPECT_EQ(ring.register_files_update(binding::Slot{3}, std::array{zero.get()}), 1);
  EXPECT_EQ(read_slot(3), read_of(8));
  EXPECT_EQ(ring.register_files_update(binding::Slot{4}, std::array{zero.get()}).error(),
            binding::Error::inval);
}

TEST_F(RegisteredFiles, RefusesATableThatCannotBe) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  constexpr std::uint32_t files = wire::register_op::files;
  const std::array<std::int32_t, 3> none{-1, -1, -1};
  EXPECT_EQ(do_register(files, nullptr, 1), -EFAULT);
  EXPECT_EQ(do_register(files, none.data(), 0), -EINVAL);
  EXPECT_EQ(do_register(files, none.data(), (1 << 20) + 1), -EMFILE);
  EXPECT_EQ(do_register(files, &not_open, 1), -EBADF);
  // A ring in its own table would keep itself alive.
  const std::int32_t itself = ring.fd();
  EXPECT_EQ(do_register(files, &itself, 1), -EBADF);

  rlimit saved{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &saved), 0);
  const rlimit two{.rlim_cur = 2, .rlim_max = saved.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &two), 0);
  EXPECT_EQ(do_register(files, none.data(), 3), -EMFILE);
  EXPECT_EQ(do_register(files, none.data(), 2), 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &saved), 0);
  EXPECT_EQ(do_register(files, none.data(), 2), -EBUSY);
  EXPECT_EQ(do_register(wire::register_op::unregister_files, &none, 0), -EINVAL);
  EXPECT_EQ(read_slot(1), read_of(-EBADF));
  must(ring.unregister_files());
  EXPECT_EQ(ring.unregister_files().error(), binding::Error::nxio);
}

TEST_F(RegisteredFiles, RefusesAnUpdateThatCannotBe) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  std::array<std::int32_t, 2> update_with{zero.get(), zero.get()};
  const auto update = [&](std::uint32_t offset, unsigned count, std::uint32_t resv = 0) {
    const wire::FilesUpdate argument{
        .offset = offset, .resv = resv, .fds = wire::address(update_with.data())};
    return do_register(wire::register_op::files_update, &argument, count);
  };
  EXPECT_EQ(update(0, 1), -ENXIO) << "without a table";
  const wire::Sqe request{.opcode = wire::op::files_update,
                          .fd = -1,
                          .addr = wire::address(update_with.data()),
                          .len = 1,
                          .user_data = 1};
  EXPECT_EQ(complete(request), (wire::Cqe{.user_data = 1, .res = -ENXIO, .flags = 0})) << "without a table";
  register_table({null.get(), null.get()});
  EXPECT_EQ(update(2, 1), -EINVAL) << "beyond the table";
  EXPECT_EQ(update(1, 2), -EINVAL) << "in part";
  EXPECT_EQ(update(0, 0), -EINVAL) << "of nothing";
  EXPECT_EQ(update(0, 1, 1), -EINVAL) << "resv";
  EXPECT_EQ(update(~0u, 2), -EOVERFLOW);
  for (const int slot : {0, 1}) EXPECT_EQ(read_slot(slot), read_of(0));
}

}  // namespace
