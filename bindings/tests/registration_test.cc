// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Each registration: operation, count and argument as io_uring_register(2) wants them. The numbers are the
// suite's own. The test is built with -ftrivial-auto-var-init=pattern, so that a reserved field that was not
// cleared is not 0 by chance.
#include <gtest/gtest.h>
#include <sys/uio.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "played_kernel.h"
#include "trap.h"

namespace {

using uring::Error, uring::RegisterOp, uring::Slot, uring::i32, uring::u16;

class Registering : public RingOnAPlayedKernel {
 protected:
  // The last call.
  u32 op = ~0u, count = ~0u;
  void* argument = nullptr;
  std::array<std::byte, 72> copy{};
  std::size_t copied = 0;  // how much of the argument to keep
  long answer = 0;

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok());
    kernel.on_register = [this](RegisterOp asked, void* arg, u32 nr) {
      op = static_cast<u32>(asked);
      count = nr;
      argument = arg;
      if (copied > 0) std::memcpy(copy.data(), arg, copied);
      return answer;
    };
  }

  // The argument as the 32-bit words that the kernel sees.
  std::vector<u32> words() const {
    std::vector<u32> result(copied / 4);
    std::memcpy(result.data(), copy.data(), copied);
    return result;
  }
};

// The two 32-bit words of an address, as they follow each other in memory, and those of two 16-bit fields.
std::array<u32, 2> halves_of(const void* p) { return std::bit_cast<std::array<u32, 2>>(p); }
u32 first(const void* p) { return halves_of(p)[0]; }
u32 second(const void* p) { return halves_of(p)[1]; }
u32 word_of(u16 first_field, u16 second_field) {
  return std::bit_cast<u32>(std::array<u16, 2>{first_field, second_field});
}

u32 low(u64 value) { return std::bit_cast<std::array<u32, 2>>(value)[0]; }
u32 high(u64 value) { return std::bit_cast<std::array<u32, 2>>(value)[1]; }

iovec iovecs[2];
const std::array<i32, 3> fds{5, -1, 7};

// The call asked for this operation, with this argument and count.
#define EXPECT_ASKS(call, wanted_op, wanted_argument, wanted_count) \
  do {                                                              \
    ASSERT_TRUE((call).ok());                                       \
    EXPECT_EQ(op, wanted_op##u);                                    \
    EXPECT_EQ(argument, wanted_argument);                           \
    EXPECT_EQ(count, wanted_count##u);                              \
  } while (false)

// The same with an argument that is not looked at.
#define EXPECT_ASKS_ALIKE(call, wanted_op, wanted_count) \
  do {                                                   \
    ASSERT_TRUE((call).ok());                            \
    EXPECT_EQ(op, wanted_op##u);                         \
    EXPECT_EQ(count, wanted_count##u);                   \
  } while (false)

// The same with an argument that the binding made: these words.
#define EXPECT_ASKS_WITH(call, wanted_op, wanted_count, ...) \
  do {                                                       \
    const std::vector<u32> wanted_words __VA_ARGS__;         \
    copied = 4 * wanted_words.size();                        \
    ASSERT_TRUE((call).ok());                                \
    EXPECT_EQ(op, wanted_op##u);                             \
    EXPECT_EQ(count, wanted_count##u);                       \
    EXPECT_EQ(words(), wanted_words);                        \
    copied = 0;                                              \
  } while (false)

TEST_F(Registering, Files) {
  void* const array = const_cast<i32*>(fds.data());
  EXPECT_ASKS(ring.register_files(fds), 2, array, 3);
  EXPECT_ASKS(ring.unregister_files(), 3, nullptr, 0);
  EXPECT_ASKS_WITH(ring.register_files_update(Slot{9}, fds), 6, 3, {9, 0, first(array), second(array)});
  EXPECT_ASKS_WITH(ring.register_files_sparse(9), 13, 32, {9, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_ASKS_WITH(ring.register_file_alloc_range(Slot{9}, 4), 25, 0, {9, 4, 0, 0});
}

TEST_F(Registering, Buffers) {
  EXPECT_ASKS(ring.register_buffers(iovecs), 0, iovecs, 2);
  EXPECT_ASKS(ring.unregister_buffers(), 1, nullptr, 0);
  EXPECT_ASKS_WITH(ring.register_buffers_sparse(9), 15, 32, {9, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_ASKS_WITH(ring.register_buffers_update(9, iovecs), 16, 32,
                   {9, 0, first(iovecs), second(iovecs), 0, 0, 2, 0});
  EXPECT_ASKS_WITH(ring.clone_buffers(ring), 30, 1, {1000, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_ASKS_WITH(ring.clone_buffers(ring, 2, 3, 4, 5), 30, 1, {1000, 2, 3, 4, 5, 0, 0, 0});
}

const std::array<u64, 3> tags{7, 0, 9};

TEST_F(Registering, TagsOfFilesAndBuffers) {
  const void *array = fds.data(), *their = tags.data();
  EXPECT_ASKS_WITH(ring.register_files(fds, tags), 13, 32,
                   {3, 0, 0, 0, first(array), second(array), first(their), second(their)});
  EXPECT_ASKS_WITH(ring.register_files_update(Slot{9}, fds, tags), 14, 32,
                   {9, 0, first(array), second(array), first(their), second(their), 3, 0});
  const std::span two = std::span(tags).first(2);
  EXPECT_ASKS_WITH(ring.register_buffers(iovecs, two), 15, 32,
                   {2, 0, 0, 0, first(iovecs), second(iovecs), first(their), second(their)});
  EXPECT_ASKS_WITH(ring.register_buffers_update(9, iovecs, two), 16, 32,
                   {9, 0, first(iovecs), second(iovecs), first(their), second(their), 2, 0});
  answer = -ENXIO;
  EXPECT_EQ(ring.register_files(fds, tags), Error::nxio);
  EXPECT_EQ(ring.register_files_update(Slot{0}, fds, tags), Error::nxio);
}

TEST_F(Registering, ATagForEachOrItTraps) {
  EXPECT_EXIT(static_cast<void>(ring.register_files(fds, std::span(tags).first(2))), trapped, "");
  EXPECT_EXIT(static_cast<void>(ring.register_files_update(Slot{0}, fds, std::span(tags).first(2))), trapped,
              "");
  EXPECT_EXIT(static_cast<void>(ring.register_buffers(iovecs, tags)), trapped, "");
  EXPECT_EXIT(static_cast<void>(ring.register_buffers_update(0, iovecs, tags)), trapped, "");
}

TEST_F(Registering, MemoryRegions) {
  uring::RegionDesc region{};
  EXPECT_ASKS_WITH(ring.register_mem_region(region, 0x100000002), 34, 1,
                   {first(&region), second(&region), low(0x100000002), high(0x100000002), 0, 0, 0, 0});
  // The address in it is one of a local variable, so what is there is looked at while it is.
  alignas(64) static uring::RegWait waits[128];
  std::array<u64, 8> seen{};
  kernel.on_register = [&](RegisterOp, void* arg, u32) -> long {
    const auto& request = *static_cast<uring::MemRegionReg*>(arg);
    EXPECT_EQ(request.flags, 1u) << "for waits";
    std::memcpy(seen.data(), reinterpret_cast<void*>(request.region_uptr), sizeof seen);
    return answer;
  };
  EXPECT_TRUE(ring.register_waits(waits).ok());
  EXPECT_EQ(kernel.registered.back(), RegisterOp::mem_region);
  const u64 flags_and_id = std::bit_cast<u64>(std::array<u32, 2>{1, 0});
  EXPECT_EQ(seen, (std::array<u64, 8>{reinterpret_cast<u64>(waits), 128 * 64, flags_and_id}));
  answer = -EBUSY;
  EXPECT_EQ(ring.register_waits(waits), Error::busy);
}

constexpr uring::BpfInstruction program[]{{0x20, 1, 2, 3}, {6, 0, 0, 1}};

TEST_F(Registering, BpfFilters) {
  std::vector<u32> wanted{std::bit_cast<u32>(std::array<u16, 2>{1, 0}),
                          0,
                          45,
                          3,
                          2,
                          std::bit_cast<u32>(std::array<uring::u8, 4>{12}),
                          first(program),
                          second(program)};
  wanted.resize(18);
  copied = 72;
  EXPECT_ASKS_ALIKE(ring.register_bpf_filter(uring::Op::socket, program, 12, 3), 37, 1);
  EXPECT_EQ(words(), wanted);
  EXPECT_EQ(kernel.register_fd, Played::fd);
  EXPECT_ASKS_ALIKE(uring::filter_task(uring::Op::socket, program, 12, 3, PlayedKernel{&kernel}), 37, 1);
  EXPECT_EQ(words(), wanted);
  EXPECT_EQ(kernel.register_fd, -1);
  // Without size and flags there are none.
  wanted[3] = wanted[5] = 0;
  EXPECT_ASKS_ALIKE(ring.register_bpf_filter(uring::Op::socket, program), 37, 1);
  EXPECT_EQ(words(), wanted);
}

TEST_F(Registering, RestrictionsOfATask) {
  const PlayedKernel played{&kernel};
  const uring::Restriction one{uring::RestrictionOp::sqe_op, 5, 0xff, {~0u, ~0u, ~0u}};
  const uring::Restriction other{uring::RestrictionOp::sqe_flags_required, 6, 0, {}};
  const std::array both{one, other};
  copied = 48;
  EXPECT_ASKS_ALIKE(uring::restrict_task(both, played), 11, 1);
  std::array<uring::u8, 48> bytes{};
  const u16 count_of_them = 2, ops[]{1, 3};
  std::memcpy(&bytes[2], &count_of_them, 2);
  std::memcpy(&bytes[16], &ops[0], 2);
  bytes[18] = 5;
  std::memcpy(&bytes[32], &ops[1], 2);
  bytes[34] = 6;
  EXPECT_EQ(std::memcmp(copy.data(), bytes.data(), 48), 0) << "reserved words must be 0";
  EXPECT_EQ(kernel.register_fd, -1);
  copied = 0;
  // As many as the argument holds, and no more.
  std::vector<uring::Restriction> many(256);
  EXPECT_ASKS_ALIKE(uring::restrict_task(many, played), 11, 1);
  op = ~0u;
  many.resize(257);
  EXPECT_EQ(uring::restrict_task(many, played), Error::inval);
  EXPECT_EQ(op, ~0u) << "asked, although it does not fit";
  answer = -EPERM;
  EXPECT_EQ(uring::restrict_task(both, played), Error::perm);
  EXPECT_EQ(uring::filter_task(uring::Op::nop, program, 0, 0, played), Error::perm);
}

TEST_F(Registering, BufferRings) {
  const uring::BufReg buf_ring{};
  EXPECT_ASKS(ring.register_buf_ring(buf_ring), 22, &buf_ring, 1);
  EXPECT_ASKS_WITH(ring.unregister_buf_ring(0xabcd), 23, 1, {0, 0, 0, word_of(0xabcd, 0), 0, 0, 0, 0, 0, 0});
  EXPECT_ASKS_WITH(ring.buf_ring_head(0xabcd), 26, 1, {0xabcd, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  kernel.on_register = [](RegisterOp, void* arg, u32) -> long {
    static_cast<uring::BufStatus*>(arg)->head = 0xfffe;
    return 0;
  };
  EXPECT_EQ(ring.buf_ring_head(1), 0xfffe);
  kernel.on_register = [](RegisterOp, void*, u32) -> long { return -ENOENT; };
  EXPECT_EQ(ring.buf_ring_head(1), Error::noent);
}

TEST_F(Registering, Eventfd) {
  EXPECT_ASKS_WITH(ring.register_eventfd(5), 4, 1, {5});
  EXPECT_ASKS_WITH(ring.register_eventfd_async(5), 7, 1, {5});
  EXPECT_ASKS(ring.unregister_eventfd(), 5, nullptr, 0);
}

TEST_F(Registering, NapiAndClock) {
  uring::Napi napi{};
  EXPECT_ASKS(ring.register_napi(napi), 27, &napi, 1);
  EXPECT_ASKS(ring.unregister_napi(napi), 28, &napi, 1);
  EXPECT_ASKS_WITH(ring.register_clock(7), 29, 0, {7, 0, 0, 0});
}

TEST_F(Registering, Probe) {
  uring::Probe probe;
  std::memset(&probe, 0xff, sizeof probe);
  EXPECT_ASKS(ring.get_probe(probe), 8, &probe, 256);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&probe);
  for (std::size_t i = 0; i < sizeof probe; ++i) ASSERT_EQ(bytes[i], 0) << i;
}

// An opcode is supported if the kernel knows it, filled in its slot, and does not say that it was built
// without it.
TEST(ProbeAnswer, SaysWhatIsThere) {
  uring::Probe probe{};
  for (uring::ProbeOp& op : probe.ops) op.flags = 0xffff;
  probe.last_op = 4;
  probe.ops_len = 10;
  EXPECT_TRUE(probe.is_supported(uring::Op{4}));
  EXPECT_FALSE(probe.is_supported(uring::Op{5})) << "the last one is 4";
  probe.last_op = 10;
  probe.ops_len = 4;
  EXPECT_TRUE(probe.is_supported(uring::Op{3}));
  EXPECT_FALSE(probe.is_supported(uring::Op{4})) << "four slots were filled in";
  EXPECT_FALSE(probe.is_supported(uring::Op{5}));
  probe.ops[3].flags = 0xfffe;
  EXPECT_FALSE(probe.is_supported(uring::Op{3})) << "of all flags only one says so";
  probe.ops[2].flags = 1;
  EXPECT_TRUE(probe.is_supported(uring::Op{2}));
}

TEST_F(Registering, Limits) {
  const std::array<uring::Restriction, 2> restrictions{};
  EXPECT_ASKS(ring.register_restrictions(restrictions), 11,
              const_cast<uring::Restriction*>(restrictions.data()), 2);
  EXPECT_ASKS(ring.enable_rings(), 12, nullptr, 0);
  u64 cpus = 1;
  EXPECT_ASKS(ring.register_iowq_aff(std::as_bytes(std::span(&cpus, 1))), 17, &cpus, 8);
  EXPECT_ASKS(ring.unregister_iowq_aff(), 18, nullptr, 0);
  std::array<u32, 2> limits{};
  EXPECT_ASKS(ring.register_iowq_max_workers(limits), 19, limits.data(), 2);
  EXPECT_ASKS(ring.register_personality(), 9, nullptr, 0);
  EXPECT_ASKS(ring.unregister_personality(77), 10, nullptr, 77);
}

TEST_F(Registering, Cancelling) {
  const uring::SyncCancelReg cancel{};
  EXPECT_ASKS(ring.sync_cancel(cancel), 24, const_cast<uring::SyncCancelReg*>(&cancel), 1);
}

TEST_F(Registering, ReportsCountsAndErrors) {
  answer = 2;
  EXPECT_EQ(ring.register_files_update(Slot{0}, fds), 2);
  answer = -ENXIO;
  EXPECT_EQ(ring.unregister_files(), Error::nxio);
}

// Operations that need no ring use descriptor -1.
TEST_F(Registering, WithoutARing) {
  const PlayedKernel played{&kernel};
  uring::QueryHdr header{};
  EXPECT_ASKS(uring::query(header, played), 35, &header, 0);
  EXPECT_EQ(kernel.register_fd, -1);
  kernel.register_fd = 0;
  const uring::Sqe message{};
  EXPECT_ASKS(uring::send_msg_ring(message, played), 31, const_cast<uring::Sqe*>(&message), 1);
  EXPECT_EQ(kernel.register_fd, -1);
  EXPECT_ASKS(ring.enable_rings(), 12, nullptr, 0);
  EXPECT_EQ(kernel.register_fd, Played::fd);
}

TEST_F(Registering, AsksTheKernelWhatItCan) {
  const PlayedKernel played{&kernel};
  uring::QueryOpcode answer_to_fill;
  std::memset(&answer_to_fill, 0xff, sizeof answer_to_fill);
  EXPECT_ASKS_WITH(uring::query_abilities(answer_to_fill, played), 35, 0,
                   {0, 0, first(&answer_to_fill), second(&answer_to_fill), 0, 48, 0, 0, 0, 0});
  EXPECT_EQ(answer_to_fill.nr_request_opcodes, 0u) << "what an older kernel does not fill in must be 0";
  EXPECT_EQ(answer_to_fill.nr_query_opcodes, 0u);
  uring::QueryScq headers;
  std::memset(&headers, 0xff, sizeof headers);
  EXPECT_ASKS_WITH(uring::query_ring_headers(headers, played), 35, 0,
                   {0, 0, first(&headers), second(&headers), 2, 16, 0, 0, 0, 0});
  EXPECT_EQ(headers.hdr_size, 0u);
  // The call may succeed and the question not be understood.
  kernel.on_register = [](RegisterOp, void* arg, u32) -> long {
    static_cast<uring::QueryHdr*>(arg)->result = -EOPNOTSUPP;
    return 0;
  };
  EXPECT_EQ(uring::query_abilities(answer_to_fill, played), Error::opnotsupp);
  EXPECT_EQ(uring::query_ring_headers(headers, played), Error::opnotsupp);
  kernel.on_register = [](RegisterOp, void*, u32) -> long { return -EBADF; };
  EXPECT_EQ(uring::query_abilities(answer_to_fill, played), Error::badf);
}

}  // namespace
