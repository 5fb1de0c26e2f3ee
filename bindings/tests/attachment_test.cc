// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Buffer groups and their ring, when either moves or ends before the other, on a fake kernel. It fails the
// test when a ring that is not open is asked for anything, and when memory is unmapped that is registered.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "played_kernel.h"
#include "trap.h"

namespace {

using uring::Error, uring::RegisterOp, uring::u16;
using Group = uring::BufferGroup<Ring>;
using Groups = std::vector<u16>;

class GroupsOfARing : public RingOnAPlayedKernel {
 protected:
  std::array<std::byte, 64> memory{};

  void SetUp() override { ASSERT_TRUE(ring.init(4).ok()); }

  void open(Group& group, u16 id) { open(group, id, ring); }
  void open(Group& group, u16 id, Ring& on) {
    ASSERT_TRUE(group.init(on, id, memory, 16, uring::Consumption::whole).ok());
  }

  // The groups that the kernel knows, in the order of their ids.
  static Groups registered(const Played& kernel) {
    Groups ids;
    for (const auto& [id, address] : kernel.buf_rings) ids.push_back(id);
    return ids;
  }
  Groups registered() const { return registered(kernel); }

  // Whether a request of the group goes to this ring.
  static void expect_ring(Group& group, Ring& on) {
    const u32 before = on.sq_ready();
    ASSERT_TRUE(group.recv(1, 5, 0).ok());
    EXPECT_EQ(on.sq_ready(), before + 1) << "group " << group.id() << " queued on another ring";
    ASSERT_TRUE(on.submit().ok());
    on.cq_advance(on.cq_ready());
  }
};

TEST_F(GroupsOfARing, FollowItWhenItMoves) {
  Group first, second, third;
  open(first, 1);
  open(second, 2);
  open(third, 3);
  Ring moved = std::move(ring);
  for (Group* group : {&first, &second, &third}) expect_ring(*group, moved);
  second.close();
  EXPECT_EQ(registered(), (Groups{1, 3}));
  ring = std::move(moved);
  for (Group* group : {&first, &third}) expect_ring(*group, ring);
  ring.close();
  EXPECT_EQ(kernel.anonymous.size(), 2u) << "the memory is the group's";
}

TEST_F(GroupsOfARing, MoveToo) {
  Group first, second, third;
  open(first, 1);
  open(second, 2);
  open(third, 3);
  for (Group* from : {&first, &second, &third}) {  // the last, middle and first of the list
    Group moved = std::move(*from);
    Ring at_another_place = std::move(ring);
    expect_ring(moved, at_another_place);
    ring = std::move(at_another_place);
    *from = std::move(moved);
    expect_ring(*from, ring);
  }
  Ring moved = std::move(ring);
  for (Group* group : {&first, &second, &third}) expect_ring(*group, moved);
  third = std::move(first);
  EXPECT_EQ(registered(), (Groups{1, 2})) << "the group assigned to has closed";
  ring = std::move(moved);
  for (Group* group : {&second, &third}) expect_ring(*group, ring);
}

// In each order of three.
// One that has no ring yet has nothing to take along.
TEST_F(GroupsOfARing, MoveBeforeTheyHaveOne) {
  Group none;
  Group moved = std::move(none);
  open(moved, 1);
  expect_ring(moved, ring);
}

TEST_F(GroupsOfARing, EndInAnyOrder) {
  constexpr std::array<std::array<u16, 3>, 6> orders{
      {{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}}};
  for (const auto& order : orders) {
    std::array<Group, 4> groups;
    for (const u16 id : order) open(groups[id], id);
    Groups left{1, 2, 3};
    for (const u16 id : order) {
      groups[id].close();
      std::erase(left, id);
      ASSERT_EQ(registered(), left);
      Ring moved = std::move(ring);
      for (const u16 other : left) expect_ring(groups[other], moved);
      ring = std::move(moved);
    }
  }
  EXPECT_TRUE(kernel.anonymous.empty());
}

TEST_F(GroupsOfARing, HaveNoneWhenItIsClosed) {
  Group first, second;
  open(first, 1);
  open(second, 2);
  kernel.registered.clear();
  ring.close();
  EXPECT_TRUE(kernel.registered.empty()) << "closing ends a registration";
  EXPECT_EQ(kernel.anonymous.size(), 2u);
  EXPECT_EXIT(static_cast<void>(first.recv(1, 5, 0)), trapped, "");
  EXPECT_EXIT(static_cast<void>(second.recv_multishot(1, 5, 0)), trapped, "");
  // What has come is still there.
  const Cqe cqe{.user_data = 1, .res = 5, .flags = 2u << 16 | 1};
  EXPECT_EQ(first.get(cqe).value().data(), memory.data() + 32);
  EXPECT_TRUE(first.put(cqe).ok());
  Group moved = std::move(first);
  EXPECT_EQ(moved.get(cqe).value().data(), memory.data() + 32);
  EXPECT_EXIT(static_cast<void>(moved.recv(1, 5, 0)), trapped, "");
  EXPECT_EXIT(open(moved, 3), trapped, "") << "it must be closed before";
  moved.close();
  second.close();
  EXPECT_TRUE(kernel.anonymous.empty());
  EXPECT_TRUE(kernel.registered.empty());
}

TEST_F(GroupsOfARing, OutliveIt) {
  Group group;
  {
    const auto short_lived = std::make_unique<Ring>(std::move(ring));
    open(group, 1, *short_lived);
  }
  EXPECT_EQ(kernel.open, 0);
  EXPECT_EQ(kernel.anonymous.size(), 1u);
  Group moved = std::move(group);
  moved.close();
  EXPECT_TRUE(kernel.anonymous.empty());
}

// A group of before is not mistaken for one of the same id.
TEST_F(GroupsOfARing, DoNotComeBackWhenItIsOpenedAgain) {
  Group before, now;
  open(before, 1);
  ring.close();
  ASSERT_TRUE(ring.init(4).ok());
  open(now, 1);
  before.close();
  EXPECT_EQ(registered(), (Groups{1}));
  expect_ring(now, ring);
  open(before, 2);
  expect_ring(before, ring);
}

TEST_F(GroupsOfARing, AreThoseOfTheRingThatIsAssigned) {
  Played other_kernel;
  Ring other{PlayedKernel{&other_kernel}};
  ASSERT_TRUE(other.init(4).ok());
  Group ours, theirs;
  open(ours, 1);
  open(theirs, 1, other);
  other = std::move(ring);
  EXPECT_EQ(other_kernel.open, 0);
  expect_ring(ours, other);
  EXPECT_EXIT(static_cast<void>(theirs.recv(1, 5, 0)), trapped, "");
  theirs.close();
  EXPECT_TRUE(other_kernel.anonymous.empty()) << "unmapped by the kernel that mapped it";
  EXPECT_EQ(registered(), (Groups{1}));
  other.close();
}

// Each with its kernel, which a test can tell apart.
TEST_F(GroupsOfARing, AssignedFromAnotherRingGoToThatOne) {
  Played other_kernel;
  Ring other{PlayedKernel{&other_kernel}};
  ASSERT_TRUE(other.init(4).ok());
  Group group, theirs;
  open(group, 1);
  open(theirs, 2, other);
  group = std::move(theirs);
  EXPECT_TRUE(registered().empty());
  EXPECT_TRUE(kernel.anonymous.empty());
  expect_ring(group, other);
  other.close();
  group.close();
  EXPECT_TRUE(other_kernel.anonymous.empty());
}

TEST_F(GroupsOfARing, HaveNoneWhenAResizeLosesIt) {
  ring.close();
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  Group group;
  open(group, 1);
  kernel.on_register = [this](RegisterOp, void* arg, u32) -> long {
    kernel.shrink(*static_cast<uring::Params*>(arg));
    kernel.ring_map_error = ENOMEM;
    return 0;
  };
  ASSERT_EQ(ring.resize(2, 4), Error::nomem);
  EXPECT_EXIT(static_cast<void>(group.recv(1, 5, 0)), trapped, "");
  group.close();
  EXPECT_TRUE(kernel.anonymous.empty());
}

// One that was never made leaves nothing in the ring's list.
TEST_F(GroupsOfARing, ThatWereRefusedAreForgotten) {
  Group kept;
  open(kept, 1);
  {
    Group refused;
    kernel.on_register = [](RegisterOp, void*, u32) -> long { return -EEXIST; };
    ASSERT_EQ(refused.init(ring, 1, memory, 16), Error::exist);
    kernel.on_register = nullptr;
    EXPECT_EXIT(static_cast<void>(refused.recv(1, 5, 0)), trapped, "");
  }
  Ring moved = std::move(ring);
  expect_ring(kept, moved);
  ring = std::move(moved);
}

using Attachment = uring::detail::Attachment<Ring>;

// In each order of three: those in the list know where the ring is, and the others know of none.
TEST_F(GroupsOfARing, AttachmentsLeaveTheListInAnyOrder) {
  std::array<std::size_t, 3> order{0, 1, 2};
  do {
    std::array<Attachment, 3> attachments;
    std::array<bool, 3> attached{true, true, true};
    for (Attachment& each : attachments) ring.attach(each);
    for (const std::size_t leaving : order) {
      attachments[leaving].detach();
      attached[leaving] = false;
      Ring moved = std::move(ring);
      for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(attachments[i].ring(), attached[i] ? &moved : nullptr);
      ring = std::move(moved);
      for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(attachments[i].ring(), attached[i] ? &ring : nullptr);
    }
  } while (std::ranges::next_permutation(order).found);
}

// Each of three goes to another place, and then the one after it leaves.
TEST_F(GroupsOfARing, AttachmentsKeepTheirPlaceInTheListWhenTheyMove) {
  for (std::size_t moving = 0; moving < 3; ++moving) {
    for (std::size_t leaving = 0; leaving < 3; ++leaving) {
      std::array<Attachment, 3> attachments;
      for (Attachment& each : attachments) ring.attach(each);
      Attachment elsewhere;
      elsewhere.take(attachments[moving]);
      if (leaving != moving) attachments[leaving].detach();
      Ring moved = std::move(ring);
      EXPECT_EQ(elsewhere.ring(), &moved);
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(attachments[i].ring(), i == moving || i == leaving ? nullptr : &moved);
      }
      ring = std::move(moved);
    }
  }
}

// A ring that was moved away has none.
TEST_F(GroupsOfARing, AttachmentsAreInOneListOnly) {
  Attachment before, after;
  ring.attach(before);
  Ring moved = std::move(ring);
  ring.attach(after);
  before.detach();
  Ring third = std::move(moved);
  EXPECT_EQ(before.ring(), nullptr);
  EXPECT_EQ(after.ring(), &ring);
}

// The ring does not touch the memory of one that has ended.
TEST_F(GroupsOfARing, AnAttachmentThatEndsLeavesTheList) {
  alignas(Attachment) std::array<std::byte, sizeof(Attachment)> place;
  auto* const attachment = new (place.data()) Attachment;
  ring.attach(*attachment);
  EXPECT_EQ(attachment->ring(), &ring);
  attachment->~Attachment();
  std::ranges::fill(place, std::byte{0});
  Ring moved = std::move(ring);
  EXPECT_TRUE(std::ranges::all_of(place, [](std::byte byte) { return byte == std::byte{0}; }));
}

}  // namespace
