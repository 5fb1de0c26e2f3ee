// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// restrictions of a task: what its rings may do, and those of its children, decided before they are opened
// and for good. So a program confines code that opens its own rings, which a filter of system calls cannot:
// it sees io_uring_enter(2) and not what is asked for.
//
// Needs IORING_REGISTER_RESTRICTIONS without a ring (7.0, include/uapi/linux/io_uring.h: struct
// io_uring_task_restriction). Before, the registration needs a ring, and -1 is none. There is no way back,
// so everything happens in children of the test, which opens its ring anew, without flags.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ostream>
#include <thread>

#include "evidence/environment.h"
#include "fixture/child.h"
#include "fixture/files.h"
#include "fixture/privileges.h"
#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

using Restrictions = std::span<const wire::Restriction>;

constexpr std::array<wire::Restriction, 1> only_nops{
    {{.opcode = wire::restriction_sqe_op, .operand = wire::op::nop}}};
constexpr std::array<wire::Restriction, 1> only_the_probe{
    {{.opcode = wire::restriction_register_op, .operand = wire::register_op::probe}}};
constexpr std::array<wire::Restriction, 4> all_kinds{{
    {.opcode = wire::restriction_sqe_op, .operand = wire::op::nop},
    {.opcode = wire::restriction_sqe_flags_allowed, .operand = wire::io_async},
    {.opcode = wire::restriction_sqe_flags_required, .operand = wire::io_async},
    {.opcode = wire::restriction_register_op, .operand = wire::register_op::probe},
}};

wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }

// What a ring does.
struct Answers {
  wire::Cqe nop = done(0), async_nop = done(0);
  wire::Cqe read = done(4);
  bool has_read = true;
  long probe = 0;
  int unregister = ENXIO;  // buffers that there are not

  friend bool operator==(const Answers&, const Answers&) = default;
};
void PrintTo(const Answers& a, std::ostream* out) {
  *out << "NOP " << wire::to_string(a.nop) << ", with ASYNC " << wire::to_string(a.async_nop) << ", READ "
       << wire::to_string(a.read) << (a.has_read ? ", which has read" : ", which has not read") << ", PROBE "
       << wire::result_text(a.probe) << ", UNREGISTER_BUFFERS " << wire::result_text(-a.unregister);
}
const Answers free_to_do_all{};
const Answers nops_only{.async_nop = done(-EACCES), .read = done(-EACCES), .has_read = false};
const Answers nothing{.nop = done(-EACCES),
                      .async_nop = done(-EACCES),
                      .read = done(-EACCES),
                      .has_read = false,
                      .probe = -EACCES,
                      .unregister = EACCES};

class TaskRestrictions : public RingTest<8> {
 protected:
  Fd zero = open_file("/dev/zero", O_RDONLY);

  void SetUp() override {
    RingTest::SetUp();
    if (!IsSkipped()) reopen(0);
  }

  // For this thread and its children. The errno.
  static int restrict_to(Restrictions restrictions) {
    std::vector<binding::Restriction> theirs;
    for (const wire::Restriction& one : restrictions)
      theirs.push_back(std::bit_cast<binding::Restriction>(one));
    return binding::errno_of(binding::restrict_task(theirs).error());
  }
  static int restrict_unprivileged_to(Restrictions restrictions) {
    promise_no_new_privileges();
    return restrict_to(restrictions);
  }

  Answers ask(binding::Ring& of) const {
    const auto submitted = [&of] {
      must(of.submit());
      binding::Cqe cqe{};
      must(of.copy_cqe(cqe));
      return wire_of(cqe);
    };
    Answers answers;
    must(of.nop(1));
    answers.nop = submitted();
    must(of.nop(1)).flags |= wire::io_async;
    answers.async_nop = submitted();
    std::array<std::byte, 4> buffer{std::byte{1}};
    must(of.read(1, zero.get(), buffer, 0));
    answers.read = submitted();
    answers.has_read = buffer[0] == std::byte{0};
    wire::Probe probe{};
    answers.probe = BareKernel::do_register(of.fd(), wire::register_op::probe, &probe, 256);
    answers.unregister = binding::errno_of(of.unregister_buffers().error());
    return answers;
  }
  Answers ask_a_new_ring() const {
    OpenRing own(8, 0);
    return ask(own);
  }

  static bool kernel_has_it() { return kernel_has(wire::sq_rewind); }
  // -1 is looked up as the descriptor of a ring up to 6.12, and since then such a registration is unknown.
  // Either way it has no effect.
  std::string witness() {
    const auto attempt = [&] {
      return in_a_child([&] {
        const int error = restrict_unprivileged_to(only_nops);
        return ask_a_new_ring() == free_to_do_all ? error : 253;
      });
    };
    if (kernel_has(wire::hybrid_iopoll)) {
      return registration_refused("RESTRICTIONS of a task", attempt, wire::sq_rewind);
    }
    return answered_instead(
        "RESTRICTIONS of a task", -EBADF, [&] { return done(-attempt()); }, [] { return ""; },
        wire::sq_rewind);
  }
};

// The rings that it opens from now on. Those that it has stay what they are.
TEST_F(TaskRestrictions, AllowWhatTheyListOnly) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  struct Told {
    int restricted;
    Answers older, newer, another;
  };
  const Told told = from_a_child([&] {
    OpenRing older(8, 0);
    const int restricted = restrict_unprivileged_to(all_kinds);
    return Told{restricted, ask(older), ask_a_new_ring(), ask_a_new_ring()};
  });
  EXPECT_EQ(told.restricted, 0);
  EXPECT_EQ(told.older, free_to_do_all);
  const Answers only_what_is_listed{.nop = done(-EACCES),  // without the flag that is required
                                    .async_nop = done(0),
                                    .read = done(-EACCES),
                                    .has_read = false,
                                    .unregister = EACCES};
  EXPECT_EQ(told.newer, only_what_is_listed);
  EXPECT_EQ(told.another, only_what_is_listed);
}

// A list of operations says nothing of registrations, and the other way round; an empty one allows nothing.
TEST_F(TaskRestrictions, AreAboutWhatTheyMention) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const auto restricted_to = [&](Restrictions list) {
    return from_a_child([&] {
      if (restrict_unprivileged_to(list) != 0) stop(Site::here(), "refused");
      return ask_a_new_ring();
    });
  };
  EXPECT_EQ(restricted_to(only_nops), nops_only);
  EXPECT_EQ(restricted_to(only_the_probe), (Answers{.unregister = EACCES}));
  EXPECT_EQ(restricted_to({}), nothing);
}

// A child has those of its parent.
TEST_F(TaskRestrictions, AreInherited) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  struct Told {
    int restricted;
    Answers of_grandchild, of_child;
  };
  const Told told = from_a_child([&] {
    const int restricted = restrict_unprivileged_to(only_nops);
    const Answers of_grandchild = from_a_child([&] { return ask_a_new_ring(); });
    return Told{restricted, of_grandchild, ask_a_new_ring()};
  });
  EXPECT_EQ(told.restricted, 0);
  EXPECT_EQ(told.of_grandchild, nops_only);
  EXPECT_EQ(told.of_child, nops_only);
  EXPECT_EQ(ask_a_new_ring(), free_to_do_all) << "its parent";
}

// They are a thread's, and of those that it starts.
TEST_F(TaskRestrictions, AreNotOfOtherThreads) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  struct Told {
    int restricted;
    Answers of_thread, of_its_thread, of_other;
  };
  const Told told = from_a_child([&] {
    Told answers{};
    std::thread([&] {
      answers.restricted = restrict_unprivileged_to(only_nops);
      answers.of_thread = ask_a_new_ring();
      std::thread([&] { answers.of_its_thread = ask_a_new_ring(); }).join();
    }).join();
    answers.of_other = ask_a_new_ring();
    return answers;
  });
  EXPECT_EQ(told.restricted, 0);
  EXPECT_EQ(told.of_thread, nops_only);
  EXPECT_EQ(told.of_its_thread, nops_only);
  EXPECT_EQ(told.of_other, free_to_do_all);
}

// Not even by stricter ones are they replaced, nor by a child.
TEST_F(TaskRestrictions, AreForGood) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  struct Told {
    int restricted, again, stricter, by_child;
    Answers after;
  };
  const Told told = from_a_child([&] {
    const int restricted = restrict_unprivileged_to(only_nops);
    const int again = restrict_to(only_nops), stricter = restrict_to({});
    const int by_child = in_a_child([&] { return restrict_to(only_nops); });
    return Told{restricted, again, stricter, by_child, ask_a_new_ring()};
  });
  EXPECT_EQ(told.restricted, 0);
  EXPECT_EQ(told.again, EPERM);
  EXPECT_EQ(told.stricter, EPERM);
  EXPECT_EQ(told.by_child, EPERM);
  EXPECT_EQ(told.after, nops_only);
}

// Nobody may confine a program that will have more rights than itself: it takes CAP_SYS_ADMIN, or a promise
// never to have more.
TEST_F(TaskRestrictions, NeedAPrivilegeOrAPromise) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_no_promise();
  struct Told {
    int restricted, promised;
    Answers between, after;
  };
  const Told told = from_a_child([&] {
    drop_capabilities();
    const int restricted = restrict_to(only_nops);
    const Answers between = ask_a_new_ring();
    return Told{restricted, restrict_unprivileged_to(only_nops), between, ask_a_new_ring()};
  });
  EXPECT_EQ(told.restricted, EACCES);
  EXPECT_EQ(told.between, free_to_do_all);
  EXPECT_EQ(told.promised, 0);
  EXPECT_EQ(told.after, nops_only);
}

TEST_F(TaskRestrictions, NeedNoPromiseOfRoot) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  if (geteuid() != 0) stop_blocked({"privilege", "CAP_SYS_ADMIN is needed: run it as root."});
  EXPECT_EQ(in_a_child([&] { return restrict_to(only_nops); }), 0);
}

TEST_F(TaskRestrictions, AreRefusedOtherwise) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  struct Request {
    wire::TaskRestriction head{.nr_res = 1};
    wire::Restriction list = only_nops[0];
  };
  static const Request good{};
  std::array<Request, 7> bad{};
  bad[0].head.flags = 1;
  for (const std::size_t word : {0u, 1u, 2u}) bad[1 + word].head.resv[word] = 1;
  bad[4].head.nr_res = 1000;  // more than there are operations and registrations
  bad[5].list.opcode = 1000;
  bad[6].list.operand = wire::op::nobody;
  struct Told {
    std::array<long, 7> bad;
    long none, two, nowhere, good;
    Answers before, after;
  };
  const Told told = from_a_child([&] {
    const auto ask_for = [](const void* request, unsigned count) {
      return BareKernel::do_register(-1, wire::register_op::restrictions, request, count);
    };
    Told answers{};
    promise_no_new_privileges();
    for (std::size_t i = 0; i < bad.size(); ++i) answers.bad[i] = ask_for(&bad[i], 1);
    answers.none = ask_for(&good, 0);
    answers.two = ask_for(&good, 2);
    answers.nowhere = ask_for(nullptr, 1);
    answers.before = ask_a_new_ring();
    answers.good = ask_for(&good, 1);
    answers.after = ask_a_new_ring();
    return answers;
  });
  std::array<long, 7> all_refused;
  all_refused.fill(-EINVAL);
  EXPECT_EQ(told.bad, all_refused);
  EXPECT_EQ(told.none, -EINVAL);
  EXPECT_EQ(told.two, -EINVAL);
  EXPECT_EQ(told.nowhere, -EFAULT);
  EXPECT_EQ(told.before, free_to_do_all);
  EXPECT_EQ(told.good, 0);
  EXPECT_EQ(told.after, nops_only);
}

}  // namespace
