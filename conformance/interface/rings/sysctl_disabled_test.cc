// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// io_uring switched off: an administrator may forbid new rings, to all but the privileged and a group (1) or
// to everybody (2). Rings that are open work on. Programs meet this in the field, as EPERM of
// io_uring_setup(2).
//
// Needs the settings kernel.io_uring_disabled and kernel.io_uring_group (6.6, io_uring_setup(2)). Before,
// there are no such files, which is the witness. They are settings of the whole kernel: the tests run only
// where nothing else does (--own-machine), as root, and open the ring anew, without flags.

#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include "evidence/environment.h"
#include "fixture/child.h"
#include "fixture/own_machine.h"
#include "fixture/privileges.h"
#include "fixture/ring_test.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

constexpr const char* disabled = "/proc/sys/kernel/io_uring_disabled";
constexpr const char* group = "/proc/sys/kernel/io_uring_group";

// The errno of writing it. Each time the file is opened anew: a second write through one descriptor is
// ignored, without an error.
int write_setting(const char* path, int value, Site site = Site::here()) {
  const Fd file = open_file(path, O_WRONLY, site);
  const std::string text = std::to_string(value);
  return write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
}
int read_setting(const char* path) {
  int value = -99;
  std::ifstream(path) >> value;
  return value;
}

class SysctlDisabled : public RingTest<8> {
 protected:
  static constexpr uid_t user = 1000;
  static constexpr gid_t members = 1000, others = 1001;

  void SetUp() override {
    RingTest::SetUp();
    if (!IsSkipped()) reopen(0);
  }
  // A test that fails, or ends because it is blocked, leaves no setting behind either. Restored by the
  // process that changed it: what may crash happens in children.
  void TearDown() override {
    if (!changed_) return;
    EXPECT_EQ(write_setting(disabled, 0), 0);
    EXPECT_EQ(write_setting(group, -1), 0);
  }
  void need_own_machine() {
    if (!owns_machine()) {
      stop_blocked({"machine",
                    "this changes settings of the whole kernel, and other programs may be running here: only "
                    "a guest of its own is for that (ci/matrix --test sysctl_disabled), which gets "
                    "--own-machine"});
    }
    if (geteuid() != 0) stop_blocked({"privilege", "settings of the kernel are changed: run it as root"});
    changed_ = true;
    EXPECT_EQ(read_setting(disabled), 0);
    EXPECT_EQ(read_setting(group), -1);
  }
  static void set(const char* path, int value, Site site = Site::here()) {
    if (const int error = write_setting(path, value, site); error != 0) {
      errno = error;
      stop_errno(site, "write " + std::string(path));
    }
    EXPECT_EQ_AT(site, read_setting(path), value);
  }

  // The errno of opening a ring, and 0 only if it works: as this process, and in a child as others.
  static int error_of_a_ring() {
    binding::Ring another;
    const auto opened = another.init(8);
    if (!opened.ok()) return binding::errno_of(opened.error());
    must(another.nop(1));
    must(another.submit());
    binding::Cqe cqe{};
    must(another.copy_cqe(cqe));
    return wire_of(cqe) == done(1) ? 0 : 253;
  }
  static int error_without_capabilities() {
    return in_a_child([] {
      drop_capabilities();
      return error_of_a_ring();
    });
  }
  static int error_as_user(gid_t gid, const std::vector<gid_t>& more = {}) {
    return in_a_child([&] {
      if (setgroups(more.size(), more.data()) != 0) stop_errno(Site::here(), "setgroups");
      if (setresgid(gid, gid, gid) != 0) stop_errno(Site::here(), "setresgid");
      if (setresuid(user, user, user) != 0) stop_errno(Site::here(), "setresuid");
      return error_of_a_ring();
    });
  }

  static wire::Cqe done(std::uint64_t user_data) { return {.user_data = user_data, .res = 0, .flags = 0}; }
  // The ring of the test, which was opened before.
  void expect_ring_works(Site site = Site::here()) {
    must(ring.nop(7), site);
    EXPECT_EQ_AT(site, complete(site), done(7));
    wire::Probe probe{};
    EXPECT_EQ_AT(site, do_register(wire::register_op::probe, &probe, 256), 0);
  }

  static bool kernel_has_it() { return kernel_has(wire::no_sqarray); }
  std::string witness() {
    const auto look = [] {
      const Fd file(open(disabled, O_RDONLY | O_CLOEXEC));
      return wire::Cqe{.user_data = 1, .res = file.get() < 0 ? -errno : 0, .flags = 0};
    };
    return answered_instead(
        disabled, -ENOENT, look, [] { return access(group, F_OK) == 0 ? group : ""; }, wire::no_sqarray);
  }

 private:
  bool changed_ = false;
};

TEST_F(SysctlDisabled, AsOneAllowsThePrivileged) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_own_machine();
  EXPECT_EQ(error_as_user(members), 0);
  set(disabled, 1);
  EXPECT_EQ(error_of_a_ring(), 0);
  EXPECT_EQ(error_without_capabilities(), EPERM);
  EXPECT_EQ(error_as_user(members), EPERM);
  EXPECT_EQ(error_as_user(0), EPERM);
  expect_ring_works();
  set(disabled, 0);
  EXPECT_EQ(error_without_capabilities(), 0);
  EXPECT_EQ(error_as_user(members), 0);
}

// And the members of a group, be it their first or one more.
TEST_F(SysctlDisabled, AsOneAllowsAGroup) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_own_machine();
  set(group, members);
  EXPECT_EQ(error_as_user(others), 0) << "it means nothing while rings are allowed";
  set(disabled, 1);
  EXPECT_EQ(error_as_user(members), 0);
  EXPECT_EQ(error_as_user(others, {members}), 0);
  EXPECT_EQ(error_as_user(others), EPERM);
  EXPECT_EQ(error_of_a_ring(), 0);
  set(group, -1);
  EXPECT_EQ(error_as_user(members), EPERM);
}

TEST_F(SysctlDisabled, AsTwoAllowsNobody) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_own_machine();
  set(group, members);
  set(disabled, 2);
  EXPECT_EQ(error_of_a_ring(), EPERM);
  EXPECT_EQ(error_without_capabilities(), EPERM);
  EXPECT_EQ(error_as_user(members), EPERM);
  expect_ring_works();
  set(disabled, 0);
  EXPECT_EQ(error_of_a_ring(), 0);
  EXPECT_EQ(error_as_user(others), 0);
}

// It is not for children either to open one; the ring of their parent works for them.
TEST_F(SysctlDisabled, LeavesAChildTheRingOfItsParent) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_own_machine();
  set(disabled, 2);
  const int outcome = in_a_child([&] {
    if (error_of_a_ring() != EPERM) return 1;
    expect_ring_works();
    return HasFailure() ? 2 : 0;
  });
  EXPECT_EQ(outcome, 0) << "1: it opened one; 2: that of its parent does not work";
}

// The order of checks: a ring that would be refused anyhow is refused for want of a permission.
TEST_F(SysctlDisabled, IsAskedFirst) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_own_machine();
  set(disabled, 2);
  EXPECT_EQ(bare_setup(8, wire::setup_nobody), EPERM);
  EXPECT_EQ(bare_setup(0, 0), EPERM);
  set(disabled, 0);
  EXPECT_EQ(bare_setup(8, wire::setup_nobody), EINVAL);
  EXPECT_EQ(bare_setup(0, 0), EINVAL);
}

TEST_F(SysctlDisabled, HasThreeValues) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_own_machine();
  for (const int value : {-1, 3}) EXPECT_EQ(write_setting(disabled, value), EINVAL) << value;
  EXPECT_EQ(read_setting(disabled), 0);
  EXPECT_EQ(error_as_user(members), 0);
  // Whom it is about may not change it.
  EXPECT_EQ(in_a_child([&] {
              if (setresuid(user, user, user) != 0) return 1;
              return open(disabled, O_WRONLY | O_CLOEXEC) < 0 ? errno : 0;
            }),
            EACCES);
}

}  // namespace
