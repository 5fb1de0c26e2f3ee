#include "seam/lies.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "seam/bare_kernel.h"
#include "seam/lying_kernel.h"

namespace conformance {
namespace {

namespace register_op = wire::register_op;
using Cqes = std::vector<wire::Cqe>;

// --- which of many -----------------------------------------------------------------------------------------

// The third CQE of a ring, if it is among those that arrived: for lies that are told once, and not at first.
Cqes::iterator third(const LyingRing& ring, Cqes& arrived) {
  const unsigned before = ring.completions, at = 2 - std::min(before, 2u);
  return before <= 2 && at < arrived.size() ? arrived.begin() + at : arrived.end();
}

template <std::size_t n>
bool is_one_of(std::uint8_t opcode, const std::uint8_t (&opcodes)[n]) {
  return std::find(std::begin(opcodes), std::end(opcodes), opcode) != std::end(opcodes);
}

bool reads(const wire::Sqe& sqe) {
  return is_one_of(sqe.opcode, {wire::op::read, wire::op::readv, wire::op::read_fixed});
}
bool writes(const wire::Sqe& sqe) {
  return is_one_of(sqe.opcode, {wire::op::write, wire::op::writev, wire::op::write_fixed});
}
bool receives(const wire::Sqe& sqe) {
  return is_one_of(sqe.opcode, {wire::op::recv, wire::op::recvmsg, wire::op::accept});
}
bool changes_a_directory(const wire::Sqe& sqe) {
  return is_one_of(sqe.opcode, {wire::op::mkdirat, wire::op::symlinkat, wire::op::linkat, wire::op::renameat,
                                wire::op::unlinkat});
}

// How many bytes a read or a write asks for. Without an address the kernel chooses the buffer.
std::int32_t bytes_of(const wire::Sqe& sqe) {
  if (!is_one_of(sqe.opcode, {wire::op::readv, wire::op::writev})) return static_cast<std::int32_t>(sqe.len);
  const auto* parts = reinterpret_cast<const iovec*>(sqe.addr);
  return std::accumulate(parts, parts + sqe.len, std::int32_t{0}, [](std::int32_t sum, const iovec& part) {
    return sum + static_cast<std::int32_t>(part.iov_len);
  });
}

bool only_waits(const EnterCall& call) { return call.to_submit == 0 && call.min_complete > 0; }

// --- what is done to them ----------------------------------------------------------------------------------

// The nth call that submits (counted from 0) fails, and consumes nothing.
template <unsigned nth, int error>
long submit_fails(const LyingRing& ring, EnterCall& call) {
  return call.to_submit > 0 && ring.submits == nth ? -error : 0;
}

// Each CQE loses these flags.
template <std::uint32_t flags>
void loses(LyingRing&, Cqes& arrived) {
  for (wire::Cqe& cqe : arrived) cqe.flags &= ~flags;
}

// Each SQE loses these flags.
template <std::uint8_t flags>
void ignores(LyingRing&, wire::Sqe& sqe) {
  sqe.flags = static_cast<std::uint8_t>(sqe.flags & ~flags);
}

// The word at that offset is one more after each call. (The kernel's own value is copied again each time.)
template <auto part, auto word>
void count_one_more(LyingRing& ring) {
  ++ring.told((ring.params().*part).*word);
}

long really(const RegisterCall& call) {
  return BareKernel::do_register(call.fd, call.op, call.arg, call.count);
}

// The result of a registration that succeeds.
long success_of(const RegisterCall& call) {
  return call.op == register_op::files_update ? static_cast<long>(call.count) : 0;
}

bool unregisters(std::uint32_t op) {
  constexpr std::uint32_t all[] = {register_op::unregister_buffers, register_op::unregister_files,
                                   register_op::unregister_pbuf_ring};
  return std::find(std::begin(all), std::end(all), op) != std::end(all);
}

// Changes the kernel's answer to a probe.
template <void (*change)(wire::Probe& probe, const RegisterCall& call)>
long probe_says(LyingRing&, const RegisterCall& call) {
  const long result = really(call);
  if (call.op == register_op::probe && result >= 0) {
    change(*static_cast<wire::Probe*>(const_cast<void*>(call.arg)), call);
  }
  return result;
}

void deny_all(wire::Probe& probe, const RegisterCall& call) {
  for (std::uint32_t i = 0; i < call.count; ++i) probe.ops[i].flags = 0;
}
void deny_mkdirat(wire::Probe& probe, const RegisterCall& call) {
  if (wire::op::mkdirat < call.count) probe.ops[wire::op::mkdirat].flags = 0;
}
void promise_all(wire::Probe& probe, const RegisterCall& call) {
  probe.last_op = 255;
  probe.ops_len = static_cast<std::uint8_t>(std::min(call.count, 255u));
  for (std::uint32_t i = 0; i < call.count; ++i) probe.ops[i].flags = wire::op_supported;
}

using wire::Params, wire::SqRingOffsets, wire::CqRingOffsets;

// Without captures, so that the table is data. Parameters that a lie does not use have no name.
constexpr Lie table[] = {
    {.name = "nothing",
     .says = "tells the truth: the control, which shows that copying the ring alone goes unnoticed"},

    // --- io_uring_setup(2) and the memory of the ring
    {.name = "setup_enosys",
     .says = "there is no io_uring here, though other programs can open a ring",
     .opening = [](unsigned) -> long { return -ENOSYS; }},
    {.name = "setup_eperm",
     .says = "rings are forbidden here, though other programs can open one",
     .opening = [](unsigned) -> long { return -EPERM; }},
    {.name = "setup_enomem_once",
     .says = "the first ring of the process gets no memory, the next one does",
     .opening = [](unsigned nth) -> long { return nth == 0 ? -ENOMEM : 0; }},
    {.name = "mmap_enomem_once",
     .says = "the first ring of the process opens, but its SQEs cannot be mapped",
     .mapping = [](std::uint64_t, unsigned nth) -> long { return nth == 1 ? -ENOMEM : 0; }},
    {.name = "no_single_mmap",
     .says = "the two rings cannot be mapped at once, as before Linux 5.4",
     .opened = [](Params& told) { told.features &= ~wire::feat_single_mmap; }},
    {.name = "forgets_features",
     .says = "the ring has none of the features that came after Linux 5.4",
     .opened = [](Params& told) { told.features &= wire::feat_single_mmap; }},
    {.name = "sq_entries_wrong",
     .says = "setup reports twice the SQ entries that the ring itself names",
     .opened = [](Params& told) { told.sq_entries *= 2; }},
    {.name = "cq_entries_wrong",
     .says = "setup reports twice the CQ entries that the ring itself names",
     .opened = [](Params& told) { told.cq_entries *= 2; }},
    {.name = "sq_entries_doubled",
     .says = "setup and the ring both report twice the SQ entries; the kernel drops those in the upper half",
     .opened = [](Params& told) { told.sq_entries *= 2; },
     .mapped =
         [](LyingRing& ring) {
           const std::uint32_t doubled = 2 * ring.params().sq_entries;
           ring.told(ring.params().sq_off.ring_entries) = doubled;
           ring.told(ring.params().sq_off.ring_mask) = doubled - 1;
         }},
    {.name = "sq_mask_wrong",
     .says = "the SQ's mask is its number of entries, not one less",
     .mapped = [](LyingRing& ring) { ++ring.told(ring.params().sq_off.ring_mask); }},
    {.name = "cq_mask_wrong",
     .says = "the CQ's mask is its number of entries, not one less",
     .mapped = [](LyingRing& ring) { ++ring.told(ring.params().cq_off.ring_mask); }},
    {.name = "sq_tail_shifted",
     .says = "the SQ tail is said to be 4 bytes after the place where the kernel reads it",
     .opened = [](Params& told) { told.sq_off.tail += 4; }},
    {.name = "sq_head_and_tail_swapped",
     .says = "the SQ's head is where its tail is said to be, and the other way round",
     .opened = [](Params& told) { std::swap(told.sq_off.head, told.sq_off.tail); }},
    {.name = "cq_head_and_tail_swapped",
     .says = "the CQ's head is where its tail is said to be, and the other way round",
     .opened = [](Params& told) { std::swap(told.cq_off.head, told.cq_off.tail); }},
    {.name = "sq_array_shifted",
     .says = "the SQ's index array is said to begin one index after the place where the kernel reads it",
     .opened = [](Params& told) { told.sq_off.array += 4; }},
    {.name = "cqes_shifted",
     .says = "the CQEs are said to begin one entry after the place where the kernel writes them",
     .opened = [](Params& told) { told.cq_off.cqes += sizeof(wire::Cqe); }},
    {.name = "counters_near_wrap",
     .says = "the heads and tails of a new ring are not 0 but two below 2^32",
     .mapped = [](LyingRing& ring) { ring.start_at(~0u - 1); }},
    {.name = "stale_cqe",
     .says = "a new ring already has a CQE",
     .mapped =
         [](LyingRing& ring) {
           ring.told_cqe(0) = {.user_data = 0xdead, .res = 0, .flags = 0};
           ring.told(ring.params().cq_off.tail) = 1;
         }},
    {.name = "dropped_from_the_start",
     .says = "a new ring has already dropped an SQE",
     .mapped = count_one_more<&Params::sq_off, &SqRingOffsets::dropped>},
    {.name = "overflowed_from_the_start",
     .says = "a new ring has already lost a CQE",
     .mapped = count_one_more<&Params::cq_off, &CqRingOffsets::overflow>},

    // --- io_uring_enter(2): what it returns, and what it does to the counters
    {.name = "enter_eintr",
     .says = "the first wait of a ring is interrupted",
     .entering = [](const LyingRing& ring, EnterCall& call) -> long {
       return only_waits(call) && ring.waits == 0 ? -EINTR : 0;
     }},
    {.name = "enter_eagain",
     .says = "the first submit of a ring has no memory for a request right now",
     .entering = submit_fails<0, EAGAIN>},
    {.name = "enter_ebusy",
     .says = "the second submit of a ring finds too many completions waiting",
     .entering = submit_fails<1, EBUSY>},
    {.name = "enter_enomem",
     .says = "the third submit of a ring gets no memory",
     .entering = submit_fails<2, ENOMEM>},
    {.name = "submits_fewer",
     .says = "the last of several SQEs stays in the queue, and the count says so",
     .entering = [](const LyingRing&, EnterCall& call) -> long {
       call.to_submit -= call.to_submit > 1;
       return 0;
     }},
    {.name = "says_fewer_submitted",
     .says = "all SQEs run, but the count is one too small",
     .entered = [](LyingRing&, long result) { return result - (result > 0); }},
    {.name = "says_more_submitted",
     .says = "all SQEs run, but the count is one too large",
     .entered = [](LyingRing&, long result) { return result + (result > 0); }},
    {.name = "never_waits",
     .says = "enter returns at once, however many completions it was told to wait for",
     .entering = [](const LyingRing&, EnterCall& call) -> long {
       call.min_complete = 0;
       return 0;
     }},
    {.name = "sq_head_stuck",
     .says = "the SQ's head stays where it is when SQEs are consumed",
     .entered =
         [](LyingRing& ring, long result) {
           ring.told(ring.params().sq_off.head) = 0;
           return result;
         }},
    {.name = "overflow_flag_set",
     .says = "the SQ's flags say that completions overflowed, but none did",
     .mapped = [](LyingRing& ring) { ring.told(ring.params().sq_off.flags) |= wire::sq_cq_overflow; },
     .entered =
         [](LyingRing& ring, long result) {
           ring.told(ring.params().sq_off.flags) |= wire::sq_cq_overflow;
           return result;
         }},
    {.name = "overflow_counted",
     .says = "a CQE is counted as lost, but all are there",
     .entered =
         [](LyingRing& ring, long result) {
           count_one_more<&Params::cq_off, &CqRingOffsets::overflow>(ring);
           return result;
         }},
    {.name = "dropped_counted",
     .says = "an SQE is counted as dropped, but all were run",
     .entered =
         [](LyingRing& ring, long result) {
           count_one_more<&Params::sq_off, &SqRingOffsets::dropped>(ring);
           return result;
         }},

    // --- requests: what is done is not what was asked for
    {.name = "refuse_all",
     .says = "the kernel knows no request: it looks like a binding that encodes nothing correctly",
     .submitted = [](LyingRing&, wire::Sqe& sqe) { sqe.opcode = wire::op::nobody; }},
    {.name = "refuses_newer",
     .says = "operations that came with Linux 5.15 or later are refused, though the probe has them",
     .submitted =
         [](LyingRing&, wire::Sqe& sqe) {
           if (sqe.opcode >= wire::op::mkdirat) sqe.opcode = wire::op::nobody;
         }},
    {.name = "hides_mkdirat",
     .says = "MKDIRAT is refused and missing from the probe, as if this kernel were older than it is",
     .submitted =
         [](LyingRing&, wire::Sqe& sqe) {
           if (sqe.opcode == wire::op::mkdirat) sqe.opcode = wire::op::nobody;
         },
     .registering = probe_says<deny_mkdirat>},
    {.name = "ignores_link",
     .says = "requests do not wait for the one that they are linked to",
     .submitted = ignores<wire::io_link>},
    {.name = "ignores_drain",
     .says = "a drain barrier holds nothing back",
     .submitted = ignores<wire::io_drain>},
    {.name = "ignores_fixed_file",
     .says = "the slot of a registered file is treated as a descriptor",
     .submitted = ignores<wire::fixed_file>},
    {.name = "ignores_buffer_select",
     .says = "no buffer is chosen where one is asked for",
     .submitted = ignores<wire::buffer_select>},
    {.name = "ignores_multishot",
     .says = "a multishot request completes once",
     .submitted =
         [](LyingRing&, wire::Sqe& sqe) {
           if (receives(sqe)) sqe.ioprio = 0;
         }},
    {.name = "ignores_offset",
     .says = "reads and writes begin at the start of the file",
     .submitted =
         [](LyingRing&, wire::Sqe& sqe) {
           if (reads(sqe) || writes(sqe)) sqe.off = 0;
         }},
    {.name = "ignores_buf_index",
     .says = "every request with a registered buffer uses the first one",
     .submitted =
         [](LyingRing&, wire::Sqe& sqe) {
           if (is_one_of(sqe.opcode, {wire::op::read_fixed, wire::op::write_fixed})) sqe.buf_index = 0;
         }},
    {.name = "reads_short",
     .says = "reads and receives stop one byte early",
     .submitted =
         [](LyingRing&, wire::Sqe& sqe) {
           if (is_one_of(sqe.opcode, {wire::op::read, wire::op::recv}) && sqe.len > 1) --sqe.len;
         }},
    {.name = "timeouts_at_once",
     .says = "every timeout fires at once",
     .submitted =
         [](LyingRing&, wire::Sqe& sqe) {
           static const wire::Timespec now{.tv_sec = 0, .tv_nsec = 0};
           if (is_one_of(sqe.opcode, {wire::op::timeout, wire::op::link_timeout})) {
             sqe.addr = wire::address(&now);
           }
         }},
    {.name = "reads_nothing",
     .says = "reads complete with all their bytes, but the buffer does not change",
     .submitted =
         [](LyingRing& ring, wire::Sqe& sqe) {
           if (reads(sqe) && sqe.addr != 0) ring.pretend(sqe, bytes_of(sqe));
         }},
    {.name = "writes_nothing",
     .says = "writes complete with all their bytes, but the file does not change",
     .submitted =
         [](LyingRing& ring, wire::Sqe& sqe) {
           if (writes(sqe)) ring.pretend(sqe, bytes_of(sqe));
         }},
    {.name = "syncs_nothing",
     .says = "fsync completes, but nothing is on the disk",
     .submitted =
         [](LyingRing& ring, wire::Sqe& sqe) {
           if (sqe.opcode == wire::op::fsync) ring.pretend(sqe, 0);
         }},
    {.name = "closes_nothing",
     .says = "close completes, but the descriptor stays open",
     .submitted =
         [](LyingRing& ring, wire::Sqe& sqe) {
           if (sqe.opcode == wire::op::close) ring.pretend(sqe, 0);
         }},
    {.name = "changes_nothing",
     .says = "mkdirat, symlinkat, linkat, renameat and unlinkat complete, but the directory does not change",
     .submitted =
         [](LyingRing& ring, wire::Sqe& sqe) {
           if (changes_a_directory(sqe)) ring.pretend(sqe, 0);
         }},
    {.name = "sends_nothing",
     .says = "sends complete with all their bytes, but no bytes arrive",
     .submitted =
         [](LyingRing& ring, wire::Sqe& sqe) {
           if (sqe.opcode == wire::op::send) ring.pretend(sqe, bytes_of(sqe));
         }},
    {.name = "waits_for_nobody",
     .says = "waitid completes at once, but the child was not waited for",
     .submitted =
         [](LyingRing& ring, wire::Sqe& sqe) {
           if (sqe.opcode == wire::op::waitid) ring.pretend(sqe, 0);
         }},
    {.name = "submits_late",
     .says = "SQEs are consumed when they are submitted, but read only at the next wait",
     .submits_late = true},
    {.name = "runs_twice",
     .says = "every request runs a second time, but only the first run completes",
     .runs_twice = true},

    // --- completions
    {.name = "changes_res",
     .says = "the third CQE of a ring has a res that is one too large",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           if (const auto cqe = third(ring, arrived); cqe != arrived.end()) ++cqe->res;
         }},
    {.name = "changes_user_data",
     .says = "the third CQE of a ring has one bit of its user_data wrong",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           if (const auto cqe = third(ring, arrived); cqe != arrived.end()) cqe->user_data ^= 1;
         }},
    {.name = "halves_user_data",
     .says = "the upper 32 bits of user_data do not come back",
     .completed =
         [](LyingRing&, Cqes& arrived) {
           for (wire::Cqe& cqe : arrived) cqe.user_data &= 0xffff'ffff;
         }},
    {.name = "sets_a_flag",
     .says = "the third CQE of a ring has a flag that no kernel defines",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           if (const auto cqe = third(ring, arrived); cqe != arrived.end()) cqe->flags |= 1u << 14;
         }},
    {.name = "drops_a_cqe",
     .says = "the third CQE of a ring is never seen",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           if (const auto cqe = third(ring, arrived); cqe != arrived.end()) arrived.erase(cqe);
         }},
    {.name = "duplicates_a_cqe",
     .says = "the third CQE of a ring comes twice",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           if (const auto cqe = third(ring, arrived); cqe != arrived.end()) arrived.insert(cqe, *cqe);
         }},
    {.name = "invents_a_cqe",
     .says = "the first CQE of a ring is followed by one that belongs to no request",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           if (ring.completions > 0 || arrived.empty()) return;
           arrived.insert(arrived.begin() + 1, {.user_data = 0xdead, .res = 0, .flags = 0});
         }},
    {.name = "swaps_cqes",
     .says = "two CQEs that are there at the same time change places",
     .completed =
         [](LyingRing&, Cqes& arrived) {
           for (std::size_t i = 1; i < arrived.size(); i += 2) std::swap(arrived[i - 1], arrived[i]);
         }},
    {.name = "loses_more", .says = "no CQE says that more will come", .completed = loses<wire::cqe_more>},
    {.name = "adds_more",
     .says = "the third CQE of a ring says that more will come",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           if (const auto cqe = third(ring, arrived); cqe != arrived.end()) cqe->flags |= wire::cqe_more;
         }},
    {.name = "loses_notif",
     .says = "the notification of a zero-copy send does not say that it is one",
     .completed = loses<wire::cqe_notif>},
    {.name = "loses_buffer",
     .says = "no CQE says that it comes with a buffer",
     .completed = loses<wire::cqe_buffer>},
    {.name = "loses_buf_more",
     .says = "no CQE says that its buffer is still in use",
     .completed = loses<wire::cqe_buf_more>},
    {.name = "wrong_buffer_id",
     .says = "a CQE names a buffer other than the one with the bytes",
     .completed =
         [](LyingRing&, Cqes& arrived) {
           for (wire::Cqe& cqe : arrived) cqe.flags ^= (cqe.flags & wire::cqe_buffer) << 16;
         }},
    {.name = "never_nonempty",
     .says = "no CQE says that there is more in its socket",
     .completed = loses<wire::cqe_sock_nonempty>},
    {.name = "always_nonempty",
     .says = "the CQEs of receives and accepts say that there is more in their socket",
     .completed =
         [](LyingRing& ring, Cqes& arrived) {
           for (wire::Cqe& cqe : arrived) {
             if (receives(ring.request(cqe.user_data)) && cqe.res > 0) cqe.flags |= wire::cqe_sock_nonempty;
           }
         }},

    // --- io_uring_register(2)
    {.name = "register_ebusy",
     .says = "the first registration with a ring says that there is one already",
     .registering = [](LyingRing& ring, const RegisterCall& call) -> long {
       if (ring.registrations > 0 || call.op == register_op::probe) return really(call);
       return -EBUSY;
     }},
    {.name = "register_enomem",
     .says = "the first registration with a ring gets no memory",
     .registering = [](LyingRing& ring, const RegisterCall& call) -> long {
       if (ring.registrations > 0 || call.op == register_op::probe) return really(call);
       return -ENOMEM;
     }},
    {.name = "registers_nothing",
     .says = "registrations succeed, but nothing is registered",
     .registering = [](LyingRing&, const RegisterCall& call) -> long {
       return call.op == register_op::probe || unregisters(call.op) ? really(call) : success_of(call);
     }},
    {.name = "unregisters_nothing",
     .says = "unregistering succeeds, but everything stays registered",
     .registering = [](LyingRing&, const RegisterCall& call) -> long {
       return unregisters(call.op) ? 0 : really(call);
     }},
    {.name = "updates_one_less",
     .says = "an update of registered files reports one less than it updated",
     .registering = [](LyingRing&, const RegisterCall& call) -> long {
       const long result = really(call);
       return result - (call.op == register_op::files_update && result > 0);
     }},
    {.name = "ignores_incremental",
     .says = "a buffer ring with incremental consumption is consumed buffer by buffer",
     .registering = [](LyingRing&, const RegisterCall& call) -> long {
       if (call.op != register_op::pbuf_ring) return really(call);
       wire::BufReg whole;
       std::memcpy(&whole, call.arg, sizeof whole);
       whole.flags = static_cast<std::uint16_t>(whole.flags & ~wire::pbuf_ring_inc);
       return really({.fd = call.fd, .op = call.op, .arg = &whole, .count = call.count});
     }},
    {.name = "probe_denies_all",
     .says = "the probe has no operations, but all of them work",
     .registering = probe_says<deny_all>},
    {.name = "probe_promises_all",
     .says = "the probe has every operation, even those that no kernel has",
     .registering = probe_says<promise_all>},
};

// How many characters must be inserted, removed or changed to turn one word into the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Lie> lies() { return table; }

const Lie* find_lie(std::string_view name) {
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const Lie& lie) { return lie.name == name; });
  return found != std::end(table) ? found : nullptr;
}

const Lie& nearest_lie(std::string_view name) {
  return *std::min_element(std::begin(table), std::end(table), [&](const Lie& a, const Lie& b) {
    return distance(a.name, name) < distance(b.name, name);
  });
}

const Lie*& active_lie() {
  static const Lie* lie = nullptr;
  return lie;
}

std::string announced_name(std::string_view binding) {
  if (active_lie() == nullptr) return std::string(binding);
  return std::string(lie_prefix) + std::string(active_lie()->name);
}

}  // namespace conformance
