#include "support/ring_test.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "support/environment.h"
#include "support/observation.h"

namespace conformance {
namespace {

constexpr std::uint64_t control_before = 0xc0117201'0000000b, control_after = 0xc0117201'0000000a;

// What IORING_REGISTER_PROBE (5.6) says of an opcode; nothing when there is no probe.
std::optional<bool> probe(int ring_fd, std::uint8_t opcode) {
  struct {
    std::uint8_t last_op, ops_len;
    std::uint16_t resv;
    std::uint32_t resv2[3];
    struct {
      std::uint8_t op, resv;
      std::uint16_t flags;
      std::uint32_t resv2;
    } ops[256];
  } answer{};
  constexpr unsigned register_probe = 8;
  if (syscall(SYS_io_uring_register, ring_fd, register_probe, &answer, 256) < 0) {
    if (errno == EINVAL) return std::nullopt;
    throw std::runtime_error(std::string("IORING_REGISTER_PROBE: ") + strerrorname_np(errno));
  }
  return opcode <= answer.last_op && opcode < answer.ops_len && (answer.ops[opcode].flags & 1) != 0;
}

}  // namespace

void AnyRingTest::SetUp() {
  // Closed rings give their memory back a moment later, and up to 5.11 it counts against RLIMIT_MEMLOCK.
  using namespace std::chrono_literals;
  binding::Result<void> opened = ring.init(entries_, setup_flags_);
  for (int i = 0; i < 100 && opened == binding::Error::nomem; ++i) {
    std::this_thread::sleep_for(10ms);
    opened = ring.init(entries_, setup_flags_);
  }
  if (opened.ok()) return;
  if (auto blocked = why_blocked(binding::errno_of(opened.error()), read_environment()))
    stop_blocked(*blocked);
  FAIL() << "a ring of " << entries_ << " cannot be opened: " << testing::PrintToString(opened);
}

wire::Cqe AnyRingTest::wait_cqe() {
  binding::Cqe cqe{};
  must(ring.copy_cqe(cqe));
  return wire_of(cqe);
}

bool AnyRingTest::kernel_has(std::uint8_t opcode) const {
  if (const std::optional<bool> answer = probe(ring.fd(), opcode)) return *answer;
  const bool is_5_5 = (ring.features() & (wire::feat_nodrop | wire::feat_submit_stable)) != 0;
  constexpr std::uint8_t last_of_5_4 = 11, last_of_5_5 = 16;  // TIMEOUT, CONNECT
  return opcode <= (is_5_5 ? last_of_5_5 : last_of_5_4);
}

// Puts these 64 bytes on the ring as they are, and waits for the CQE.
wire::Cqe AnyRingTest::complete_one(const wire::Sqe& wanted) {
  must(ring.nop(0)) = std::bit_cast<binding::Sqe>(wanted);
  must(ring.submit());
  return wait_cqe();
}

std::string AnyRingTest::refused(const std::function<binding::Result<binding::Sqe&>()>& queue,
                                 const wire::Sqe& wanted, const std::function<std::string()>& happened) {
  Refusal refusal{.op = wanted.opcode};
  refusal.probe = probe(ring.fd(), wanted.opcode);
  refusal.before_5_5 = (ring.features() & wire::feat_submit_stable) == 0;

  must(ring.nop(control_before));
  must(ring.submit());
  refusal.nop_before = wait_cqe().res;

  // Through the binding, so that its encoding is judged on kernels without the operation too.
  EXPECT_EQ(wire_of(must(queue())), wanted);
  must(ring.submit());
  const wire::Cqe first = wait_cqe();
  const wire::Cqe second = complete_one(wanted);
  wire::Sqe unknown = wanted;
  unknown.opcode = wire::op::nobody;
  const wire::Cqe nobody = complete_one(unknown);
  refusal.res = first.res;
  refusal.again = second.res;
  refusal.nobody = nobody.res;
  refusal.cqe_flags = first.flags | second.flags | nobody.flags;
  refusal.user_data_came_back = first.user_data == wanted.user_data && second.user_data == wanted.user_data &&
                                nobody.user_data == wanted.user_data;

  must(ring.nop(control_after));
  must(ring.submit());
  const wire::Cqe after = wait_cqe();
  // One CQE each and in order, or this is not the NOP's.
  refusal.user_data_came_back = refusal.user_data_came_back && after.user_data == control_after;
  refusal.nop_after = after.res;
  refusal.extra_cqes = ring.cq_ready();
  refusal.happened = happened();

  for (const std::string& objection : objections(refusal)) ADD_FAILURE() << "no witness: " << objection;
  current_observation().refusal = refusal;
  return describe(refusal);
}

}  // namespace conformance
