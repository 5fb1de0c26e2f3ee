// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// How an object outside the ring refers to it (see BufferGroup): both may move, and either may end first. The
// ring keeps a list of the attachments that refer to it, tells them its new address when it moves, and lets
// go of them when it closes. The list runs through the attachments: nothing is allocated, and nothing is done
// except when one of them is made, moved or ended.
#ifndef URING_ATTACHMENT_H
#define URING_ATTACHMENT_H

#include <utility>

namespace uring::detail {

template <class Ring>
class Attachments;

// A reference to a ring, or to none. Like the ring, it belongs to one thread at a time, and to the ring's.
template <class Ring>
class Attachment {
 public:
  Attachment() noexcept = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment() { detach(); }

  // The ring, where it is now; null if it was closed, or before Attachments::add.
  Ring* ring() const noexcept { return ring_; }

  void detach() noexcept {
    if (ring_ == nullptr) return;
    point_back_at(next_, link_);
    *link_ = next_;
    ring_ = nullptr;
  }

  // Takes the place of `other` in its list. This attachment must refer to no ring.
  void take(Attachment& other) noexcept {
    if (other.ring_ == nullptr) return;
    ring_ = std::exchange(other.ring_, nullptr);
    next_ = other.next_;
    link_ = other.link_;
    point_back_at(next_, &next_);
    *link_ = this;
  }

 private:
  friend class Attachments<Ring>;

  static void point_back_at(Attachment* attachment, Attachment** link) noexcept {
    if (attachment != nullptr) attachment->link_ = link;
  }

  Ring* ring_ = nullptr;
  // The next in the list, and what points here. Unset until there is a ring: that many zeros next to each
  // other in a BufferGroup would be a call of memset (GCC on riscv64 at -Os).
  Attachment* next_;
  Attachment** link_;
};

// The ring's list of them.
template <class Ring>
class Attachments {
 public:
  void add(Attachment<Ring>& attachment, Ring& ring) noexcept {
    attachment.ring_ = &ring;
    attachment.next_ = first_;
    attachment.link_ = &first_;
    Attachment<Ring>::point_back_at(first_, &attachment.next_);
    first_ = &attachment;
  }

  void detach_all() noexcept {
    for (Attachment<Ring>* each = std::exchange(first_, nullptr); each != nullptr; each = each->next_) {
      each->ring_ = nullptr;
    }
  }

  // Takes those of a ring that has moved to `ring`. This list must be empty.
  void take(Attachments& other, Ring& ring) noexcept {
    first_ = std::exchange(other.first_, nullptr);
    Attachment<Ring>::point_back_at(first_, &first_);
    for (Attachment<Ring>* each = first_; each != nullptr; each = each->next_) each->ring_ = &ring;
  }

 private:
  Attachment<Ring>* first_ = nullptr;
};

}  // namespace uring::detail

#endif
