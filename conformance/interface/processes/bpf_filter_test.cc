// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// filters of requests: a small program (classic BPF, as for packets and system calls) looks at each request
// of a kind before it is carried out, and may deny it. Restrictions can only tell SOCKET from NOP; a filter
// tells an AF_INET socket from another.
//
// Needs IORING_REGISTER_BPF_FILTER (7.0, io_uring_register_bpf_filter(3)). Before, the registration is
// unknown. SZ_STRICT is 7.1 and in later releases of 7.0, what CONNECT shows to a filter 7.2. A filter is for
// good: the tests open the ring anew for each, without flags, and filter tasks in children.

#include <fcntl.h>
#include <linux/openat2.h>

#include <array>
#include <bit>
#include <cerrno>

#include "fixture/child.h"
#include "fixture/request_filters.h"

namespace {

using namespace conformance;

class BpfFilter : public RequestFilterTest {};

// The heart: the program is asked, and what it denies has not happened. Other operations and other rings have
// nothing to do with it.
TEST_F(BpfFilter, DeniesWhatItsProgramDenies) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(filter(wire::op::socket, only_inet, wire::bpf_socket_pdu), 0);
  expect_socket(AF_INET, SOCK_STREAM);
  expect_no_socket(AF_UNIX, SOCK_STREAM);
  expect_socket(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(nop(), done(0));
  reopen(0);
  expect_socket(AF_UNIX, SOCK_STREAM);
}

// One that another filter of the operation denies is denied.
TEST_F(BpfFilter, AddsToThoseBefore) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(filter(wire::op::socket, only_inet, wire::bpf_socket_pdu), 0);
  EXPECT_EQ(filter(wire::op::socket, if_word(wire::bpf_socket_type, SOCK_STREAM), wire::bpf_socket_pdu), 0);
  EXPECT_EQ(filter(wire::op::socket, allow), 0);
  expect_socket(AF_INET, SOCK_STREAM);
  expect_no_socket(AF_INET, SOCK_DGRAM);
  expect_no_socket(AF_UNIX, SOCK_STREAM);
  EXPECT_EQ(filter(wire::op::socket, deny), 0);
  expect_no_socket(AF_INET, SOCK_STREAM);
}

// With DENY_REST, operations that have no filter are denied, also after they get one.
TEST_F(BpfFilter, DeniesTheRestIfItIsToldTo) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(filter(wire::op::fsync, allow), 0);
  EXPECT_EQ(filter(wire::op::socket, only_inet, wire::bpf_socket_pdu, wire::bpf_filter_deny_rest), 0);
  expect_socket(AF_INET, SOCK_STREAM);
  expect_no_socket(AF_UNIX, SOCK_STREAM);
  EXPECT_EQ(nop(), denied);
  must(ring.fsync(1, ring.fd(), 0));
  EXPECT_EQ(complete(), done(-EINVAL)) << "it was carried out: a ring cannot be synchronized";
  EXPECT_EQ(filter(wire::op::nop, allow), 0);
  EXPECT_EQ(nop(), denied);
}

// --- what a program sees -----------------------------------------------------------------------------------

class BpfFilterAtItsContext : public BpfFilter {
 protected:
  static std::uint32_t word(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return std::bit_cast<std::uint32_t>(std::array{a, b, c, d});
  }
};

TEST_F(BpfFilterAtItsContext, SeesTheHeadOfTheRequest) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  expect_filter(wire::op::nop, if_word(low, 1));
  EXPECT_EQ(nop(1), done(0));
  EXPECT_EQ(nop(2), done(-EACCES, 2));
  expect_filter(wire::op::nop, if_word(high, 7));
  EXPECT_EQ(nop(7ull << 32), done(0, 7ull << 32));
  EXPECT_EQ(nop(7), done(-EACCES, 7));
  // The opcode, the flags, and the size of what comes after them: nothing, with a NOP.
  expect_filter(wire::op::nop, if_word(8, word(wire::op::nop, wire::io_async, 0, 0)));
  EXPECT_EQ(nop(1, wire::io_async), done(0));
  EXPECT_EQ(nop(), denied);
  for (std::uint32_t offset = 12; offset < context_size; offset += 4) {
    expect_filter(wire::op::nop, if_word(offset, 0));
    EXPECT_EQ(nop(), done(0)) << offset;
  }
}

TEST_F(BpfFilterAtItsContext, SeesWhichSocketIsMade) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  expect_filter(wire::op::socket, if_word(8, word(wire::op::socket, 0, wire::bpf_socket_pdu, 0)));
  expect_socket(AF_UNIX, SOCK_STREAM);
  expect_filter(wire::op::socket, if_word(wire::bpf_socket_type, SOCK_DGRAM), wire::bpf_socket_pdu);
  expect_socket(AF_INET, SOCK_DGRAM);
  expect_no_socket(AF_INET, SOCK_STREAM);
  expect_filter(wire::op::socket, if_word(wire::bpf_socket_protocol, IPPROTO_UDP), wire::bpf_socket_pdu);
  expect_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  expect_no_socket(AF_INET, SOCK_DGRAM);
}

TEST_F(BpfFilterAtItsContext, SeesHowAFileIsOpened) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const TempDir dir;
  dir.create("file", O_RDWR);
  const auto openat = [&](const char* name, unsigned flags, unsigned mode) {
    must(ring.openat(1, dir.fd(), name, flags | O_CLOEXEC, mode));
    return complete();
  };
  expect_filter(wire::op::openat, if_word(wire::bpf_open_flags + low, O_RDONLY, O_ACCMODE),
                wire::bpf_open_pdu);
  new_descriptor(openat("file", O_RDONLY, 0), done(0), S_IFREG);
  EXPECT_EQ(openat("file", O_WRONLY, 0), denied);
  expect_filter(wire::op::openat, if_word(wire::bpf_open_mode + low, 0600), wire::bpf_open_pdu);
  EXPECT_EQ(openat("new", O_RDWR | O_CREAT, 0644), denied);
  EXPECT_FALSE(dir.has("new"));
  new_descriptor(openat("new", O_RDWR | O_CREAT, 0600), done(0), S_IFREG);

  open_how how{.flags = O_RDONLY | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_BENEATH};
  const auto openat2 = [&] {
    must(ring.openat2(1, dir.fd(), "file", &how, sizeof how));
    return complete();
  };
  expect_filter(wire::op::openat2, if_word(wire::bpf_open_resolve + low, RESOLVE_BENEATH),
                wire::bpf_open_pdu);
  new_descriptor(openat2(), done(0), S_IFREG);
  how.resolve = 0;
  EXPECT_EQ(openat2(), denied);
}

// 7.2. Before, CONNECT has no size but 0.
TEST_F(BpfFilterAtItsContext, SeesWhereASocketConnects) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  constexpr std::uint8_t size = wire::bpf_connect_pdu;
  if (!kernel_has(wire::four_queries)) {
    EXPECT_EQ(filter(wire::op::connect, allow, size), EMSGSIZE);
    expect_filter(wire::op::connect, allow, 0);
    return;
  }
  const Fd listener = tcp_listener();
  EXPECT_EQ(fcntl(listener.get(), F_SETFL, O_NONBLOCK), 0);
  sockaddr_in to = loopback(port_of(listener.get()));
  // Leaves no client in the backlog, where the next one would have to wait.
  const auto connect = [&] {
    const Fd client = tcp_socket();
    must(ring.connect(1, client.get(), generic(to), sizeof to));
    const wire::Cqe cqe = complete();
    const Fd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(accepted.get() >= 0, cqe.res == 0);
    return cqe;
  };
  const auto expect_told = [&](std::uint32_t offset, std::uint32_t value) {
    expect_filter(wire::op::connect, if_word(offset, value), size);
    EXPECT_EQ(connect(), done(0)) << offset;
    expect_filter(wire::op::connect, if_word(offset, value + 1), size);
    EXPECT_EQ(connect(), denied) << offset;
  };
  expect_told(8, word(wire::op::connect, 0, size, 0));
  expect_told(wire::bpf_connect_family, AF_INET);
  expect_told(wire::bpf_connect_port,
              std::bit_cast<std::uint32_t>(std::array<std::uint16_t, 2>{to.sin_port, 0}));
  expect_told(wire::bpf_connect_address, to.sin_addr.s_addr);
}

// --- of a task ---------------------------------------------------------------------------------------------

// The rings that a thread opens from now on, and those of its children. A child may add to it, for itself.
TEST_F(BpfFilter, IsForTheRingsOfATask) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  struct Told {
    int filtered, of_child_too;
    std::int32_t older, newer, of_child, of_stricter_child, afterwards;
  };
  const Told told = from_a_child([&] {
    Told all{};
    OpenRing older(8, 0);
    all.filtered = filter_unprivileged_task(wire::op::nop, if_word(low, 1));
    all.older = res_of_nop(older, 2);
    all.newer = res_of_nop_on_a_new_ring(1) != 0 ? 1 : res_of_nop_on_a_new_ring(2);
    const Told child = from_a_child([] {
      Told told{.of_child = res_of_nop_on_a_new_ring(2)};
      told.filtered = filter_task(wire::op::nop, deny);
      told.of_stricter_child = res_of_nop_on_a_new_ring(1);
      return told;
    });
    all.of_child = child.of_child;
    all.of_child_too = child.filtered;
    all.of_stricter_child = child.of_stricter_child;
    all.afterwards = res_of_nop_on_a_new_ring(1);
    return all;
  });
  EXPECT_EQ(told.filtered, 0);
  EXPECT_EQ(told.older, 0);
  EXPECT_EQ(told.newer, -EACCES);
  EXPECT_EQ(told.of_child, -EACCES);
  EXPECT_EQ(told.of_child_too, 0);
  EXPECT_EQ(told.of_stricter_child, -EACCES);
  EXPECT_EQ(told.afterwards, 0) << "the child's own is not its parent's";
}

// A ring that comes under the filter of its task may have one more, of its own.
TEST_F(BpfFilter, OfATaskIsJoinedByThatOfARing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  struct Told {
    int filtered, more;
    std::int32_t wrong_for_task, wrong_for_ring, right, of_another_ring;
  };
  const Told told = from_a_child([&] {
    Told all{};
    all.filtered = filter_unprivileged_task(wire::op::nop, if_word(low, 1, 1));
    OpenRing own(8, 0);
    all.more = binding::errno_of(
        own.register_bpf_filter(binding::Op::nop, instructions(if_word(low, 2, 2)), 0, 0).error());
    all.wrong_for_task = res_of_nop(own, 2);
    all.wrong_for_ring = res_of_nop(own, 1);
    all.right = res_of_nop(own, 3);
    all.of_another_ring = res_of_nop_on_a_new_ring(1);
    return all;
  });
  EXPECT_EQ(told.filtered, 0);
  EXPECT_EQ(told.more, 0);
  EXPECT_EQ(told.wrong_for_task, -EACCES);
  EXPECT_EQ(told.wrong_for_ring, -EACCES);
  EXPECT_EQ(told.right, 0);
  EXPECT_EQ(told.of_another_ring, 0);
}

// That of a ring takes no privilege; that of a task does, or the promise to have no more rights than now, as
// its children may.
TEST_F(BpfFilter, OfATaskNeedsAPrivilegeOrAPromise) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_no_promise();
  struct Told {
    int ring, task, promised;
    std::int32_t before, after;
  };
  const Told told = from_a_child([&] {
    Told all{};
    drop_capabilities();
    OpenRing own(8, 0);
    all.ring = binding::errno_of(own.register_bpf_filter(binding::Op::nop, instructions(deny), 0, 0).error());
    all.task = filter_task(wire::op::nop, deny);
    all.before = res_of_nop_on_a_new_ring(1);
    all.promised = filter_unprivileged_task(wire::op::nop, deny);
    all.after = res_of_nop_on_a_new_ring(1);
    return all;
  });
  EXPECT_EQ(told.ring, 0);
  EXPECT_EQ(told.task, EACCES);
  EXPECT_EQ(told.before, 0);
  EXPECT_EQ(told.promised, 0);
  EXPECT_EQ(told.after, -EACCES);
}

// --- refusals ----------------------------------------------------------------------------------------------

class BpfFilterAtRefusals : public BpfFilter {
 protected:
  // By a system call of our own.
  static wire::Bpf request_for(const Program& program, std::uint8_t opcode = wire::op::nop,
                               std::uint8_t pdu_size = 0, std::uint32_t flags = 0) {
    return {.cmd_type = wire::bpf_cmd_filter,
            .filter = {.opcode = opcode,
                       .flags = flags,
                       .filter_len = static_cast<std::uint32_t>(program.size()),
                       .pdu_size = pdu_size,
                       .filter_ptr = wire::address(program.data())}};
  }
  // The kernel writes into it.
  long ask(wire::Bpf& request, unsigned count = 1) {
    return do_register(wire::register_op::bpf_filter, &request, count);
  }
  long ask(const Program& program) {
    wire::Bpf request = request_for(program);
    return ask(request);
  }
  bool kernel_is_strict() {
    wire::Bpf request = request_for(deny, wire::op::socket, 0, wire::bpf_filter_sz_strict);
    return ask(request) == -EMSGSIZE;
  }
};

// A program that knows of more than there is; less is good enough. The kernel says what it has.
TEST_F(BpfFilterAtRefusals, OfASizeThatTheKernelDoesNotHave) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const auto expect_answer = [&](std::uint8_t opcode, std::uint8_t pdu_size, std::uint8_t size, long result) {
    wire::Bpf request = request_for(allow, opcode, pdu_size);
    EXPECT_EQ(ask(request), result) << wire::op_name(opcode) << " of " << int{pdu_size};
    EXPECT_EQ(request.filter.pdu_size, size) << wire::op_name(opcode) << " of " << int{pdu_size};
  };
  for (const auto& [opcode, size] : {std::pair{wire::op::nop, std::uint8_t{0}},
                                     {wire::op::socket, wire::bpf_socket_pdu},
                                     {wire::op::openat, wire::bpf_open_pdu},
                                     {wire::op::openat2, wire::bpf_open_pdu}}) {
    expect_answer(opcode, static_cast<std::uint8_t>(size + 1), size, -EMSGSIZE);
    expect_answer(opcode, 255, size, -EMSGSIZE);
    expect_answer(opcode, size, size, 0);
    if (size != 0) expect_answer(opcode, static_cast<std::uint8_t>(size - 4), size, 0);
  }
  EXPECT_EQ(filter(wire::op::socket, deny, wire::bpf_socket_pdu + 1), EMSGSIZE);
  expect_socket(AF_UNIX, SOCK_STREAM);
}

// With SZ_STRICT less is not good enough: 7.1, and later releases of 7.0. Before, the flag is unknown.
TEST_F(BpfFilterAtRefusals, OfAnotherSizeIfStrict) {
  const auto strict = [&](std::uint8_t pdu_size) {
    return filter(wire::op::socket, deny, pdu_size, wire::bpf_filter_sz_strict);
  };
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  if (!kernel_is_strict()) {
    EXPECT_EQ(strict(wire::bpf_socket_pdu), EINVAL);
    expect_socket(AF_UNIX, SOCK_STREAM);
    return;
  }
  EXPECT_EQ(strict(0), EMSGSIZE);
  EXPECT_EQ(strict(wire::bpf_socket_pdu - 4), EMSGSIZE);
  EXPECT_EQ(strict(wire::bpf_socket_pdu + 4), EMSGSIZE);
  expect_socket(AF_UNIX, SOCK_STREAM);
  EXPECT_EQ(strict(wire::bpf_socket_pdu), 0);
  expect_no_socket(AF_UNIX, SOCK_STREAM);
}

// Programs that read beyond the context or beside its words, never end, or do not return.
TEST_F(BpfFilterAtRefusals, OfProgramsThatAreNotSound) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const sock_filter ret = deny[0];
  EXPECT_EQ(ask(if_word(context_size, 0)), -EINVAL);
  EXPECT_EQ(ask(if_word(context_size - 2, 0)), -EINVAL);
  EXPECT_EQ(ask(if_word(2, 0)), -EINVAL);
  EXPECT_EQ(ask(Program{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), ret}), -EINVAL) << "a byte";
  EXPECT_EQ(ask(Program{BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ret}), -EINVAL) << "an index";
  EXPECT_EQ(ask(Program{BPF_STMT(BPF_LD | BPF_IMM, 1)}), -EINVAL) << "no end";
  EXPECT_EQ(ask(Program{BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0), ret}), -EINVAL) << "a jump out of it";
  EXPECT_EQ(ask(Program{BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ret}), -EINVAL) << "a division by 0";
  EXPECT_EQ(ask(Program(BPF_MAXINSNS + 1, ret)), -EINVAL);
  EXPECT_EQ(ask(Program{}), -EINVAL);
  EXPECT_EQ(filter(wire::op::nop, Program{}), EINVAL);
  EXPECT_EQ(nop(), done(0));
  EXPECT_EQ(ask(Program(BPF_MAXINSNS, ret)), 0);
  EXPECT_EQ(nop(), denied);
}

TEST_F(BpfFilterAtRefusals, OfRequestsThatMeanNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const wire::Bpf good = request_for(deny);
  const auto expect_refused = [&](auto&& change, Site site = Site::here()) {
    wire::Bpf bad = good;
    change(bad);
    EXPECT_EQ_AT(site, ask(bad), -EINVAL);
  };
  expect_refused([](wire::Bpf& bad) { bad.cmd_type = 0; });
  expect_refused([](wire::Bpf& bad) { bad.cmd_type = wire::bpf_cmd_filter + 1; });
  expect_refused([](wire::Bpf& bad) { bad.cmd_flags = 1; });
  expect_refused([](wire::Bpf& bad) { bad.resv = 1; });
  expect_refused([](wire::Bpf& bad) { bad.filter.opcode = wire::op::nobody; });
  expect_refused([](wire::Bpf& bad) { bad.filter.flags = wire::bpf_filter_nobody; });
  for (const std::size_t i : {0u, 1u, 2u}) expect_refused([i](wire::Bpf& bad) { bad.filter.resv[i] = 1; });
  for (const std::size_t i : {0u, 1u, 2u, 3u, 4u})
    expect_refused([i](wire::Bpf& bad) { bad.filter.resv2[i] = 1; });
  wire::Bpf request = good;
  EXPECT_EQ(ask(request, 0), -EINVAL);
  EXPECT_EQ(ask(request, 2), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::bpf_filter, nullptr, 1), -EFAULT);
  request.filter.filter_ptr = 8;
  EXPECT_EQ(ask(request), -EFAULT);
  EXPECT_EQ(nop(), done(0)) << "one of them was accepted";
  request = good;
  EXPECT_EQ(ask(request), 0);
  EXPECT_EQ(nop(), denied);
}

}  // namespace
