// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "seam/lying_kernel.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "seam/bare_kernel.h"
#include "seam/registered_rings.h"
#include "seam/ring_abi.h"

namespace conformance {
namespace {

// Of a request that runs a second time: the binding never sees its CQE. No test uses this number.
constexpr std::uint64_t repeated = 0x7ea7ed'7ea7ed'7ea7;

constexpr std::uint8_t hardlink = 8;
constexpr std::uint8_t order_flags = wire::io_link | wire::io_drain | hardlink;

std::map<int, LyingRing>& lying_rings() {
  static std::map<int, LyingRing> rings;
  return rings;
}

LyingRing* lying_ring(int fd) {
  const auto found = lying_rings().find(fd);
  return found != lying_rings().end() ? &found->second : nullptr;
}

std::uint32_t& word(std::byte* memory, std::uint32_t offset) {
  return *reinterpret_cast<std::uint32_t*>(memory + offset);
}

// The kernel posts from other threads, too.
std::uint32_t acquire(const std::uint32_t& shared) { return __atomic_load_n(&shared, __ATOMIC_ACQUIRE); }
void release(std::uint32_t& shared, std::uint32_t value) {
  __atomic_store_n(&shared, value, __ATOMIC_RELEASE);
}

}  // namespace

std::uint32_t& LyingRing::told(std::uint32_t offset) const { return word(rings_.copy, offset); }
std::uint32_t& LyingRing::real(std::uint32_t offset) const { return word(rings_.kernel, offset); }

wire::Cqe& LyingRing::told_cqe(std::uint32_t position) const {
  auto* cqes = reinterpret_cast<wire::Cqe*>(rings_.copy + params_.cq_off.cqes);
  return cqes[position & (params_.cq_entries - 1)];
}

void LyingRing::start_at(std::uint32_t position) {
  sq_lead_ = position;
  told(params_.sq_off.head) = told(params_.sq_off.tail) = position;
  told(params_.cq_off.head) = told(params_.cq_off.tail) = position;
}

void LyingRing::pretend(wire::Sqe& sqe, std::int32_t res) {
  pretended_.emplace(sqe.user_data, res);
  sqe = {.opcode = wire::op::nop,
         .flags = static_cast<std::uint8_t>(sqe.flags & order_flags),
         .user_data = sqe.user_data};
}

long LyingRing::map(int fd, std::size_t bytes, std::uint64_t offset) {
  const std::size_t sq_bytes = params_.sq_off.array + params_.sq_entries * sizeof(std::uint32_t);
  const std::size_t cq_bytes = params_.cq_off.cqes + params_.cq_entries * sizeof(wire::Cqe);
  Memory memory;
  memory.kernel_bytes =
      offset == wire::off_sqes ? params_.sq_entries * sizeof(wire::Sqe) : std::max(sq_bytes, cq_bytes);
  memory.copy_bytes = std::max(bytes, memory.kernel_bytes);

  const long kernel = BareKernel::map_ring(fd, memory.kernel_bytes, offset);
  if (wire::is_errno(kernel)) return kernel;
  memory.kernel = reinterpret_cast<std::byte*>(kernel);
  const long copy = BareKernel::map_anonymous(memory.copy_bytes);
  if (wire::is_errno(copy)) {
    BareKernel::unmap(memory.kernel, memory.kernel_bytes);
    return copy;
  }
  memory.copy = reinterpret_cast<std::byte*>(copy);
  std::memcpy(memory.copy, memory.kernel, memory.kernel_bytes);
  (offset == wire::off_sqes ? sqes_ : rings_) = memory;
  if (offset != wire::off_sqes) taken_ = real(params_.cq_off.tail);  // what is there has been copied
  return copy;
}

bool LyingRing::unmap(const void* address) {
  for (Memory* memory : {&rings_, &sqes_}) {
    if (memory->copy != address) continue;
    BareKernel::unmap(memory->kernel, memory->kernel_bytes);
    BareKernel::unmap(memory->copy, memory->copy_bytes);
    *memory = {};
    return true;
  }
  return false;
}

void LyingRing::resized(const wire::Params& answer) {
  params_.sq_entries = told_sq_entries_ = answer.sq_entries;
  params_.cq_entries = answer.cq_entries;
  params_.sq_off = answer.sq_off;
  params_.cq_off = answer.cq_off;
}

// Puts the request at the kernel's tail, into the entry of that index. The kernel drops an
// index that is out of range.
void LyingRing::publish(std::uint32_t index, const wire::Sqe& sqe) {
  const std::uint32_t tail = real(params_.sq_off.tail);
  const std::uint32_t slot = tail & (params_.sq_entries - 1);
  if (has_index_array()) {
    real(params_.sq_off.array + slot * 4) = index;
  } else {
    index = slot;
  }
  if (index < params_.sq_entries) reinterpret_cast<wire::Sqe*>(sqes_.kernel)[index] = sqe;
  release(real(params_.sq_off.tail), tail + 1);
}

void LyingRing::carry_requests(const Lie& lie) {
  carried_.clear();
  // The program's word; there is none before 5.8.
  if (const std::uint32_t flags = params_.cq_off.flags; flags != 0)
    release(real(flags), acquire(told(flags)));
  std::uint32_t position = real(params_.sq_off.tail) + sq_lead_;
  // What is published beyond the length of the queue the kernel would not look at either.
  const std::uint32_t published = std::min(acquire(told(params_.sq_off.tail)) - position, params_.sq_entries);
  for (const std::uint32_t end = position + published; position != end; ++position) {
    const std::uint32_t slot = position & (told_sq_entries_ - 1);
    const std::uint32_t index = has_index_array() ? told(params_.sq_off.array + slot * 4) : slot;
    wire::Sqe sqe;
    if (index < params_.sq_entries) {
      sqe = reinterpret_cast<const wire::Sqe*>(sqes_.copy)[index];
      requests_[sqe.user_data] = sqe;
      if (lie.submitted != nullptr) lie.submitted(*this, sqe);
      carried_.push_back(sqe);
    }
    publish(index, sqe);
  }
}

void LyingRing::run_again(int fd) {
  if (acquire(real(params_.sq_off.head)) != real(params_.sq_off.tail)) return;  // some have not run once
  const auto count = static_cast<std::uint32_t>(carried_.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    wire::Sqe sqe = carried_[i];
    sqe.flags = static_cast<std::uint8_t>(sqe.flags & ~order_flags);
    sqe.user_data = repeated;
    publish(i, sqe);
  }
  sq_lead_ -= count;
  if (count > 0) BareKernel::enter(fd, count, 0, 0, nullptr, 0);
}

// What is new in the kernel's CQ. It stays there until give_back.
std::vector<wire::Cqe> LyingRing::take_arrived() {
  std::vector<wire::Cqe> arrived;
  const auto* cqes = reinterpret_cast<const wire::Cqe*>(rings_.kernel + params_.cq_off.cqes);
  for (const std::uint32_t tail = acquire(real(params_.cq_off.tail)); taken_ != tail; ++taken_) {
    arrived.push_back(cqes[taken_ & (params_.cq_entries - 1)]);
  }
  return arrived;
}

// How many CQEs the binding has not read yet.
std::uint32_t LyingRing::unread() const {
  const std::uint32_t unread = told(params_.cq_off.tail) - acquire(told(params_.cq_off.head));
  return unread <= params_.cq_entries ? unread : 0;  // a head beyond the tail: there is nothing to read
}

// The kernel's CQ is as full as the binding's, so that it overflows when the binding does not read.
void LyingRing::give_back() {
  const std::uint32_t to_read = unread() + static_cast<std::uint32_t>(untold_.size());
  const std::uint32_t kept = taken_ - real(params_.cq_off.head);
  release(real(params_.cq_off.head), taken_ - std::min(kept, to_read));
}

std::size_t LyingRing::carry_completions(const Lie& lie) {
  std::vector<wire::Cqe> arrived = take_arrived();
  const std::size_t taken = arrived.size();
  std::erase_if(arrived, [](const wire::Cqe& cqe) { return cqe.user_data == repeated; });
  for (wire::Cqe& cqe : arrived) {
    const auto pretended = pretended_.find(cqe.user_data);
    if (pretended == pretended_.end()) continue;
    if (cqe.res == 0)
      cqe.res = pretended->second;  // a NOP of a broken chain is cancelled as its request would be
    pretended_.erase(pretended);
  }
  const auto real_ones = static_cast<unsigned>(arrived.size());
  if (lie.completed != nullptr) lie.completed(*this, arrived);
  completions += real_ones;
  untold_.insert(untold_.end(), arrived.begin(), arrived.end());
  tell_arrived();
  give_back();
  return taken - std::min(taken, arrived.size());
}

// Fills the binding's CQ, and the words that the kernel writes.
void LyingRing::tell_arrived() {
  std::uint32_t tail = told(params_.cq_off.tail);
  while (!untold_.empty() && tail - acquire(told(params_.cq_off.head)) < params_.cq_entries) {
    told_cqe(tail++) = untold_.front();
    untold_.pop_front();
  }
  const std::uint32_t overflow = untold_.empty() ? 0 : wire::sq_cq_overflow;
  told(params_.sq_off.flags) = acquire(real(params_.sq_off.flags)) | overflow;
  told(params_.sq_off.dropped) = real(params_.sq_off.dropped);
  told(params_.cq_off.overflow) = real(params_.cq_off.overflow);
  release(told(params_.sq_off.head), acquire(real(params_.sq_off.head)) + sq_lead_ + postponed_);
  release(told(params_.cq_off.tail), tail);
}

std::uint32_t LyingRing::still_missing(const EnterCall& call) const {
  return call.min_complete - std::min(call.min_complete, unread());
}

// The kernel counts what it still has; the binding may have been told of more.
std::uint32_t LyingRing::to_wait_for(const EnterCall& call) const {
  const std::uint32_t kept = taken_ - real(params_.cq_off.head);
  return call.min_complete - std::min(call.min_complete, unread() - std::min(unread(), kept));
}

long LyingKernel::setup(std::uint32_t entries, wire::Params* params) noexcept {
  const Lie* const lie = active_lie();
  if (lie == nullptr) return BareKernel::setup(entries, params);
  static unsigned nth = 0;
  if (const long error = lie->opening != nullptr ? lie->opening(nth++) : 0; error < 0) return error;
  const long fd = BareKernel::setup(entries, params);
  if (fd < 0) return fd;
  // The thread of one would work on the kernel's memory while the binding works on the copy; the memory may
  // be the binding's own; and the copy has entries of the usual sizes, and a tail to carry requests to: such
  // a ring is what it is.
  constexpr std::uint32_t other = wire::setup_sqpoll | wire::setup_no_mmap | wire::setup_sq_rewind |
                                  wire::setup_sqe128 | wire::setup_cqe32 | wire::setup_cqe_mixed |
                                  wire::setup_sqe_mixed;
  if ((params->flags & other) != 0) return fd;
  const wire::Params real = *params;
  if (lie->opened != nullptr) lie->opened(*params);
  lying_rings().insert_or_assign(static_cast<int>(fd), LyingRing(real, params->sq_entries));
  return fd;
}

namespace {

// The call itself. A request that is submitted late goes with the next call that also waits.
long submit(const Lie& lie, LyingRing& ring, int fd, const EnterCall& call, const void* arg,
            std::size_t arg_size) {
  if (lie.submits_late && (call.flags & wire::enter_getevents) == 0) {
    ring.postpone(call.to_submit);
    return static_cast<long>(call.to_submit);
  }
  const std::uint32_t late = ring.take_postponed();
  const long result =
      BareKernel::enter(fd, call.to_submit + late, ring.to_wait_for(call), call.flags, arg, arg_size);
  return result - std::clamp(result, 0L, static_cast<long>(late));
}

// The kernel moves what it has: what the program has published and taken it must have before.
long resize(const Lie& lie, LyingRing& ring, int fd, const void* arg, std::uint32_t count) {
  ring.carry_requests(lie);
  ring.give_back();
  const long result = BareKernel::do_register(fd, wire::register_op::resize_rings, arg, count);
  if (result >= 0) ring.resized(*static_cast<const wire::Params*>(arg));
  return result;
}

}  // namespace

long LyingKernel::enter(int fd, std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                        const void* arg, std::size_t arg_size) noexcept {
  LyingRing* const ring = lying_ring(ring_entered(fd, flags));
  if (ring == nullptr || !ring->is_mapped()) {
    return BareKernel::enter(fd, to_submit, min_complete, flags, arg, arg_size);
  }
  const Lie& lie = *active_lie();
  EnterCall call{.to_submit = to_submit, .min_complete = min_complete, .flags = flags};
  const long error = lie.entering != nullptr ? lie.entering(*ring, call) : 0;
  ring->submits += to_submit > 0;
  ring->waits += to_submit == 0;
  if (error < 0) return error;

  ring->carry_requests(lie);
  ring->give_back();
  long result = submit(lie, *ring, fd, call, arg, arg_size);
  if (lie.runs_twice && result >= 0) ring->run_again(fd);
  std::size_t lost = ring->carry_completions(lie);
  // The kernel has counted CQEs that the binding does not get: the wait is not over.
  for (long waited = result; lost > 0 && waited >= 0 && ring->still_missing(call) > 0;) {
    waited = BareKernel::enter(fd, 0, ring->to_wait_for(call), flags, arg, arg_size);
    lost += ring->carry_completions(lie);
  }
  return lie.entered != nullptr ? lie.entered(*ring, result) : result;
}

long LyingKernel::do_register(int fd, std::uint32_t op, const void* arg, std::uint32_t count) noexcept {
  LyingRing* const ring = lying_ring(fd);
  const Lie* const lie = active_lie();
  if (op == wire::register_op::resize_rings && ring != nullptr && ring->is_mapped()) {
    return resize(*lie, *ring, fd, arg, count);
  }
  if (ring == nullptr || lie->registering == nullptr) return BareKernel::do_register(fd, op, arg, count);
  const long result = lie->registering(*ring, {.fd = fd, .op = op, .arg = arg, .count = count});
  ring->registrations += op != wire::register_op::probe;
  return result;
}

long LyingKernel::map_ring(int fd, std::size_t bytes, std::uint64_t offset) noexcept {
  LyingRing* const ring = lying_ring(fd);
  if (ring == nullptr) return BareKernel::map_ring(fd, bytes, offset);
  const Lie& lie = *active_lie();
  static unsigned nth = 0;
  if (const long error = lie.mapping != nullptr ? lie.mapping(offset, nth++) : 0; error < 0) return error;
  const long address = ring->map(fd, bytes, offset);
  if (!wire::is_errno(address) && offset != wire::off_sqes && lie.mapped != nullptr) lie.mapped(*ring);
  return address;
}

long LyingKernel::unmap(void* address, std::size_t bytes) noexcept {
  for (auto& [fd, ring] : lying_rings()) {
    if (ring.unmap(address)) return 0;
  }
  return BareKernel::unmap(address, bytes);
}

void LyingKernel::show(int fd) noexcept {
  LyingRing* const ring = lying_ring(fd);
  if (ring != nullptr && ring->is_mapped()) ring->carry_completions(*active_lie());
}

long LyingKernel::close(int fd) noexcept {
  lying_rings().erase(fd);
  return BareKernel::close(fd);
}

}  // namespace conformance
