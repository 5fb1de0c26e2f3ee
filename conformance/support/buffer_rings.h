// Buffer rings, used up in both ways: a buffer for each receive, or (from 6.12 on) receive after receive
// until it is full. An older kernel that is asked for the second gives the first, and nobody may notice but
// by asking.
#ifndef CONFORMANCE_SUPPORT_BUFFER_RINGS_H
#define CONFORMANCE_SUPPORT_BUFFER_RINGS_H

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <random>
#include <tuple>
#include <vector>

#include "support/sockets.h"

namespace conformance {

using Bytes = std::vector<unsigned char>;

// 0, 1, 2 ...
inline Bytes counting_bytes(std::size_t count) {
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<unsigned char>(i));
  return bytes;
}
inline Bytes slice(const Bytes& bytes, std::size_t from, std::size_t count) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(count));
}

// Random user_data. The seed stands in the failure; `--gtest_random_seed=N` repeats it.
class RandomUserData {
 public:
  RandomUserData() : seed_(GTEST_FLAG_GET(random_seed)) {
    if (seed_ == 0) seed_ = static_cast<int>(std::random_device{}() % 99999 + 1);
    numbers_.seed(static_cast<unsigned>(seed_));
  }
  std::uint64_t operator()() { return numbers_(); }
  std::string seed() const { return "--gtest_random_seed=" + std::to_string(seed_); }

 private:
  int seed_;
  std::mt19937_64 numbers_;
};

// What the kernel does with the buffers of a group, as io_uring_setup_buf_ring(3) tells it: takes them in the
// order they were added. One that is used up incrementally stays in front until it is full.
class BufferModel {
 public:
  BufferModel(binding::Consumption consumption, std::uint32_t count, std::uint32_t size)
      : consumption_(consumption), size_(size) {
    for (std::uint32_t id = 0; id < count; ++id) put(id);
  }
  // Size and flags of the CQE of a receive while `available` bytes are there; -ENOBUFS when no buffer is.
  wire::Cqe take(std::uint64_t user_data, std::size_t available) {
    if (queue_.empty()) return {.user_data = user_data, .res = -ENOBUFS, .flags = 0};
    Buffer& front = queue_.front();
    const std::uint32_t bytes = std::min(size_ - front.used, static_cast<std::uint32_t>(available));
    std::uint32_t flags = front.id << 16 | wire::cqe_buffer;
    front.used += bytes;
    if (consumption_ == binding::Consumption::whole || front.used == size_) {
      queue_.pop_front();
    } else {
      flags |= wire::cqe_buf_more;
    }
    return {.user_data = user_data, .res = static_cast<std::int32_t>(bytes), .flags = flags};
  }
  // A buffer with buf_more was not taken out, so putting it back changes nothing.
  void put(const wire::Cqe& cqe) {
    if ((cqe.flags & wire::cqe_buf_more) == 0) put(cqe.flags >> 16);
  }

 private:
  struct Buffer {
    std::uint32_t id, used = 0;
  };
  void put(std::uint32_t id) { queue_.push_back({.id = id}); }

  binding::Consumption consumption_;
  std::uint32_t size_;
  std::deque<Buffer> queue_;
};

// A test over a group of `count` buffers of `size` bytes, on rings of several sizes, in both ways of
// consumption.
template <std::uint32_t count, std::uint32_t size>
class BufferRingTest : public AnySocketTest,
                       public testing::WithParamInterface<std::tuple<unsigned, binding::Consumption>> {
 protected:
  static constexpr std::uint16_t group_id = 1;
  BufferRingTest() : AnySocketTest(std::get<0>(GetParam()), 0) {}

  static binding::Consumption wanted_consumption() { return std::get<1>(GetParam()); }

  // The receives have length 0. That means "a buffer full" from 6.0 on; 5.19 has the ring of buffers, and
  // takes the 0 literally.
  bool kernel_has_buffer_rings() const { return kernel_has(wire::op::send_zc); }
  std::string witness() {
    // What the kernel cannot be asked for without the row is judged by its bytes.
    wire::Sqe receive{.opcode = wire::op::recv,
                      .flags = wire::buffer_select,
                      .fd = 1,
                      .user_data = 2,
                      .buf_index = group_id};
    expect_encoding(ring.recv_select(2, 1, group_id, 0, 0), receive);
    receive.ioprio = wire::recv_multishot;
    expect_encoding(ring.recv_multishot(2, 1, group_id, 0), receive);
    return registration_refused(
        "REGISTER_PBUF_RING",
        [&] {
          return binding::errno_of(group.init(ring, group_id, memory, size, wanted_consumption()).error());
        },
        wire::op::socket);
  }

  // Opens the group. It is used up as asked if the kernel can, which we ask it ourselves.
  void open_group() {
    const bool incremental =
        wanted_consumption() == binding::Consumption::incremental && kernel_has_incremental_consumption();
    const binding::Result<void> opened = group.init(ring, group_id, memory, size, wanted_consumption());
    if (!opened.ok()) throw std::runtime_error("no group of buffers: " + testing::PrintToString(opened));
    const auto consumption = incremental ? binding::Consumption::incremental : binding::Consumption::whole;
    EXPECT_EQ(group.consumption(), consumption);
    model = BufferModel(consumption, count, size);
  }

  wire::Sqe recv_wanted(std::uint64_t user_data, int fd) const {
    return {.opcode = wire::op::recv,
            .flags = wire::buffer_select,
            .fd = fd,
            .user_data = user_data,
            .buf_index = group_id};
  }
  wire::Sqe recv_multishot_wanted(std::uint64_t user_data, int fd) const {
    wire::Sqe sqe = recv_wanted(user_data, fd);
    sqe.ioprio = wire::recv_multishot;
    return sqe;
  }
  // Sends with a request of its own.
  void send(std::uint64_t user_data, int fd, const Bytes& data) {
    const auto bytes = static_cast<std::uint32_t>(data.size());
    EXPECT_EQ(wire_of(must(ring.send(user_data, fd, std::as_bytes(std::span(data)), 0))),
              (wire::Sqe{.opcode = wire::op::send,
                         .fd = fd,
                         .addr = wire::address(data.data()),
                         .len = bytes,
                         .user_data = user_data}));
    EXPECT_EQ(complete(),
              (wire::Cqe{.user_data = user_data, .res = static_cast<std::int32_t>(bytes), .flags = 0}));
  }
  // Receives once through the group, while `available` bytes are there: what comes is what the model says.
  wire::Cqe receive(std::uint64_t user_data, int fd, std::size_t available) {
    EXPECT_EQ(wire_of(must(group.recv(user_data, fd, 0))), recv_wanted(user_data, fd));
    EXPECT_EQ(ring.submit(), 1);
    return expect_received(user_data, available);
  }
  // Takes the CQE of a receive. More may be left in the socket, and the receive may go on (`more`).
  wire::Cqe expect_received(std::uint64_t user_data, std::size_t available, std::uint32_t more = 0) {
    const wire::Cqe cqe = wait_cqe();
    wire::Cqe want = model.take(user_data, available);
    if (want.res >= 0) want.flags |= more;
    EXPECT_EQ(without_nonempty(cqe), want);
    return cqe;
  }
  static wire::Cqe without_nonempty(wire::Cqe cqe) {
    cqe.flags &= ~wire::cqe_sock_nonempty;
    return cqe;
  }

  // What the CQE delivered, through the group.
  Bytes bytes_of(const wire::Cqe& cqe) const {
    const auto got = group.get(std::bit_cast<binding::Cqe>(cqe));
    if (!got.ok()) throw std::runtime_error("no bytes for " + wire::to_string(cqe));
    Bytes bytes;
    for (const std::byte byte : got.value()) bytes.push_back(static_cast<unsigned char>(byte));
    return bytes;
  }
  void put(const wire::Cqe& cqe) {
    EXPECT_TRUE(group.put(std::bit_cast<binding::Cqe>(cqe)).ok());
    model.put(cqe);
  }
  // A CQE that names no buffer has none to give.
  void expect_no_buffer(const wire::Cqe& cqe) {
    EXPECT_EQ(group.get(std::bit_cast<binding::Cqe>(cqe)), binding::Error::no_buffer_selected);
    EXPECT_EQ(group.put(std::bit_cast<binding::Cqe>(cqe)), binding::Error::no_buffer_selected);
  }

  RandomUserData random_user_data;
  std::array<std::byte, std::size_t{count} * size> memory{};
  binding::BufferGroup group;
  BufferModel model{binding::Consumption::whole, 0, size};

 private:
  // Registers a ring of buffers for incremental consumption with a system call of our own: EINVAL
  // before 6.12.
  bool kernel_has_incremental_consumption() const {
    constexpr unsigned register_pbuf_ring = 22, unregister_pbuf_ring = 23;
    alignas(4096) static std::array<std::byte, 4096> entries;
    struct {
      std::uint64_t ring_addr;
      std::uint32_t ring_entries;
      std::uint16_t bgid, flags;
      std::uint64_t resv[3];
    } request{wire::address(entries.data()), 1, group_id + 1, 2, {}};
    if (syscall(SYS_io_uring_register, ring.fd(), register_pbuf_ring, &request, 1) < 0) {
      if (errno == EINVAL) return false;
      throw std::runtime_error("IORING_REGISTER_PBUF_RING with IOU_PBUF_RING_INC failed, and not with EINVAL");
    }
    request = {0, 0, group_id + 1, 0, {}};
    if (syscall(SYS_io_uring_register, ring.fd(), unregister_pbuf_ring, &request, 1) < 0) {
      throw std::runtime_error("IORING_UNREGISTER_PBUF_RING failed");
    }
    return true;
  }
};

inline auto both_consumptions() {
  return testing::Combine(testing::Values(16u, 2u),
                          testing::Values(binding::Consumption::whole, binding::Consumption::incremental));
}
inline std::string consumption_name(
    const testing::TestParamInfo<std::tuple<unsigned, binding::Consumption>>& info) {
  return "Ring" + std::to_string(std::get<0>(info.param)) +
         (std::get<1>(info.param) == binding::Consumption::whole ? "Whole" : "Incremental");
}

}  // namespace conformance

#endif
