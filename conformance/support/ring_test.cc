#include "support/ring_test.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "support/environment.h"
#include "support/lies.h"
#include "support/lying_kernel.h"
#include "support/observation.h"

namespace conformance {
namespace {

constexpr std::uint64_t control_before = 0xc0117201'0000000b, control_after = 0xc0117201'0000000a,
                        control_instead = 0xc0117201'0000000c;

// io_uring_register(2) by a system call of our own. A lie reaches it, too: a kernel that lies, lies to
// everybody.
long bare_register(int ring_fd, unsigned op, void* arg, unsigned count) {
  if (active_lie() != nullptr) return LyingKernel::do_register(ring_fd, uring::RegisterOp{op}, arg, count);
  const long result = syscall(SYS_io_uring_register, ring_fd, op, arg, count);
  return result < 0 ? -errno : result;
}

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
  if (const long result = bare_register(ring_fd, register_probe, &answer, 256); result < 0) {
    if (result == -EINVAL) return std::nullopt;
    throw std::runtime_error("IORING_REGISTER_PROBE: " + wire::result_text(result));
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
  const auto why = why_no_ring(entries_, bare_setup(entries_, setup_flags_), testing::PrintToString(opened),
                               read_environment());
  if (const auto* blocked = std::get_if<Blocked>(&why)) stop_blocked(*blocked);
  FAIL() << std::get<std::string>(why);
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

void AnyRingTest::expect_encoding(const binding::Result<binding::Sqe&>& queued, const wire::Sqe& wanted,
                                  const char* file, int line) {
  binding::Sqe& sqe = must(queued);
  if (wire_of(sqe) != wanted) {
    ADD_FAILURE_AT(file, line) << "want   " << to_string(wanted) << "\nqueued " << to_string(wire_of(sqe));
  }
  const wire::Sqe nop{.opcode = wire::op::nop, .user_data = control_instead};
  sqe = std::bit_cast<binding::Sqe>(nop);
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = control_instead, .res = 0, .flags = 0}));
}

std::vector<std::string> AnyRingTest::enters() {
  constexpr std::string_view enter = "enter  ";  // as ObservedKernel writes it
  std::vector<std::string> found;
  for (const std::string& line : wire_log().lines()) {
    if (line.starts_with(enter)) found.push_back(line.substr(enter.size()));
  }
  return found;
}

// Puts these 64 bytes on the ring as they are, and waits for the CQE.
wire::Cqe AnyRingTest::complete_one(const wire::Sqe& sqe) {
  must(ring.nop(0)) = std::bit_cast<binding::Sqe>(sqe);
  must(ring.submit());
  return wait_cqe();
}

// The res of a NOP; throws if another CQE comes first, because then nothing here means anything.
std::int32_t AnyRingTest::control_nop(std::uint64_t user_data) {
  must(ring.nop(user_data));
  must(ring.submit());
  const wire::Cqe cqe = wait_cqe();
  if (cqe.user_data != user_data) throw std::runtime_error("a NOP was answered with " + wire::to_string(cqe));
  return cqe.res;
}

std::string AnyRingTest::conclude(Refusal refusal) {
  for (const std::string& objection : objections(refusal)) ADD_FAILURE() << "no witness: " << objection;
  current_observation().refusal = refusal;
  return describe(refusal);
}

std::string AnyRingTest::refused(const std::function<binding::Result<binding::Sqe&>()>& queue,
                                 const wire::Sqe& wanted, const std::function<std::string()>& happened,
                                 const std::optional<Modifier>& modifier) {
  Refusal refusal{.what = wire::op_name(wanted.opcode), .probed = wanted.opcode};
  if (modifier) {
    refusal.what += " with " + modifier->name;
    refusal.probed = modifier->proxy;
    refusal.may_be_ignored = modifier->in_file_index && !kernel_has(wire::op::mkdirat);  // of 5.15
  }
  refusal.probe = probe(ring.fd(), refusal.probed);
  refusal.before_5_5 = (ring.features() & wire::feat_submit_stable) == 0;
  refusal.nop_before = control_nop(control_before);

  // Through the binding, so that its encoding is judged on kernels without the operation too. Queued anew for
  // the second attempt: what the request needs around it (a client that connects) comes with it.
  std::array<wire::Cqe, 3> answers;
  for (wire::Cqe* answer : {&answers[0], &answers[1]}) {
    EXPECT_EQ(wire_of(must(queue())), wanted);
    must(ring.submit());
    *answer = wait_cqe();
    if (refusal.may_be_ignored && answer->res > 0) close(answer->res);  // it is an ordinary descriptor then
  }
  wire::Sqe unknown = wanted;
  unknown.opcode = wire::op::nobody;
  answers[2] = complete_one(unknown);
  refusal.res = answers[0].res;
  refusal.again = answers[1].res;
  refusal.nobody = answers[2].res;
  for (const wire::Cqe& answer : answers) {
    refusal.cqe_flags |= answer.flags;
    refusal.user_data_came_back &= answer.user_data == wanted.user_data;
  }
  refusal.nop_after = control_nop(control_after);
  refusal.extra_cqes = ring.cq_ready();
  refusal.happened = happened();
  return conclude(refusal);
}

std::string AnyRingTest::registration_refused(const std::string& name, const std::function<int()>& attempt,
                                              std::uint8_t proxy) {
  constexpr unsigned nobody = 0x7fff;  // 7.3 is at 37
  Refusal refusal{.what = name, .probed = proxy, .probe = probe(ring.fd(), proxy)};
  refusal.nop_before = control_nop(control_before);
  refusal.res = -attempt();
  refusal.again = -attempt();
  refusal.nobody = static_cast<std::int32_t>(bare_register(ring.fd(), nobody, nullptr, 0));
  refusal.nop_after = control_nop(control_after);
  refusal.extra_cqes = ring.cq_ready();
  return conclude(refusal);
}

}  // namespace conformance
