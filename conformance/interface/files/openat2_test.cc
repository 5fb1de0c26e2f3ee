// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// openat2: opens a file and says how its path may be resolved: without symbolic links, or not out of a
// directory. For servers that open what their clients name.
//
// Needs OPENAT2 (5.6, io_uring_prep_openat2(3)).

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

constexpr binding::Slot any_slot{wire::file_index_alloc};

class Openat2 : public RingTest<8> {
 protected:
  TempDir dir;
  std::array<char, 8> path{"file"};
  open_how how{.flags = O_RDWR | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_NO_SYMLINKS};
  std::array<std::byte, 8> buffer{};

  Openat2() {
    const Fd file = dir.create("file", O_RDWR);
    EXPECT_EQ(write(file.get(), "abcd", 4), 4);
    EXPECT_EQ(symlinkat("file", dir.fd(), "link"), 0);
  }
  // Direct descriptors (5.15). A registration of the same release tells, which with zeros only asks: 5.10.162
  // took over the io_uring of 5.15, but not its opcodes for files.
  bool kernel_has_slots() const {
    std::array<std::uint32_t, 2> workers{};
    return do_register(wire::register_op::iowq_max_workers, workers.data(), 2) == 0;
  }
  binding::Result<binding::Sqe&> queue(const char* name) {
    return ring.openat2(1, dir.fd(), name, &how, sizeof how);
  }
  wire::Sqe wanted(const char* name, std::uint32_t file_index = 0) const {
    return {.opcode = wire::op::openat2,
            .fd = dir.fd(),
            .off = wire::address(&how),
            .addr = wire::address(name),
            .len = sizeof how,
            .user_data = 1,
            .file_index = file_index};
  }
  wire::Cqe open(const char* name, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(name), site)), wanted(name));
    return complete(site);
  }
  // Into a slot of the table.
  wire::Cqe open_direct(binding::Slot slot, std::uint32_t file_index, Site site = Site::here()) {
    const auto queued = ring.openat2_direct(1, dir.fd(), path.data(), &how, sizeof how, slot);
    EXPECT_EQ_AT(site, wire_of(must(queued, site)), wanted(path.data(), file_index));
    return complete(site);
  }
  std::string read_slot(int slot, Site site = Site::here()) {
    must(ring.read(2, slot, buffer, 0), site).flags |= wire::fixed_file;
    const wire::Cqe cqe = complete(site);
    if (cqe.res < 0) return wire::result_text(cqe.res);
    return std::string(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(cqe.res));
  }
  static std::string content_of(const Fd& file) {
    std::array<char, 8> content{};
    EXPECT_EQ(pread(file.get(), content.data(), content.size() - 1, 0), 4);
    return content.data();
  }
  // The number that the next descriptor gets: the lowest that is free.
  int next_descriptor() const { return Fd(dup(dir.fd())).get(); }
  std::string witness() {
    const int next = next_descriptor();
    return refused([&] { return queue("file"); }, wanted("file"),
                   [&] { return next_descriptor() == next ? "" : "there is a new descriptor"; });
  }
  static wire::Cqe failed(int error) { return {.user_data = 1, .res = -error, .flags = 0}; }
};

TEST_F(Openat2, OpensAFileButNoSymbolicLink) {
  if (!kernel_has(wire::op::openat2)) GTEST_SKIP() << witness();
  const Fd made = new_descriptor(open(path.data()), {.user_data = 1}, S_IFREG);
  EXPECT_EQ(fcntl(made.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(fcntl(made.get(), F_GETFL) & O_ACCMODE, O_RDWR);
  EXPECT_EQ(content_of(made), "abcd");
  EXPECT_EQ(open("link"), failed(ELOOP));
  how.resolve = 0;
  const Fd through_the_link = new_descriptor(open("link"), {.user_data = 1}, S_IFREG);
  EXPECT_EQ(content_of(through_the_link), "abcd");
}

TEST_F(Openat2, StaysBeneathItsDirectory) {
  if (!kernel_has(wire::op::openat2)) GTEST_SKIP() << witness();
  how.flags = O_RDONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH;
  const Fd made = new_descriptor(open("file"), {.user_data = 1}, S_IFREG);
  EXPECT_EQ(open("/dev/null"), failed(EXDEV));
  EXPECT_EQ(open("../file"), failed(EXDEV));
}

// What it points to is read when it is submitted, also if it has to wait for another request.
TEST_F(Openat2, HasReadItsArgumentsWhenSubmitted) {
  if (!kernel_has(wire::op::openat2)) GTEST_SKIP() << witness();
  const SocketPair pair;
  must(ring.recv(2, pair.ours.get(), buffer, 0)).flags |= wire::io_link;
  must(queue(path.data()));
  submit(2);
  path = {"link"};
  how = {.flags = O_WRONLY, .mode = 7, .resolve = ~0u};
  pair.send("abcd");
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 2, .res = 4, .flags = 0}));
  const Fd made = new_descriptor(wait_cqe(), {.user_data = 1}, S_IFREG);
  EXPECT_EQ(fcntl(made.get(), F_GETFL) & O_ACCMODE, O_RDWR);
}

// Into the table instead (5.15; before, nobody looks at the field), where the kernel chooses the slot if it
// is asked to (5.19; before, it is the number of a slot that the table does not have).
TEST_F(Openat2, OpensIntoASlot) {
  if (!kernel_has(wire::op::openat2)) GTEST_SKIP() << witness();
  register_empty_slots(3);
  how.flags = O_RDWR;
  if (!kernel_has_slots()) {
    const Fd made = new_descriptor(open_direct(binding::Slot{1}, 2), {.user_data = 1}, S_IFREG);
    return;
  }
  EXPECT_EQ(open_direct(binding::Slot{1}, 2), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  EXPECT_EQ(read_slot(0), "-9 EBADF");
  EXPECT_EQ(read_slot(1), "abcd");
  const wire::Cqe chosen = open_direct(any_slot, wire::file_index_alloc);
  if (!kernel_has(wire::op::socket)) {
    EXPECT_EQ(chosen, failed(EINVAL));
  } else {
    ASSERT_TRUE(chosen.res == 0 || chosen.res == 2) << wire::to_string(chosen);
    EXPECT_EQ(chosen, (wire::Cqe{.user_data = 1, .res = chosen.res, .flags = 0}));
    EXPECT_EQ(read_slot(chosen.res), "abcd");
  }
  how.flags = O_RDWR | O_CLOEXEC;
  EXPECT_EQ(open_direct(binding::Slot{0}, 1), failed(EINVAL)) << "a slot cannot be close-on-exec";
}

// RESOLVE_CACHED (5.12): only if that takes no I/O. What openat2(2) says of a file that was just created is
// what the ring says, too: a descriptor, EAGAIN on some file systems, EINVAL before.
TEST_F(Openat2, OpensWhatIsCached) {
  if (!kernel_has(wire::op::openat2)) GTEST_SKIP() << witness();
  how.resolve = RESOLVE_CACHED;
  const Fd plain(static_cast<int>(syscall(SYS_openat2, dir.fd(), "file", &how, sizeof how)));
  const int error = errno;
  if (plain.get() < 0) {
    EXPECT_EQ(open("file"), failed(error));
  } else {
    const Fd made = new_descriptor(open("file"), {.user_data = 1}, S_IFREG);
    EXPECT_EQ(content_of(made), "abcd");
  }
}

TEST_F(Openat2, RefusesWhatItCannotOpen) {
  if (!kernel_has(wire::op::openat2)) GTEST_SKIP() << witness();
  const int next = next_descriptor();
  struct {
    open_how how;
    std::uint64_t unknown = 1;
  } longer{how};
  wire::Sqe small = wanted("file"), tail = wanted("file"), slot = wanted("file"), buffer_set = wanted("file");
  small.len = 8;
  tail.off = wire::address(&longer);
  tail.len = sizeof longer;
  slot.flags = wire::fixed_file;  // directories are not looked up in the table
  buffer_set.buf_index = 1;
  for (const auto& [sqe, error] :
       {std::pair{small, EINVAL}, {tail, E2BIG}, {slot, EBADF}, {buffer_set, EINVAL}}) {
    EXPECT_EQ(complete(sqe), failed(error)) << wire::to_string(sqe);
  }
  longer.unknown = 0;  // a later struct, of which nothing is used that this kernel does not know
  const Fd made = new_descriptor(complete(tail), {.user_data = 1}, S_IFREG);
  // What waits for the worker (fixture/workers.h) has descriptors of its own meanwhile.
  if (!configuration().begins_later()) {
    EXPECT_EQ(made.get(), next);
  }
}

}  // namespace
