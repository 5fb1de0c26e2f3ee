// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Memory that a fake kernel shares with the binding, seen from two sides as a real ring's is: the kernel's
// side is always there, the binding's only while it is mapped. The binding's side can be watched: each access
// is recorded, in order.
#ifndef URING_TESTS_SHARED_MEMORY_H
#define URING_TESTS_SHARED_MEMORY_H

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

// As large as the pages of any machine, so that different blocks are in different pages.
constexpr std::size_t block_bytes = 0x10000;

class SharedMemory {
 public:
  // One name for each block.
  explicit SharedMemory(std::vector<std::string> names) : names_(std::move(names)) {
    fd_ = ::memfd_create("played kernel", MFD_CLOEXEC);
    if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(bytes())) != 0) std::abort();
    kernel_ = map_all();
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() {
    unmap();
    ::munmap(kernel_, bytes());
    ::close(fd_);
  }

  std::byte* kernel_side() const { return kernel_; }
  // Null while nothing is mapped.
  std::byte* user_side() const { return user_; }
  std::size_t bytes() const { return names_.size() * block_bytes; }
  const std::vector<std::string>& names() const { return names_; }

  std::byte* map() {
    if (user_ != nullptr) std::abort();  // the tests unmap before they map again
    return user_ = map_all();
  }
  // From now on an access to it is a SIGSEGV.
  void unmap() {
    if (user_ != nullptr) ::munmap(user_, bytes());
    user_ = nullptr;
  }

 private:
  std::byte* map_all() const {
    void* const made = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (made == MAP_FAILED) std::abort();
    return static_cast<std::byte*>(made);
  }

  std::vector<std::string> names_;
  int fd_ = -1;
  std::byte* kernel_ = nullptr;
  std::byte* user_ = nullptr;
};

// Records the accesses to the user's side of some memory: "read sq_head", "write sq_tail". Only the block
// that was accessed last is accessible; an access to any other is a SIGSEGV, which is noted and then allowed.
// Repeated accesses of one kind to the same block are one.
class Watch {
 public:
  explicit Watch(std::vector<const SharedMemory*> memories) : memories_(std::move(memories)) {
    active_ = this;
    record_.reserve(64);  // the handler does not allocate
    struct sigaction action = {};
    action.sa_sigaction = [](int, siginfo_t* info, void* context) {
      if (active_ == nullptr || !active_->accessed(info->si_addr, *static_cast<ucontext_t*>(context))) {
        ::signal(SIGSEGV, SIG_DFL);  // not ours: the access is repeated, and ends the program
      }
    };
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSEGV, &action, &before_);
    protect_all(PROT_NONE);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop(); }

  // What was accessed, in order. Ends the watch.
  std::vector<std::string> accesses() {
    stop();
    std::vector<std::string> words;
    for (const Access& one : record_) {
      words.push_back((one.writes ? "write " : "read ") + one.memory->names()[one.block]);
    }
    return words;
  }

 private:
  struct Access {
    const SharedMemory* memory;
    std::size_t block;
    bool writes;
    std::uintptr_t instruction;
  };

  static std::uintptr_t instruction_of(const ucontext_t& context) {
#if defined(__x86_64__)
    return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__riscv)
    return context.uc_mcontext.__gregs[REG_PC];
#elif defined(__s390x__)
    return context.uc_mcontext.psw.addr;
#else
    return context.uc_mcontext.pc;
#endif
  }

  bool accessed(const void* address, const ucontext_t& context) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    for (const SharedMemory* memory : memories_) {
      const auto begin = reinterpret_cast<std::uintptr_t>(memory->user_side());
      if (begin != 0 && place >= begin && place - begin < memory->bytes()) {
        return note(*memory, (place - begin) / block_bytes, instruction_of(context));
      }
    }
    return false;
  }

  // The first fault of an access makes the block readable. A second one there is by a write: the same one if
  // it is the same instruction, else another that follows a read.
  bool note(const SharedMemory& memory, std::size_t block, std::uintptr_t instruction) {
    Access* const last = record_.empty() ? nullptr : &record_.back();
    const bool writes = last != nullptr && last->memory == &memory && last->block == block && !last->writes;
    if (writes && last->instruction == instruction) {
      last->writes = true;
    } else if (record_.size() < record_.capacity()) {
      record_.push_back({&memory, block, writes, instruction});
    } else {
      return false;
    }
    protect_all(PROT_NONE);
    ::mprotect(memory.user_side() + block * block_bytes, block_bytes,
               writes ? PROT_READ | PROT_WRITE : PROT_READ);
    return true;
  }

  void protect_all(int protection) {
    for (const SharedMemory* memory : memories_) {
      if (memory->user_side() != nullptr) ::mprotect(memory->user_side(), memory->bytes(), protection);
    }
  }

  void stop() {
    if (active_ != this) return;
    protect_all(PROT_READ | PROT_WRITE);
    ::sigaction(SIGSEGV, &before_, nullptr);
    active_ = nullptr;
  }

  static inline Watch* active_ = nullptr;
  std::vector<const SharedMemory*> memories_;
  std::vector<Access> record_;
  struct sigaction before_ = {};
};

}  // namespace

#endif
