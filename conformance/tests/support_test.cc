// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// The support layer's own tests: what failures say, when a refusal is a witness, what counts as blocked or
// leaked.
#include <fcntl.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "binding.h"
#include "evidence/environment.h"
#include "evidence/hygiene.h"
#include "evidence/observation.h"
#include "fixture/files.h"
#include "fixture/ring_test.h"
#include "fixture/sockets.h"
#include "fixture/workers.h"
#include "seam/wire.h"

namespace {

using namespace conformance;
using testing::PrintToString;

// --- what failures say ------------------------------------------------------------------------------------

TEST(FailureText, NamesTheFieldsOfAnSqeThatAreNotZero) {
  EXPECT_EQ(PrintToString(wire::Sqe{.user_data = 0xaaaaaaaa}), "Sqe{.opcode=NOP, .user_data=0xaaaaaaaa}");
  EXPECT_EQ(PrintToString(wire::Sqe{.opcode = 18,
                                    .flags = 4,
                                    .ioprio = 1,
                                    .fd = -100,
                                    .off = 2,
                                    .addr = 0x30,
                                    .len = 0x1b6,
                                    .op_flags = 5,
                                    .user_data = 6,
                                    .buf_index = 7,
                                    .personality = 8,
                                    .file_index = 9,
                                    .addr3 = 10,
                                    .pad2 = 11}),
            "Sqe{.opcode=OPENAT, .flags=0x4, .ioprio=0x1, .fd=-100, .off=0x2, .addr=0x30, .len=0x1b6, "
            ".op_flags=0x5, "
            ".user_data=0x6, .buf_index=0x7, .personality=0x8, .file_index=0x9, .addr3=0xa, .pad2=0xb}");
  EXPECT_EQ(PrintToString(wire::Sqe{.opcode = 200}), "Sqe{.opcode=opcode 200, .user_data=0}");
}

TEST(FailureText, ShowsEveryFieldOfACqeAndNamesTheErrno) {
  EXPECT_EQ(PrintToString(wire::Cqe{.user_data = 0xcccccccc, .res = -22, .flags = 0}),
            "Cqe{.user_data=0xcccccccc, .res=-22 EINVAL, .flags=0}");
  EXPECT_EQ(PrintToString(wire::Cqe{.user_data = 0, .res = 128, .flags = 4}),
            "Cqe{.user_data=0, .res=128, .flags=0x4}");
}

TEST(FailureText, ShowsResultsAsNumbersOrErrnos) {
  EXPECT_EQ(PrintToString(binding::Result<std::uint32_t>(3u)), "3");
  EXPECT_EQ(PrintToString(binding::Result<std::uint32_t>(binding::Error::busy)), "error -16 EBUSY");
  EXPECT_EQ(PrintToString(binding::Error::entries_zero), "error entries_zero of the binding (4096)");
  EXPECT_EQ(PrintToString(binding::Result<void>()), "success");
  EXPECT_EQ(PrintToString(binding::Indices{1, 2, 3, 4}),
            "Indices{.sqe_head=1, .sqe_tail=2, .sq_tail=3, .cq_head=4}");
}

// --- when a refusal is a witness ---------------------------------------------------------------------------

// What a 5.10 kernel answers to MKDIRAT.
Refusal good() {
  return {.what = "MKDIRAT",
          .res = -EINVAL,
          .again = -EINVAL,
          .nobody = -EINVAL,
          .probed = "MKDIRAT",
          .probe = false};
}

TEST(Witness, ARefusalInTheDocumentedShapeHasNoObjections) {
  EXPECT_EQ(objections(good()), std::vector<std::string>{});
  EXPECT_EQ(
      describe(good()),
      "MKDIRAT refused: -22 EINVAL, again -22 EINVAL, an opcode no kernel has -22 EINVAL, NOP before 0, NOP "
      "after 0, the probe lacks MKDIRAT, nothing happened");
}

TEST(Witness, WithoutAProbeTheRestMustDo) {
  Refusal refusal = good();
  refusal.probe = std::nullopt;
  EXPECT_EQ(objections(refusal), std::vector<std::string>{});
}

TEST(Witness, OnlyBefore5_5MayTheDescriptorBeRefusedFirst) {
  Refusal refusal = good();
  refusal.res = refusal.again = refusal.nobody = -EBADF;
  EXPECT_EQ(objections(refusal).size(), 1u);
  refusal.before_5_5 = true;
  EXPECT_EQ(objections(refusal).size(), 0u);
}

// Kernels before 5.15 do not read file_index: a request that is carried out without it is as absent as a
// refused one.
TEST(Witness, AModifierInAFieldThatNobodyReadsMayBeIgnored) {
  Refusal refusal = good();
  refusal.what = "ACCEPT with a direct slot";
  refusal.res = 5;
  refusal.again = 6;
  EXPECT_EQ(objections(refusal).size(), 3u);
  refusal.may_be_ignored = true;
  EXPECT_EQ(objections(refusal), std::vector<std::string>{});
  refusal.happened = "slot 0 is taken";
  EXPECT_EQ(objections(refusal).size(), 1u);
}

// A kernel that has URING_CMD hands a command to the file, and that says EOPNOTSUPP to one it does not know.
TEST(Witness, WhatOnlySomeRequestsSupportMayBeRefusedAsUnsupported) {
  Refusal refusal = good();
  refusal.res = refusal.again = refusal.nobody = -EOPNOTSUPP;
  EXPECT_EQ(objections(refusal).size(), 1u);
  refusal.may_be_unsupported = true;
  EXPECT_EQ(objections(refusal), std::vector<std::string>{});
  refusal.nobody = -EINVAL;
  EXPECT_EQ(objections(refusal).size(), 1u);
}

// What an older kernel does instead is documented, and only that is accepted.
TEST(Witness, AnAnswerInsteadOfARefusalIsTheDocumentedOne) {
  Refusal refusal = good();
  refusal.what = "READ of a file that a link opens";
  refusal.res = refusal.again = -EBADF;
  EXPECT_EQ(objections(refusal).size(), 2u);
  refusal.instead = -EBADF;
  EXPECT_EQ(objections(refusal), std::vector<std::string>{});
  refusal.instead = -ECANCELED;
  EXPECT_EQ(objections(refusal).front(),
            "READ of a file that a link opens completed with -9 EBADF; a kernel without it answers -125 "
            "ECANCELED");
}

// Each piece of evidence, spoiled alone, is objected to, and by its name.
TEST(Witness, EachPieceOfEvidenceCounts) {
  const auto objection = [](auto&& spoil) {
    Refusal refusal = good();
    spoil(refusal);
    const std::vector<std::string> found = objections(refusal);
    return found.empty() ? "" : found.front();
  };
  using R = Refusal&;
  EXPECT_EQ(objection([](R r) { r.nop_before = -EINVAL; }),
            "a NOP before it completed with -22 EINVAL: this ring does not work, so a refusal says nothing "
            "about MKDIRAT");
  EXPECT_EQ(objection([](R r) { r.nop_after = -EINVAL; }),
            "a NOP after it completed with -22 EINVAL: the ring broke");
  EXPECT_EQ(objection([](R r) { r.res = r.again = 0; }), "MKDIRAT was not refused: it completed with 0");
  EXPECT_EQ(objection([](R r) { r.again = -EEXIST; }),
            "the same request completed with -22 EINVAL and then with -17 EEXIST");
  EXPECT_EQ(objection([](R r) { r.nobody = 0; }),
            "an opcode that no kernel has completed with 0 and not like MKDIRAT with -22 EINVAL");
  EXPECT_EQ(objection([](R r) { r.res = r.again = r.nobody = -EOPNOTSUPP; }),
            "what a kernel does not know it refuses with EINVAL, not with -95 EOPNOTSUPP");
  EXPECT_EQ(objection([](R r) { r.probe = true; }), "this kernel says that it has MKDIRAT, so also MKDIRAT");
  EXPECT_EQ(objection([](R r) { r.cqe_flags = 2; }), "the refusal came with CQE flags 2, want 0");
  EXPECT_EQ(objection([](R r) { r.user_data_came_back = false; }),
            "a CQE did not bring back the user_data of its SQE");
  EXPECT_EQ(objection([](R r) { r.extra_cqes = 1; }), "1 CQEs too many");
  EXPECT_EQ(objection([](R r) { r.happened = "the directory exists"; }),
            "it was refused and happened all the same: the directory exists");
}

// --- what counts as blocked
// ------------------------------------------------------------------------------------

TEST(WhyBlocked, AnErrorNeedsAWitnessInTheEnvironment) {
  const Environment plain{.io_uring_disabled = 0, .seccomp = false, .memlock_kib = std::nullopt};
  for (const int error : {EPERM, ENOMEM, EINVAL, EMFILE, EFAULT}) {
    EXPECT_FALSE(why_blocked(error, plain).has_value()) << strerrorname_np(error);
  }
}

TEST(WhyBlocked, NamesTheCause) {
  const auto cause = [](int error, Environment environment) {
    const auto blocked = why_blocked(error, environment);
    return blocked ? blocked->cause : "nothing";
  };
  EXPECT_EQ(cause(EPERM, {.io_uring_disabled = 2, .seccomp = false, .memlock_kib = {}}), "sysctl");
  EXPECT_EQ(cause(EPERM, {.io_uring_disabled = 1, .seccomp = true, .memlock_kib = {}}), "sysctl");
  EXPECT_EQ(cause(EPERM, {.io_uring_disabled = {}, .seccomp = true, .memlock_kib = {}}), "seccomp");
  EXPECT_EQ(cause(ENOSYS, {.io_uring_disabled = {}, .seccomp = true, .memlock_kib = {}}), "seccomp");
  EXPECT_EQ(cause(EACCES, {.lsm = "selinux"}), "lsm");
  EXPECT_EQ(cause(ENOSYS, {.io_uring_disabled = {}, .seccomp = false, .memlock_kib = {}}), "kconfig");
  EXPECT_EQ(cause(ENOMEM, {.io_uring_disabled = {}, .seccomp = false, .memlock_kib = 64}), "rlimit");
  EXPECT_EQ(cause(EINVAL, {.io_uring_disabled = 2, .seccomp = true, .memlock_kib = 64}), "nothing");
  EXPECT_NE(why_blocked(EPERM, {.io_uring_disabled = 2, .seccomp = false, .memlock_kib = {}})
                ->text.find("`sysctl kernel.io_uring_disabled=0` allows it"),
            std::string::npos);
}

// After the ring is open: what was denied, what we are told when we ask for the same, and who is to blame.
TEST(WhyDenied, NeedsTheSameDenialOfACallOfOurOwn) {
  static int answer = 0;
  static const Witnesses ask{.enter = [] { return answer; },
                             .do_register = [] { return answer; },
                             .lock_memory = [](std::size_t) { return answer; }};
  const Environment plain{};
  const Environment limited{.memlock_kib = 8192}, scarce{.memlock_kib = 64};
  const Environment filtered{.seccomp = true}, labelled{.lsm = "selinux"};
  const auto cause = [](Denial::Call call, int error, int own_error, const Environment& environment) {
    answer = own_error;
    const auto blocked = why_denied({.call = call, .error = error, .bytes = 4096}, environment, ask);
    return blocked ? blocked->cause : "nothing";
  };
  using enum Denial::Call;
  for (const auto call : {do_register, request, enter}) {
    EXPECT_EQ(cause(call, ENOMEM, ENOMEM, limited), "rlimit");
    EXPECT_EQ(cause(call, ENOMEM, 0, limited), "nothing")
        << "we may lock as much: it asked for the wrong thing";
    EXPECT_EQ(cause(call, ENOMEM, 0, scarce), "rlimit") << "there may be room again by now";
    EXPECT_EQ(cause(call, ENOMEM, ENOMEM, plain), "nothing") << "there is no limit, or we are above it";
  }
  EXPECT_EQ(cause(setup, ENOMEM, 0, scarce), "rlimit");
  EXPECT_EQ(cause(setup, ENOMEM, ENOMEM, limited), "nothing")
      << "of the fixture's ring, why_no_ring() says it";
  EXPECT_EQ(cause(setup, EINVAL, 0, scarce), "nothing");
  for (const auto call : {do_register, enter}) {
    EXPECT_EQ(cause(call, EPERM, EPERM, filtered), "seccomp");
    EXPECT_EQ(cause(call, EPERM, EBADF, filtered), "nothing") << "the filter lets the call through";
    EXPECT_EQ(cause(call, EACCES, EACCES, labelled), "lsm");
    EXPECT_EQ(cause(call, EPERM, EPERM, plain), "nothing");
  }
  const Denial wild{.call = do_register, .error = ENOMEM, .bytes = std::size_t{1} << 31};
  answer = ENOMEM;
  EXPECT_FALSE(why_denied(wild, limited, ask).has_value()) << "no row locks 2 GiB";
  EXPECT_FALSE(why_denied(wild, scarce, ask).has_value()) << "nor there";
}

// Here nothing forbids anything, and the witnesses say so.
TEST(WhyDenied, OurOwnCallsAreNotDenied) {
  EXPECT_EQ(bare_witnesses.enter(), EBADF);
  EXPECT_EQ(bare_witnesses.do_register(), EBADF);
  EXPECT_EQ(bare_witnesses.lock_memory(4096), 0);
}

// The kernel opens a ring when we ask it, so the errno that the binding comes back with is its own making,
// and no environment excuses it.
TEST(WhyNoRing, OnlyOurOwnCallBlamesTheEnvironment) {
  const Environment hostile{.io_uring_disabled = 2, .seccomp = true, .memlock_kib = 64};
  const auto verdict = [&](int bare_error, const std::string& binding_error) {
    const auto why = why_no_ring(4, bare_error, binding_error, hostile);
    const auto* blocked = std::get_if<Blocked>(&why);
    return blocked != nullptr ? "blocked by " + blocked->cause : std::get<std::string>(why);
  };
  EXPECT_EQ(verdict(0, "error -38 ENOSYS"),
            "the kernel opens a ring of 4, the binding cannot: error -38 ENOSYS");
  EXPECT_EQ(verdict(EPERM, "error -22 EINVAL"), "blocked by sysctl");
  EXPECT_EQ(verdict(EINVAL, "error -1 EPERM"),
            "a ring of 4 cannot be opened: the kernel says -22 EINVAL, the binding error -1 EPERM");
}

TEST(WhyNoRing, OurOwnCallReportsWhatTheKernelSays) {
  EXPECT_EQ(bare_setup(0, 0), EINVAL);
  EXPECT_EQ(bare_setup(4, ~0u), EINVAL);
  const Belongings before = look_around();
  EXPECT_EQ(bare_setup(4, 0), 0);
  EXPECT_EQ(leaks(before, look_around()), std::vector<std::string>{});
}

// --- what counts as a leak
// -----------------------------------------------------------------------------------------

TEST(Leaks, NamesWhatIsLeftAndWhatIsGone) {
  const Belongings before{
      .descriptors = {{0, "/dev/null"}, {3, "pipe:[1]"}}, .ring_mappings = 2, .pinned_kib = 4, .children = 0};
  EXPECT_EQ(leaks(before, before), std::vector<std::string>{});
  Belongings after = before;
  after.descriptors = {{0, "/dev/null"}, {4, "anon_inode:[io_uring]"}};
  after.ring_mappings = 4;
  after.anonymous_mappings = 1;
  after.pinned_kib = 8;
  after.children = 1;
  EXPECT_EQ(leaks(before, after),
            (std::vector<std::string>{
                "descriptor 4 (anon_inode:[io_uring]) is still open", "descriptor 3 (pipe:[1]) was closed",
                "2 mappings of a ring are still there", "1 mappings of a buffer ring are still there",
                "4 KiB are still pinned", "a child process was not waited for"}));
}

// The same number, but something else: one was closed that had to stay, another stays.
TEST(Leaks, NamesWhatStandsInThePlaceOfAnother) {
  const Belongings before{.descriptors = {{3, "socket:[1]"}, {4, "socket:[2]"}}};
  const Belongings after{.descriptors = {{3, "socket:[1]"}, {4, "socket:[3]"}}};
  EXPECT_EQ(leaks(before, after),
            (std::vector<std::string>{
                "descriptor 4 (socket:[2]) was closed, and socket:[3] is open in its place"}));
}

TEST(Leaks, LookAroundSeesADescriptor) {
  const Belongings before = look_around();
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  const std::vector<std::string> found = leaks(before, look_around());
  EXPECT_EQ(found, (std::vector<std::string>{"descriptor " + std::to_string(zero.get()) +
                                             " (/dev/zero) is still open"}));
}

// --- files, sockets
// ---------------------------------------------------------------------------------------------

TEST(TempDir, IsThereAndThenGone) {
  std::string path;
  {
    const TempDir dir;
    path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(dir.fd()));
    EXPECT_FALSE(dir.has("x"));
    { const Fd made = dir.create("x", O_RDWR); }
    EXPECT_TRUE(dir.has("x"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Sockets, SayWhatTheyAre) {
  const Fd socket = tcp_socket();
  EXPECT_EQ(port_of(socket.get()), 0);
  EXPECT_FALSE(listens(socket.get()));
  ASSERT_EQ(listen(socket.get(), 1), 0);
  EXPECT_TRUE(listens(socket.get()));
  EXPECT_NE(port_of(socket.get()), 0);
}

// Whatever expect_encoding() finds, the ring is idle afterwards.
class EncodingOfARing : public RingTest<1> {};

TEST_F(EncodingOfARing, IsComparedAndNeverSubmitted) {
  const int nobody = 1 << 20;  // CLOSE would answer EBADF
  const wire::Sqe close{.opcode = wire::op::close, .fd = nobody, .user_data = 7};
  expect_encoding(ring.close(7, nobody), close);
  wire::Sqe another = close;
  another.pad2 = 1;
  EXPECT_NONFATAL_FAILURE(expect_encoding(ring.close(7, nobody), another), ".pad2=0x1");
  EXPECT_EQ(ring.sq_ready(), 0u);
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_EQ(enters(), (std::vector<std::string>(2, "submit=1 wait=0 flags=0 -> 1")));
}

// Before a slot is used, and again after, it holds stale bytes: what a binding does not write shows.
class StaleSlots : public RingTest<2> {};

TEST_F(StaleSlots, AreAllThatTheBindingFinds) {
  const auto stale_bytes = [this] {
    const auto* sqes = reinterpret_cast<const unsigned char*>(wire_log().rings().at(ring.fd()).sqes);
    return std::count(sqes, sqes + 2 * sizeof(wire::Sqe), stale);
  };
  EXPECT_EQ(stale_bytes(), 128);
  for (int i = 0; i < 3; ++i) {
    must(ring.nop(0));
    EXPECT_EQ(stale_bytes(), 64);
    submit(1);
    EXPECT_EQ(stale_bytes(), 128);
    wait_cqe();
  }
}

// A flag that every SQE gets is for the kernel to see, and not in the log.
class AddedSqeFlags : public RingTest<4> {};

TEST_F(AddedSqeFlags, ReachTheKernelAndNotTheLog) {
  wire_log().add_sqe_flags(0x80);  // no kernel has it
  must(ring.nop(1));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
  EXPECT_EQ(wire_log().last_published(), (wire::Sqe{.opcode = wire::op::nop, .user_data = 1}));
  wire_log().add_sqe_flags(0);
  must(ring.nop(2));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
}

// A disabled ring consumes nothing, so its slots can be looked at.
TEST_F(AddedSqeFlags, GiveWorkersNoRequestOfSeveralCompletions) {
  if (!kernel_takes(4, wire::setup_r_disabled)) GTEST_SKIP() << "no disabled rings";
  constexpr std::uint8_t added = wire::io_async | wire::io_drain;
  OpenRing disabled(4, wire::setup_r_disabled);
  must(disabled.accept(1, 0, nullptr, nullptr, 0));
  must(disabled.accept_multishot(2, 0, nullptr, nullptr, 0));
  must(disabled.recv_multishot(3, 0, 1, 0));
  must(disabled.send_bundle(4, 0, 1, 0, 0));
  wire_log().add_sqe_flags(added);
  EXPECT_EQ(disabled.submit(), binding::Error::badfd);
  const auto* sqes = reinterpret_cast<const wire::Sqe*>(wire_log().rings().at(disabled.fd()).sqes);
  EXPECT_EQ(sqes[0].flags, added);
  EXPECT_EQ(sqes[1].flags, wire::io_drain);
  EXPECT_EQ(sqes[2].flags, wire::io_drain | wire::buffer_select);
  EXPECT_EQ(sqes[3].flags, wire::io_drain | wire::buffer_select);
}

// A worker that was given something is busy until it has completed it, or waits itself.
TEST_F(AddedSqeFlags, AreWaitedFor) {
  if (!kernel_has(wire::feature::native_workers)) GTEST_SKIP() << "workers are not threads of this process";
  for (std::uint64_t i = 0; i < 100; ++i) {
    for (int n = 0; n < 4; ++n) must(ring.nop(i)).flags = wire::io_async;
    must(ring.submit());
    wait_until_workers_sleep();
    ASSERT_EQ(ring.cq_ready(), 4u) << i;
    for (int n = 0; n < 4; ++n) wait_cqe();
  }
}

// The wire log shows a round trip as the kernel saw it.
class WireLogOfARing : public RingTest<1> {};

TEST_F(WireLogOfARing, TellsTheStory) {
  must(ring.nop(0xaaaaaaaa));
  must(ring.submit());
  wait_cqe();
  const auto lines = wire_log().lines();
  ASSERT_GE(lines.size(), 4u);
  EXPECT_TRUE(lines[0].starts_with("setup  entries=1 flags=0 -> ")) << lines[0];
  EXPECT_EQ(lines[1], "sqe[0] Sqe{.opcode=NOP, .user_data=0xaaaaaaaa}");
  EXPECT_EQ(lines[2], "enter  submit=1 wait=0 flags=0 -> 1");
  EXPECT_EQ(lines[3], "cqe[0] Cqe{.user_data=0xaaaaaaaa, .res=0, .flags=0}");
  EXPECT_NE(wire_log().ring_states().find("sq head 1 tail 1 flags 0, cq head 1 tail 1 overflow 0"),
            std::string::npos)
      << wire_log().ring_states();
}

}  // namespace
