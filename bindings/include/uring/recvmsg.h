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
    for (const u64 room : {u64{sizeof(RecvmsgOut)}, name_room, control_room}) {
      if (left < room) return Error::message_too_short;
      left -= room;
    }
    std::byte* const header = bytes.data();
    std::byte* const name = header + sizeof(RecvmsgOut);
    std::byte* const control = name + name_room;
    name_ = filled(name, name_room, word(header, offsetof(RecvmsgOut, namelen)));
    control_ = filled(control, control_room, word(header, offsetof(RecvmsgOut, controllen)));
    payload_ = std::span<std::byte>(control + control_room, left);
    payload_size_ = word(header, offsetof(RecvmsgOut, payloadlen));
    flags_ = word(header, offsetof(RecvmsgOut, flags));
    return {};
  }

  /// The sender's address, a sockaddr; cut off if it needs more than the room there was.
  std::span<std::byte> name() const noexcept { return name_; }

  /// The control data, cmsghdrs.
  std::span<std::byte> control() const noexcept { return control_; }

  /// The message, as far as the buffer had room for it.
  std::span<std::byte> payload() const noexcept { return payload_; }

  /// How long the message was, in bytes: more than payload().size() if flags() has MSG_TRUNC.
  u32 payload_size() const noexcept { return payload_size_; }

  /// MSG_* as recvmsg(2) returns them: MSG_TRUNC, MSG_CTRUNC and so on.
  u32 flags() const noexcept { return flags_; }

 private:
  // The kernel says how much there was, also where there was no room for it.
  static std::span<std::byte> filled(std::byte* begin, u64 room, u64 size) noexcept {
    return std::span<std::byte>(begin, size < room ? size : room);
  }

  // A buffer need not be aligned for words.
  static u32 word(const std::byte* bytes, std::size_t offset) noexcept {
    using Word [[gnu::may_alias, gnu::aligned(1)]] = u32;
    return *reinterpret_cast<const Word*>(bytes + offset);
  }

  std::span<std::byte> name_, control_, payload_;
  u32 payload_size_ = 0, flags_ = 0;
};

}  // namespace uring

#endif
