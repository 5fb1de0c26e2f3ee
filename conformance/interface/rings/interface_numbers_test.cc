// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// numbers and layouts: what a program means by an opcode, a flag or the place of a word is what the kernel
// means by it. The suite wrote them down on its own (seam/*.h), from the kernel's headers up to 7.3; the
// binding did, too; and other rows show only some of them.
//
// Needs nothing: no system call is made, so no kernel and no kind of ring can change the outcome. The binding
// is the one whose headers this program was compiled with. (What a binding behind an adapter takes them for
// is not seen, but in what it sends.)

#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <csignal>
#include <cstddef>
#include <iterator>
#include <type_traits>

#include "binding.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"
#include "seam/wire.h"
#include "seam/zcrx_abi.h"

namespace {

using namespace conformance;
namespace abi = binding::abi;

struct Number {
  const char* name;
  std::uint64_t ours, theirs;
};
// A negative one as its own bits.
template <class Value>
constexpr std::uint64_t bits(Value value) {
  if constexpr (std::is_signed_v<Value>) return static_cast<std::make_unsigned_t<Value>>(value);
  return static_cast<std::uint64_t>(value);
}

// Of a struct: how long it is; of a field: where it is, and how long.
#define OP(name) {#name, bits(wire::op::name), bits(abi::Op::name)},
#define REGISTER_OP(name) {#name, bits(wire::register_op::name), bits(abi::RegisterOp::name)},
#define FEATURE(name) {#name, bits(wire::feature::name.bit), bits(abi::feat_##name)},
#define PAIR(ours, theirs) {#theirs, bits(wire::ours), bits(abi::theirs)},
#define SAME(name) PAIR(name, name)
#define SIZE(type) {"sizeof " #type, sizeof(wire::type), sizeof(abi::type)},
#define PLACE(type, ours, theirs) \
  {#type "." #theirs, offsetof(wire::type, ours), offsetof(abi::type, theirs)},
#define SIZE_OF_FIELD(type, field) sizeof(static_cast<type*>(nullptr)->field)
#define OTHER_FIELD(type, ours, theirs)                                                   \
  PLACE(type, ours, theirs){"sizeof " #type "." #theirs, SIZE_OF_FIELD(wire::type, ours), \
                            SIZE_OF_FIELD(abi::type, theirs)},
#define FIELD(type, name) OTHER_FIELD(type, name, name)
constexpr Number numbers[] = {
#include "fixture/interface_numbers.inc"
};
#undef FIELD
#undef OTHER_FIELD
#undef SIZE_OF_FIELD
#undef PLACE
#undef SIZE
#undef SAME
#undef PAIR
#undef FEATURE
#undef REGISTER_OP
#undef OP

TEST(InterfaceNumbers, AreTheSameInTheBinding) {
  for (const auto& [name, ours, theirs] : numbers) EXPECT_EQ(theirs, ours) << name;
}

// The bits of Sqe::flags, in the order of IOSQE_*_BIT. There is room for one more.
TEST(InterfaceNumbers, OfSevenBitsOfAnSqe) {
  constexpr std::uint8_t flags[] = {wire::fixed_file,      wire::io_drain, wire::io_link,
                                    wire::io_hardlink,     wire::io_async, wire::buffer_select,
                                    wire::cqe_skip_success};
  for (unsigned bit = 0; bit < std::size(flags); ++bit) EXPECT_EQ(flags[bit], 1u << bit);
}

// What a mask stands for, and what it must leave alone.
TEST(InterfaceNumbers, OfMasks) {
  EXPECT_EQ(abi::uring_cmd_mask, abi::uring_cmd_fixed | abi::uring_cmd_multishot);
  EXPECT_EQ(abi::timeout_clock_mask, wire::timeout_boottime | wire::timeout_realtime);
  EXPECT_EQ(abi::timeout_update_mask, wire::timeout_update | wire::link_timeout_update);
  EXPECT_EQ(wire::zcrx_area_mask, ~std::uint64_t{0} << wire::zcrx_area_shift);
  for (const std::uint64_t region : {wire::off_cq_ring, wire::off_sqes, wire::off_pbuf_ring}) {
    EXPECT_EQ(wire::off_mmap_mask & region, region);
  }
}

// What requests point to, as it is in the C library that this program was compiled with.
TEST(InterfaceNumbers, OfStructsOfTheCLibrary) {
  constexpr bool is_64 = sizeof(void*) == 8;
  EXPECT_EQ(sizeof(iovec), is_64 ? 16u : 8u);
  EXPECT_EQ(sizeof(msghdr), is_64 ? 56u : 28u);
#if defined(__x86_64__) || defined(__i386__)
  EXPECT_EQ(sizeof(epoll_event), 12u);
#else
  EXPECT_EQ(sizeof(epoll_event), 16u);
#endif
  EXPECT_EQ(sizeof(open_how), 24u);
  EXPECT_EQ(sizeof(struct statx), 256u);
  EXPECT_EQ(sizeof(siginfo_t), 128u);
  EXPECT_EQ(sizeof(sockaddr_storage), 128u);
}

}  // namespace
