// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// tags of registered resources: a file or a buffer that is registered with a tag gets a CQE with this
// user_data once it has left the table and no request uses it any longer. Then its memory may be used again.
//
// Needs IORING_FEAT_RSRC_TAGS (5.13, io_uring_register(2); also in 5.10.162). Before, an unknown registration
// is refused. Up to 6.12 a tag may come some 200 ms late.

#include <fcntl.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class ResourceTags : public RingTest<8> {
 protected:
  Fd zero = open_file("/dev/zero", O_RDONLY);
  Fd null = open_file("/dev/null", O_RDONLY);
  alignas(4096) std::array<std::byte, 4096> memory{};

  template <std::size_t count, class Resource>
  long do_register_tagged(std::uint32_t op, const std::array<Resource, count>& resources,
                          const std::array<std::uint64_t, count>& tags) const {
    const wire::RsrcRegister table{
        .nr = count, .data = wire::address(resources.data()), .tags = wire::address(tags.data())};
    return do_register(op, &table, sizeof table);
  }
  template <class Resource>
  long replace(std::uint32_t op, std::uint32_t at, const Resource& resource, std::uint64_t tag) const {
    const wire::RsrcUpdate2 update{
        .offset = at, .data = wire::address(&resource), .tags = wire::address(&tag), .nr = 1};
    return do_register(op, &update, sizeof update);
  }
  std::string witness() {
    return registration_refused(
        "REGISTER_FILES2",
        [&] {
          return static_cast<int>(
              -do_register_tagged<1, std::int32_t>(wire::register_op::files2, {zero.get()}, {7}));
        },
        wire::feature::rsrc_tags);
  }
  // All CQEs up to the tag of a file that is replaced now, sorted: tags come in the order of the releases,
  // and one that will never come costs no wait.
  Cqes cqes_before_tag(std::uint64_t last, Site site = Site::here()) {
    const long registered =
        do_register_tagged<1, std::int32_t>(wire::register_op::files2, {zero.get()}, {last});
    EXPECT_EQ_AT(site, registered, 0);
    if (registered != 0) return {};  // no tag will come
    EXPECT_EQ_AT(site, replace(wire::register_op::files_update2, 0, std::int32_t{-1}, 0), 1);
    Cqes cqes{wait_cqe(site)};
    while (cqes.back() != tag(last)) cqes.push_back(wait_cqe(site));
    must(ring.unregister_files(), site);
    std::ranges::sort(cqes, {}, &wire::Cqe::user_data);
    return cqes;
  }
  static wire::Cqe tag(std::uint64_t user_data) { return {.user_data = user_data, .res = 0, .flags = 0}; }
};

TEST_F(ResourceTags, TellThatAFileIsReleased) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  const std::array files{zero.get(), -1, null.get()};
  EXPECT_EQ((do_register_tagged<3, std::int32_t>(wire::register_op::files2, files, {0x51, 0, 0x53})), 0);
  EXPECT_EQ(replace(wire::register_op::files_update2, 0, null.get(), 0x61), 1);
  EXPECT_EQ(wait_cqe(), tag(0x51));
  // There is none for what has no tag.
  EXPECT_EQ(replace(wire::register_op::files_update2, 1, null.get(), 0), 1);
  EXPECT_EQ(replace(wire::register_op::files_update2, 1, std::int32_t{-1}, 0), 1);
  EXPECT_EQ(replace(wire::register_op::files_update2, 0, std::int32_t{-1}, 0), 1);
  EXPECT_EQ(wait_cqe(), tag(0x61));
  EXPECT_EQ(cqes_before_nop(1), (Cqes{tag(1)}));
}

// A table that is removed releases all that are left, in any order. Kernels told of none of them until 6.13
// (7029acd8a950, io_uring/rsrc: get rid of per-ring io_rsrc_node list).
TEST_F(ResourceTags, TellThatATableIsReleased) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  const std::array files{zero.get(), -1, null.get()};
  EXPECT_EQ((do_register_tagged<3, std::int32_t>(wire::register_op::files2, files, {0x51, 0, 0x53})), 0);
  must(ring.unregister_files());
  EXPECT_EQ(cqes_before_tag(0x61), (Cqes{tag(0x51), tag(0x53), tag(0x61)}));
  const std::array<iovec, 2> buffers{{{memory.data(), 4096}, {memory.data(), 8}}};
  EXPECT_EQ((do_register_tagged<2, iovec>(wire::register_op::buffers2, buffers, {0x71, 0})), 0);
  must(ring.unregister_buffers());
  EXPECT_EQ(cqes_before_tag(0x81), (Cqes{tag(0x71), tag(0x81)}));
}

// A buffer has left the table, and a read still uses it: its tag comes after that.
TEST_F(ResourceTags, WaitForTheLastUseOfABuffer) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  const SocketPair pair;
  const std::array<iovec, 1> buffers{{{memory.data(), memory.size()}}};
  EXPECT_EQ((do_register_tagged<1, iovec>(wire::register_op::buffers2, buffers, {0x71})), 0);
  must(ring.read_fixed(1, pair.ours.get(), std::span(memory).first(4), 0, 0));
  submit(1);
  EXPECT_EQ(replace(wire::register_op::buffers_update, 0, iovec{nullptr, 0}, 0), 1);
  EXPECT_EQ(cqes_before_nop(2), (Cqes{tag(2)}));
  pair.send("abcd");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 4, .flags = 0}));
  EXPECT_EQ(wait_cqe(), tag(0x71));
  EXPECT_EQ(std::memcmp(memory.data(), "abcd", 4), 0);
}

// Nothing can be told of an empty place, which is never released.
TEST_F(ResourceTags, AreRefusedWithoutAResource) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  const auto files2 = wire::register_op::files2, buffers2 = wire::register_op::buffers2;
  EXPECT_EQ((do_register_tagged<2, std::int32_t>(files2, {zero.get(), -1}, {0, 7})), -EINVAL);
  EXPECT_EQ((do_register_tagged<1, iovec>(buffers2, {iovec{nullptr, 0}}, {7})), -EINVAL);
  EXPECT_EQ((do_register_tagged<1, std::int32_t>(files2, {zero.get()}, {0})), 0);
  EXPECT_EQ(replace(wire::register_op::files_update2, 0, std::int32_t{-1}, 7), -EINVAL);
}

TEST_F(ResourceTags, AreRefusedInAnotherStruct) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  const std::int32_t file = zero.get();
  wire::RsrcRegister table{.nr = 1, .data = wire::address(&file)};
  EXPECT_EQ(do_register(wire::register_op::files2, &table, sizeof table - 8), -EINVAL);
  table.resv2 = 1;
  EXPECT_EQ(do_register(wire::register_op::files2, &table, sizeof table), -EINVAL);
  table.resv2 = 0;
  EXPECT_EQ(do_register(wire::register_op::files2, &table, sizeof table), 0);
  wire::RsrcUpdate2 update{.data = wire::address(&file), .nr = 1, .resv2 = 1};
  EXPECT_EQ(do_register(wire::register_op::files_update2, &update, sizeof update), -EINVAL);
  update.resv2 = 0;
  EXPECT_EQ(do_register(wire::register_op::files_update2, &update, sizeof update - 8), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::files_update2, &update, sizeof update), 1);
}

}  // namespace
