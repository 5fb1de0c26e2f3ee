// Where the runner's lines go: out of a guest, or into a descriptor. The only part of the runner that
// depends on the architecture; a new one adds its channel here.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "evidence/json.h"

namespace runner {

using conformance::json::Object;

class Channel {
 public:
  virtual ~Channel() = default;

  // Writes all of it before it returns, so that a line is out when the next test starts. False: the reader is
  // gone.
  virtual bool write(std::string_view bytes) = 0;

  // Memory that the reader also sees: lines go there, and the channel only announces them.
  virtual void use(std::span<char>) {}

  // Called in the child between fork and exec: the test program must not be able to write here.
  virtual void leave() {}
};

// The way out of a guest: on x86, QEMU's debug console, which needs no driver in the kernel under test and
// does not mix with the kernel's own log. Null, with the reason in `error`, if there is none.
std::unique_ptr<Channel> guest_channel(std::string& error);

// A descriptor on the host, which the test programs do not inherit.
std::unique_ptr<Channel> descriptor_channel(int fd);

class Stream {
 public:
  explicit Stream(Channel& channel) : channel_(channel) {}

  void send(const Object& object) {
    if (!channel_.write(object.line())) closed_ = true;
  }
  void trouble(std::string_view text) { send(Object("trouble").text("text", text)); }
  void leave() { channel_.leave(); }
  bool closed() const { return closed_; }

 private:
  Channel& channel_;
  bool closed_ = false;
};

}  // namespace runner
