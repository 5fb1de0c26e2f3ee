// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "seam/wire_log.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

#include "seam/bare_kernel.h"
#include "seam/lying_kernel.h"
#include "seam/registered_rings.h"
#include "seam/ring_abi.h"
#include "seam/wire.h"

namespace conformance {
namespace {

// Words of the ring as the kernel has them. Plain acquire loads: the log is taken between system calls of one
// thread.
std::uint32_t word(const RingView& ring, std::uint32_t offset) {
  return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(ring.rings + offset), __ATOMIC_ACQUIRE);
}

wire::Sqe* published_sqe(const RingView& ring, std::uint32_t position) {
  const std::uint32_t slot = position & (ring.params.sq_entries - 1);
  const bool has_index_array = (ring.params.flags & wire::setup_no_sqarray) == 0;  // liburing from 2.6 on
  const std::uint32_t index = has_index_array ? word(ring, ring.params.sq_off.array + slot * 4) : slot;
  if (index >= ring.params.sq_entries) return nullptr;
  return reinterpret_cast<wire::Sqe*>(ring.sqes + index * wire::sqe_bytes(ring.params));
}

// All entries but those that wait to be taken: only a ring with other lengths than before has any when it is
// mapped.
void fill_with_stale(const RingView& ring) {
  const bool is_known = ring.rings != nullptr;
  const std::uint32_t head = is_known ? word(ring, ring.params.sq_off.head) : 0;
  const std::uint32_t waiting = is_known ? word(ring, ring.params.sq_off.tail) - head : 0;
  for (std::uint32_t i = waiting; i < ring.params.sq_entries; ++i) {
    const std::uint32_t slot = (head + i) & (ring.params.sq_entries - 1);
    const std::size_t bytes = wire::sqe_bytes(ring.params);
    std::memset(ring.sqes + slot * bytes, stale, bytes);
  }
}

// What IORING_REGISTER_RESIZE_RINGS answered.
void learn_lengths(RingView& ring, const wire::Params& answer) {
  ring.params.sq_entries = answer.sq_entries;
  ring.params.cq_entries = answer.cq_entries;
  ring.params.sq_off = answer.sq_off;
  ring.params.cq_off = answer.cq_off;
}

// The places that an entry takes, where there are two sizes of them.
std::uint32_t places_of(const wire::Sqe& sqe) {
  return sqe.opcode == wire::op::nop128 || sqe.opcode == wire::op::uring_cmd128 ? 2 : 1;
}
std::uint32_t places_of(const wire::Cqe& cqe) { return (cqe.flags & wire::cqe_32) != 0 ? 2 : 1; }

// Requests of several CQEs are no work for a worker: it polls for them once, and cancels them if their file
// is ready (io_wq_submit_work in the kernel's io_uring/io_uring.c, since 6.8).
bool may_be_async(const wire::Sqe& sqe) {
  const auto has = [&sqe](std::uint16_t flags) { return (sqe.ioprio & flags) != 0; };
  switch (sqe.opcode) {
    case wire::op::accept: return !has(wire::accept_multishot);
    case wire::op::send: return !has(wire::recvsend_bundle);
    case wire::op::recv:
    case wire::op::recvmsg: return !has(wire::recv_multishot | wire::recvsend_bundle);
    case wire::op::read_multishot:
    case wire::op::recv_zc: return false;
  }
  return true;
}

std::uint8_t allowed(std::uint8_t flags, const wire::Sqe& sqe) {
  return may_be_async(sqe) ? flags : flags & ~wire::io_async;
}

// What the kernel counts locked memory in: no page here is smaller.
constexpr std::size_t page_size = 4096;
constexpr std::size_t whole_pages(std::size_t bytes) { return (bytes + page_size - 1) & ~(page_size - 1); }

// The memory that a registration locks. The kernel has answered, so the arguments can be read if it could.
std::size_t locked_bytes(std::uint32_t op, const void* arg, std::uint32_t count) {
  constexpr std::uint32_t most_vectors = 64;  // more than any test registers
  std::size_t bytes = 0;
  if (op == wire::register_op::buffers && count <= most_vectors) {
    const auto* vectors = static_cast<const iovec*>(arg);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t first = wire::address(vectors[i].iov_base) & ~(page_size - 1);
      bytes += whole_pages(wire::address(vectors[i].iov_base) + vectors[i].iov_len - first);
    }
  } else if (op == wire::register_op::pbuf_ring) {
    bytes = whole_pages(static_cast<const wire::BufReg*>(arg)->ring_entries * std::size_t{16});
  }
  return bytes;
}

std::byte* memory_at(std::uint64_t address) {
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
}

std::string register_name(std::uint32_t op) { return "register op " + std::to_string(op); }

struct Line {
  std::string operator()(const std::string& line) const { return line; }
  std::string operator()(const WireLog::Published& event) const {
    const std::string sqe = event.sqe ? to_string(*event.sqe) : "an index out of range";
    return "sqe[" + std::to_string(event.position) + "] " + sqe;
  }
  std::string operator()(const WireLog::Completed& event) const {
    return "cqe[" + std::to_string(event.position) + "] " + to_string(event.cqe);
  }
  std::string operator()(const WireLog::Entered& event) const {
    return "enter  submit=" + std::to_string(event.to_submit) +
           " wait=" + std::to_string(event.min_complete) + " flags=" + std::to_string(event.flags) + " -> " +
           wire::result_text(event.result);
  }
};

}  // namespace

void RingView::found(std::uint64_t offset, std::byte* memory) {
  const bool is_new = rings == nullptr;
  std::byte*& half = offset == wire::off_sqes ? sqes : rings;
  // The same memory twice, if a binding maps the two queues one by one; the SQ's mapping reaches further.
  if (offset != wire::off_cq_ring || half == nullptr) half = memory;
  if (offset == wire::off_sqes) {
    fill_with_stale(*this);
  } else if (is_new) {  // its counters need not be 0
    sq_seen = word(*this, params.sq_off.tail);
    cq_seen = word(*this, params.cq_off.tail);
  }
}

std::uint32_t RingView::head() const { return rings == nullptr ? 0 : word(*this, params.sq_off.head); }

// Only between two heads that were read before and after one call: then the binding cannot have taken such a
// slot for its next request already. A polling thread of the kernel (SQPOLL) moves the head at any time, so
// there only the first use of a slot is looked at.
void RingView::make_stale(std::uint32_t from_head) const {
  if (rings == nullptr || sqes == nullptr || (params.flags & wire::setup_sqpoll) != 0) return;
  const std::uint32_t consumed = std::min(head() - from_head, params.sq_entries);
  for (std::uint32_t i = 0; i < consumed; ++i) {
    if (wire::Sqe* sqe = published_sqe(*this, from_head + i))
      std::memset(static_cast<void*>(sqe), stale, wire::sqe_bytes(params));
  }
}

void WireLog::clear() {
  events_.clear();
  dropped_ = 0;
  losses_.clear();
  denial_.reset();
  more_sqe_flags_ = 0;
}

void WireLog::look_for_denial(Denial::Call call, long result, std::size_t bytes) {
  const bool denies = result == -ENOMEM || result == -EPERM || result == -EACCES || result == -ENOSYS;
  if (result >= 0 && denial_ && denial_->call == call) denial_.reset();  // asked again, and granted
  if (denies) denial_ = Denial{.call = call, .error = static_cast<int>(-result), .bytes = bytes};
}

void WireLog::add(Event event) {
  events_.push_back(std::move(event));
  if (events_.size() > capacity) {
    events_.pop_front();
    ++dropped_;
  }
}

std::deque<std::string> WireLog::lines() const {
  std::deque<std::string> result;
  if (dropped_ > 0) result.push_back("(" + std::to_string(dropped_) + " older lines left out)");
  for (const Event& event : events_) result.push_back(std::visit(Line{}, event));
  return result;
}

std::optional<wire::Sqe> WireLog::last_published() const {
  for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
    if (const auto* published = std::get_if<Published>(&*event)) return published->sqe;
  }
  return std::nullopt;
}

std::string WireLog::ring_states() const {
  std::ostringstream out;
  for (const auto& [fd, ring] : rings_) {
    if (ring.rings == nullptr) continue;
    const auto& sq = ring.params.sq_off;
    const auto& cq = ring.params.cq_off;
    out << "ring " << fd << ": sq head " << word(ring, sq.head) << " tail " << word(ring, sq.tail)
        << " flags " << word(ring, sq.flags) << ", cq head " << word(ring, cq.head) << " tail "
        << word(ring, cq.tail) << " overflow " << word(ring, cq.overflow) << "; ";
  }
  return out.str();
}

void WireLog::log_published(int fd) {
  const auto found = rings_.find(fd);
  if (found == rings_.end()) return;
  RingView& ring = found->second;
  if (ring.rings == nullptr || ring.sqes == nullptr) return;
  if ((ring.params.flags & wire::setup_sq_rewind) != 0) ring.sq_seen = 0;  // each submit begins there
  const bool is_mixed = (ring.params.flags & wire::setup_sqe_mixed) != 0;
  for (const std::uint32_t tail = word(ring, ring.params.sq_off.tail); ring.sq_seen != tail; ++ring.sq_seen) {
    wire::Sqe* sqe = published_sqe(ring, ring.sq_seen);
    add(Published{.position = ring.sq_seen, .sqe = sqe != nullptr ? std::optional(*sqe) : std::nullopt});
    if (sqe != nullptr) sqe->flags |= allowed(more_sqe_flags_, *sqe);
    if (is_mixed && sqe != nullptr) ring.sq_seen += std::min(places_of(*sqe), tail - ring.sq_seen) - 1;
    // A binding that published a wild tail is seen after one round; the log need not hold 2^32 lines of it.
    if (tail - ring.sq_seen > 2 * ring.params.sq_entries) {
      add("the published tail " + std::to_string(tail) + " is further ahead than the ring is long");
      ring.sq_seen = tail;
      return;
    }
  }
}

void WireLog::log_completed(int fd) {
  const auto found = rings_.find(fd);
  if (found == rings_.end()) return;
  RingView& ring = found->second;
  if (ring.rings == nullptr) return;
  const std::byte* const cqes = ring.rings + ring.params.cq_off.cqes;
  const bool is_mixed = (ring.params.flags & wire::setup_cqe_mixed) != 0;
  const std::uint32_t tail = word(ring, ring.params.cq_off.tail);
  if (tail - ring.cq_seen > ring.params.cq_entries) {  // since the last look there was room for no more
    add("the CQ's tail " + std::to_string(tail) + " is further ahead than the queue is long");
    ring.cq_seen = tail;
  }
  for (; ring.cq_seen != tail; ++ring.cq_seen) {
    const std::uint32_t place = ring.cq_seen & (ring.params.cq_entries - 1);
    const auto& cqe = *reinterpret_cast<const wire::Cqe*>(cqes + place * wire::cqe_bytes(ring.params));
    // A zero-copy send locks the pages it sends from, and counts two more than its bytes fill.
    if (cqe.res == -ENOMEM) {
      look_for_denial(Denial::Call::request, cqe.res,
                      length_of(cqe.user_data) / page_size * page_size + 2 * page_size);
    }
    add(Completed{.position = ring.cq_seen, .cqe = cqe});
    if (is_mixed) ring.cq_seen += std::min(places_of(cqe), tail - ring.cq_seen) - 1;
  }
}

std::size_t WireLog::length_of(std::uint64_t user_data) const {
  for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
    const auto* published = std::get_if<Published>(&*event);
    if (published != nullptr && published->sqe && published->sqe->user_data == user_data) {
      return published->sqe->len;
    }
  }
  return 0;
}

void WireLog::look_for_losses(int fd) {
  const RingView& ring = rings_[fd];
  const std::uint32_t dropped = word(ring, ring.params.sq_off.dropped);
  const std::uint32_t overflow = word(ring, ring.params.cq_off.overflow);
  const std::string name = "ring " + std::to_string(fd);
  if (dropped != 0) losses_.push_back(name + " says that " + std::to_string(dropped) + " SQEs were dropped");
  if (overflow != 0) losses_.push_back(name + " says that " + std::to_string(overflow) + " CQEs were lost");
}

WireLog& wire_log() {
  // Never destroyed: a binding that calls exit(3) is seen while everything else is taken down.
  static WireLog& log = *new WireLog;
  return log;
}

long ObservedKernel::setup(std::uint32_t entries, wire::Params* params) noexcept {
  const std::uint32_t flags = params->flags;
  const long fd = LyingKernel::setup(entries, params);
  std::string line = "setup  entries=" + std::to_string(entries) + " flags=" + std::to_string(flags) +
                     " -> " + wire::result_text(fd);
  if (fd >= 0) {
    std::array<char, 9> features{};
    std::to_chars(features.data(), features.data() + 8, params->features, 16);
    line += " (sq " + std::to_string(params->sq_entries) + ", cq " + std::to_string(params->cq_entries) +
            ", features 0x" + std::string(features.data()) + ")";
    RingView& ring = wire_log().rings()[static_cast<int>(fd)] = RingView{.params = *params};
    if (ring.is_callers()) {
      ring.found(wire::off_sqes, memory_at(params->sq_off.user_addr));
      ring.found(wire::off_sq_ring, memory_at(params->cq_off.user_addr));
    }
  }
  wire_log().look_for_denial(Denial::Call::setup, fd);
  wire_log().add(std::move(line));
  return fd;
}

long ObservedKernel::enter(int fd, std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                           const void* arg, std::size_t arg_size) noexcept {
  const int ring_fd = ring_entered(fd, flags);
  wire_log().log_published(ring_fd);
  const RingView ring = wire_log().rings()[ring_fd];
  const std::uint32_t head = ring.head();
  const long result = LyingKernel::enter(fd, to_submit, min_complete, flags, arg, arg_size);
  ring.make_stale(head);
  wire_log().add(WireLog::Entered{
      .to_submit = to_submit, .min_complete = min_complete, .flags = flags, .result = result});
  wire_log().log_completed(ring_fd);
  wire_log().look_for_denial(Denial::Call::enter, result);
  return result;
}

long ObservedKernel::do_register(int fd, std::uint32_t op, const void* arg, std::uint32_t count) noexcept {
  if (op == wire::register_op::resize_rings) wire_log().log_published(fd);  // it is in other memory then
  const long result = LyingKernel::do_register(fd, op, arg, count);
  const std::size_t bytes = result == -ENOMEM ? locked_bytes(op, arg, count) : 0;
  wire_log().look_for_denial(Denial::Call::do_register, result, bytes);
  wire_log().add(register_name(op) + " count=" + std::to_string(count) + " -> " + wire::result_text(result));
  if (result > 0) note_registration(op, arg, result);
  const auto ring = wire_log().rings().find(fd);
  if (ring != wire_log().rings().end() && result >= 0) {
    if (op == wire::register_op::resize_rings) {
      wire_log().log_completed(fd);
      learn_lengths(ring->second, *static_cast<const wire::Params*>(arg));
    }
    ring->second.buffer_rings += op == wire::register_op::pbuf_ring              ? 1
                                 : op == wire::register_op::unregister_pbuf_ring ? -1
                                                                                 : 0;
    if (op == wire::register_op::pbuf_ring) {
      const auto flags = static_cast<const wire::BufReg*>(arg)->flags;
      ring->second.is_last_buffer_ring_incremental = (flags & wire::pbuf_ring_inc) != 0;
    }
  }
  return result;
}

long ObservedKernel::map_ring(int fd, std::size_t bytes, std::uint64_t offset) noexcept {
  const long address = LyingKernel::map_ring(fd, bytes, offset);
  if (wire::is_errno(address)) {
    wire_log().add("mmap   offset=" + std::to_string(offset) + " -> " + wire::result_text(address));
    return address;
  }
  RingView& ring = wire_log().rings()[fd];
  ++ring.mappings;
  ring.found(offset, reinterpret_cast<std::byte*>(address));
  return address;
}

long ObservedKernel::map_anonymous(std::size_t bytes) noexcept {
  const long address = BareKernel::map_anonymous(bytes);
  const bool failed = wire::is_errno(address);
  wire_log().add("mmap   anonymous bytes=" + std::to_string(bytes) + " -> " +
                 (failed ? wire::result_text(address) : "memory"));
  if (!failed) wire_log().anonymous().insert(reinterpret_cast<void*>(address));
  return address;
}

long ObservedKernel::unmap(void* address, std::size_t bytes) noexcept {
  wire_log().anonymous().erase(address);
  for (auto& [fd, ring] : wire_log().rings()) {
    if (ring.rings != address && ring.sqes != address) continue;
    if (ring.rings == address) {
      wire_log().log_completed(fd);
      wire_log().look_for_losses(fd);
    }
    (ring.rings == address ? ring.rings : ring.sqes) = nullptr;
    --ring.mappings;
  }
  return LyingKernel::unmap(address, bytes);
}

long ObservedKernel::close(int fd) noexcept {
  const auto ring = wire_log().rings().find(fd);
  if (ring != wire_log().rings().end() && ring->second.mappings == 0) {
    if (ring->second.is_callers()) {
      wire_log().log_completed(fd);
      wire_log().look_for_losses(fd);
    }
    wire_log().rings().erase(ring);
  }
  const long result = LyingKernel::close(fd);
  wire_log().add("close  " + std::to_string(fd) + " -> " + wire::result_text(result));
  return result;
}

}  // namespace conformance
