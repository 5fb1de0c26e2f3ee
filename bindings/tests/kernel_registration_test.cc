// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Registrations that this machine's kernel must understand: tags, buffer rings in its own memory, regions,
// filters and restrictions. One that it lacks must be refused as such.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <uring/uring.h>

namespace {

using uring::Error, uring::Ring, uring::i32, uring::u32, uring::u64;

class OnThisKernel : public testing::Test {
 protected:
  Ring ring;
  void SetUp() override { ASSERT_TRUE(ring.init(8).ok()); }

  // The user_data of the next CQEs, in order.
  std::vector<u64> next(u32 count) {
    std::vector<u64> result;
    while (result.size() < count) {
      uring::Cqe cqe{};
      if (const auto taken = ring.copy_cqe(cqe); !taken.ok()) {
        ADD_FAILURE() << uring::name(taken.error()).c_str();
        break;
      }
      result.push_back(cqe.user_data);
    }
    return result;
  }
};

// The tag of a file comes back when its slot has another file, or none.
TEST_F(OnThisKernel, TagsOfFilesComeBack) {
  const std::array<i32, 2> files{0, 1};
  if ((ring.features() & uring::feat_rsrc_tags) == 0) GTEST_SKIP() << "this kernel lacks tags (5.13)";
  ASSERT_TRUE(ring.register_files(files, std::array<u64, 2>{71, 72}).ok());
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_EQ(ring.register_files_update(uring::Slot{1}, std::array<i32, 1>{2}, std::array<u64, 1>{73}), 1);
  EXPECT_EQ(next(1), (std::vector<u64>{72}));
  ASSERT_TRUE(ring.unregister_files().ok());
  std::vector<u64> rest = next(2);
  std::sort(rest.begin(), rest.end());
  EXPECT_EQ(rest, (std::vector<u64>{71, 73}));
}

TEST_F(OnThisKernel, TagsOfBuffersComeBack) {
  static std::array<std::byte, 8192> memory;
  if ((ring.features() & uring::feat_rsrc_tags) == 0) GTEST_SKIP() << "this kernel lacks tags (5.13)";
  const std::array<iovec, 2> both{{{memory.data(), 4096}, {memory.data() + 4096, 4096}}};
  const auto registered = ring.register_buffers(both, std::array<u64, 2>{71, 72});
  if (registered == Error::nomem) GTEST_SKIP() << "RLIMIT_MEMLOCK is too small";
  ASSERT_TRUE(registered.ok());
  EXPECT_EQ(ring.register_buffers_update(1, std::span(both).first(1), std::array<u64, 1>{73}), 1);
  EXPECT_EQ(next(1), (std::vector<u64>{72}));
  ASSERT_TRUE(ring.unregister_buffers().ok());
  std::vector<u64> rest = next(2);
  std::sort(rest.begin(), rest.end());
  EXPECT_EQ(rest, (std::vector<u64>{71, 73}));
}

TEST_F(OnThisKernel, ABufferRingInTheKernelsMemory) {
  constexpr uring::u16 group = 2047;
  const auto made = uring::setup_buf_ring_mmap(ring, 4, group);
  if (made == Error::inval) GTEST_SKIP() << "this kernel lacks buffer rings of its own (6.4)";
  ASSERT_TRUE(made.ok()) << uring::name(made.error()).c_str();
  static std::array<std::byte, 16> buffer;
  uring::buf_ring_init(*made);
  uring::buf_ring_add(*made, buffer, 3, uring::buf_ring_mask(4), 0);
  uring::buf_ring_advance(*made, 1);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "hello", 5), 5);
  ASSERT_TRUE(ring.read_select(1, ends[0], group, 16, 0).ok());
  ASSERT_EQ(ring.submit_and_wait(1), 1);
  uring::Cqe cqe{};
  ASSERT_TRUE(ring.copy_cqe(cqe).ok());
  EXPECT_EQ(cqe.res, 5);
  EXPECT_EQ(cqe.buffer_id(), 3);
  EXPECT_EQ(std::memcmp(buffer.data(), "hello", 5), 0);
  uring::free_buf_ring(ring, *made, 4, group);
  EXPECT_FALSE(ring.unregister_buf_ring(group).ok()) << "still registered";
  close(ends[0]);
  close(ends[1]);
}

TEST_F(OnThisKernel, ARegionInTheKernelsMemory) {
  uring::RegionDesc region{};
  region.size = 65536;
  const auto registered = ring.register_mem_region(region, 0);
  if (registered == Error::inval) GTEST_SKIP() << "this kernel lacks memory regions (6.13)";
  ASSERT_TRUE(registered.ok()) << uring::name(registered.error()).c_str();
  EXPECT_NE(region.mmap_offset, 0u);
  const long mapped = ring.kernel().map_ring(ring.fd(), region.size, region.mmap_offset);
  ASSERT_GT(mapped, 0);
  *reinterpret_cast<char*>(mapped) = 1;
  EXPECT_EQ(ring.kernel().unmap(reinterpret_cast<void*>(mapped), region.size), 0);
}

// Runs `story` in a child, where restrictions end with it; it returns what went wrong, or null.
const char* in_a_child(const char* (*story)()) {
  static char text[80];
  int ends[2];
  if (pipe(ends) != 0) return "pipe";
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const char* const wrong = story();
    if (wrong != nullptr && write(ends[1], wrong, std::strlen(wrong)) < 0) _exit(2);
    _exit(wrong == nullptr ? 0 : 1);
  }
  close(ends[1]);
  const ssize_t length = read(ends[0], text, sizeof text - 1);
  text[length > 0 ? length : 0] = 0;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status == 0) return nullptr;
  return text[0] != 0 ? text : "the child crashed";
}

// Whether a NOP and a read of nothing are allowed in a ring of this thread.
const char* expect_only_nop() {
  Ring ring;
  if (!ring.init(4).ok()) return "no ring";
  if (!ring.nop(1).ok() || !ring.read(2, 0, {}, 0).ok()) return "the queue is full";
  if (ring.submit_and_wait(2) != 2) return "not both were submitted";
  const char* wrong = "no CQE";
  ring.for_each_cqe([&](const uring::Cqe& cqe) {
    if (cqe.user_data == 1) wrong = cqe.res == 0 ? nullptr : "the NOP was denied";
    if (cqe.user_data == 2 && cqe.error() != Error::acces) wrong = "the read was allowed";
  });
  return wrong;
}

bool lacks(const uring::Result<void>& answer) { return answer == Error::inval || answer == Error::badf; }

TEST(RestrictedOnThisKernel, IsWhatThisThreadOpensFromNowOn) {
  const char* const wrong = in_a_child([]() -> const char* {
    uring::Restriction only_nop{};
    only_nop.opcode = uring::RestrictionOp::sqe_op;
    only_nop.what = static_cast<uring::u8>(uring::Op::nop);
    const auto restricted = uring::restrict_task({&only_nop, 1});
    if (lacks(restricted)) return "skip";
    if (!restricted.ok()) return "refused";
    if (uring::restrict_task({&only_nop, 1}) != Error::perm) return "twice";
    return expect_only_nop();
  });
  if (wrong != nullptr && wrong == std::string("skip"))
    GTEST_SKIP() << "this kernel lacks restrictions of tasks (7.0)";
  EXPECT_EQ(wrong, nullptr) << wrong;
}

TEST(FilteredOnThisKernel, IsWhatThisThreadOpensFromNowOn) {
  const char* const wrong = in_a_child([]() -> const char* {
    static constexpr uring::BpfInstruction allow[]{{0x06, 0, 0, 1}};  // BPF_RET | BPF_K
    const auto filtered = uring::filter_task(uring::Op::nop, allow, 0, uring::bpf_filter_deny_rest);
    if (lacks(filtered)) return "skip";
    return filtered.ok() ? expect_only_nop() : "refused";
  });
  if (wrong != nullptr && wrong == std::string("skip")) GTEST_SKIP() << "this kernel lacks filters (7.0)";
  EXPECT_EQ(wrong, nullptr) << wrong;
}

TEST(FilteredOnThisKernel, IsOneRing) {
  const char* const wrong = in_a_child([]() -> const char* {
    static constexpr uring::BpfInstruction deny[]{{0x06, 0, 0, 0}};
    Ring ring;
    if (!ring.init(4).ok()) return "no ring";
    const auto filtered = ring.register_bpf_filter(uring::Op::nop, deny);
    if (lacks(filtered)) return "skip";
    if (!filtered.ok()) return "refused";
    uring::Cqe cqe{};
    if (!ring.nop(1).ok() || !ring.submit().ok() || !ring.copy_cqe(cqe).ok()) return "no CQE";
    return cqe.error() == Error::acces ? nullptr : "allowed";
  });
  if (wrong != nullptr && wrong == std::string("skip")) GTEST_SKIP() << "this kernel lacks filters (7.0)";
  EXPECT_EQ(wrong, nullptr) << wrong;
}

TEST(AskingThisKernel, AboutTheHeadersOfARing) {
  uring::QueryScq headers{};
  const auto asked = uring::query_ring_headers(headers);
  if (!asked.ok()) {
    EXPECT_TRUE(lacks(asked) || asked == Error::opnotsupp);
    GTEST_SKIP() << "this kernel does not say (6.19)";
  }
  EXPECT_GT(headers.hdr_size, 0u);
  EXPECT_GT(headers.hdr_alignment, 0u);
}

}  // namespace
