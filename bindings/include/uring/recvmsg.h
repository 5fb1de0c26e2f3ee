// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Reading what a multishot recvmsg (Ring::recvmsg_multishot) put into a buffer of a group: a header, then
// room for the sender's address, room for control data, and the message.
//
//   uring::ReceivedMessage message;
//   const std::span<std::byte> bytes = group.get(cqe).value();
//   if (auto parsed = message.parse(bytes, request.msg_namelen, request.msg_controllen); !parsed) ...
//   use(message.payload(), message.name());
#ifndef URING_RECVMSG_H
#define URING_RECVMSG_H

#include <cstddef>
#include <span>

#include "abi.h"
#include "prep_rw.h"
#include "result.h"

namespace uring {

/// A view of one message: valid as long as the buffer, until it is put back.
class ReceivedMessage {
 public:
  /// Looks at the bytes of one CQE (BufferGroup::get). The other two are msg_namelen and msg_controllen of
  /// the msghdr that the request was queued with: so much room the kernel left for each. message_too_short:
  /// the bytes do not even hold the header and both rooms, so these are not the numbers of the request.
  Result<void> parse(std::span<std::byte> bytes, u64 name_room, u64 control_room) noexcept {
    u64 left = bytes.size();
    for (const u64 part : {u64{sizeof(RecvmsgOut)}, name_room, control_room}) {
      if (left < part) return Error::message_too_short;
      left -= part;
    }
    const std::byte* const words = bytes.data();
    bytes_ = bytes;
    payload_ = bytes.size() - left;
    control_ = payload_ - control_room;
    name_size_ = at_most(word(words, offsetof(RecvmsgOut, namelen)), name_room);
    control_size_ = at_most(word(words, offsetof(RecvmsgOut, controllen)), control_room);
    payload_size_ = word(words, offsetof(RecvmsgOut, payloadlen));
    flags_ = word(words, offsetof(RecvmsgOut, flags));
    return {};
  }

  /// The sender's address, a sockaddr; cut off if it needs more than the room there was.
  std::span<std::byte> name() const noexcept { return bytes_.subspan(sizeof(RecvmsgOut), name_size_); }

  /// The control data, cmsghdrs.
  std::span<std::byte> control() const noexcept { return bytes_.subspan(control_, control_size_); }

  /// The message, as far as the buffer had room for it.
  std::span<std::byte> payload() const noexcept { return bytes_.subspan(payload_); }

  /// How long the message was, in bytes: more than payload().size() if flags() has MSG_TRUNC.
  u32 payload_size() const noexcept { return payload_size_; }

  /// MSG_* as recvmsg(2) returns them: MSG_TRUNC, MSG_CTRUNC and so on.
  u32 flags() const noexcept { return flags_; }

 private:
  static u64 at_most(u64 size, u64 room) noexcept { return size < room ? size : room; }

  // A buffer need not be aligned for words.
  static u32 word(const std::byte* bytes, std::size_t offset) noexcept {
    using Word [[gnu::may_alias, gnu::aligned(1)]] = u32;
    return *reinterpret_cast<const Word*>(bytes + offset);
  }

  std::span<std::byte> bytes_;
  u64 control_ = 0, payload_ = 0;  // where they begin
  u64 name_size_ = 0, control_size_ = 0;
  u32 payload_size_ = 0, flags_ = 0;
};

}  // namespace uring

#endif
