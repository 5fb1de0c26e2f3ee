// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// nvme_read: reads blocks of an NVMe drive and writes them to standard output, for example the first eight:
//
//   nvme_read /dev/ng0n1 0 8
//
// The drive gets its own commands, without the block layer and the page cache between (NVMe passthrough).
// Shows commands to drivers: uring_cmd with a struct of the driver's as its payload, on a ring with large
// entries. Such a command is like the ioctl NVME_IOCTL_IO_CMD, except that it does not block.
//
// Needs Linux 5.19, and root. Only reads.
// Build: c++ -std=c++20 -I bindings/include bindings/examples/nvme_read.cc -o nvme_read
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uring/uring.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace {

using uring::Error, uring::u32, uring::u64;

// Of the NVMe specification: the commands, and where the answer to Identify has what we look for.
constexpr unsigned char identify = 0x06, read_command = 0x02;
constexpr std::size_t flbas = 26, lba_formats = 128, lba_data_size = 2;

constexpr u32 in_flight = 8, bytes_each = 4096;  // every drive takes so many at once
alignas(4096) std::byte buffers[in_flight][bytes_each];

[[noreturn]] void fail(const char* what, Error error) {
  std::fprintf(stderr, "nvme_read: %s: %s\n", what, uring::what(error).c_str());
  std::exit(1);
}
[[noreturn]] void fail_status(const char* what, int status) {
  std::fprintf(stderr, "nvme_read: %s: the drive says 0x%x (status of NVMe)\n", what,
               static_cast<unsigned>(status));
  std::exit(1);
}

struct Namespace {
  int fd;
  u32 id, block_bytes;
};

// What the drive says of itself: asked once, so that ioctl(2) will do.
Namespace describe(int fd) {
  const int id = ioctl(fd, NVME_IOCTL_ID);
  if (id < 0) fail("not a namespace of an NVMe drive", static_cast<Error>(errno));
  alignas(4096) static unsigned char answer[4096];
  nvme_admin_cmd command{};
  command.opcode = identify;
  command.nsid = static_cast<u32>(id);
  command.addr = uring::address_of(answer);
  command.data_len = sizeof answer;
  const int status = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command);
  if (status < 0) fail("Identify", static_cast<Error>(errno));
  if (status > 0) fail_status("Identify", status);
  const unsigned format = (answer[flbas] & 0x0f) | (answer[flbas] & 0x60) >> 1;
  const unsigned log2 = answer[lba_formats + 4 * format + lba_data_size];
  if (log2 < 9 || log2 > 12) fail("blocks of this size", Error::opnotsupp);
  return {fd, static_cast<u32>(id), 1u << log2};
}

// Queues the command that reads `count` blocks into a buffer, whose number becomes its user_data.
void queue_read(uring::Ring128x32& ring, const Namespace& drive, u32 buffer, u64 first, u32 count) {
  nvme_uring_cmd command{};
  command.opcode = read_command;
  command.nsid = drive.id;
  command.addr = uring::address_of(buffers[buffer]);
  command.data_len = count * drive.block_bytes;
  command.cdw10 = static_cast<u32>(first);
  command.cdw11 = static_cast<u32>(first >> 32);
  command.cdw12 = count - 1;
  // The 72 bytes are copied into the SQE.
  const auto queued = ring.uring_cmd(buffer, drive.fd, NVME_URING_CMD_IO, command);
  if (!queued) fail("uring_cmd", queued.error());
}

// Submits the commands, and returns when they have completed, in whatever order.
void wait_for(uring::Ring128x32& ring, u32 commands) {
  while (commands > 0) {
    const auto submitted = ring.submit_and_wait(commands);
    if (!submitted && submitted != Error::intr) fail("io_uring_enter", submitted.error());
    commands -= ring.for_each_cqe([](const uring::Cqe32& cqe) {
      if (cqe.res < 0) fail("read", cqe.error());  // the kernel refused it
      if (cqe.res > 0) fail_status("read", cqe.res);
    });
  }
}

void write_all(const std::byte* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = write(STDOUT_FILENO, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("standard output", static_cast<Error>(errno));
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

// Several commands at a time. All buffers but the last one are full, and lie next to each other.
void copy(uring::Ring128x32& ring, const Namespace& drive, u64 first, u64 count) {
  const u32 blocks_each = bytes_each / drive.block_bytes;
  while (count > 0) {
    u64 blocks = 0;
    u32 commands = 0;
    for (; commands != in_flight && blocks != count; ++commands) {
      const u32 some = static_cast<u32>(std::min<u64>(blocks_each, count - blocks));
      queue_read(ring, drive, commands, first + blocks, some);
      blocks += some;
    }
    wait_for(ring, commands);
    write_all(buffers[0], blocks * drive.block_bytes);
    first += blocks;
    count -= blocks;
  }
}

// A number, all of the argument.
u64 number(const char* text) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0') fail(text, Error::inval);
  if (errno != 0) fail(text, static_cast<Error>(errno));
  return value;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fputs("usage: nvme_read DEVICE FIRST COUNT\n", stderr);
    return 2;
  }
  const u64 first = number(arguments[2]), blocks = number(arguments[3]);
  const int fd = open(arguments[1], O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(arguments[1], static_cast<Error>(errno));
  const Namespace drive = describe(fd);
  uring::Ring128x32 ring;
  if (const auto opened = ring.init(in_flight); !opened) fail("no ring", opened.error());
  copy(ring, drive, first, blocks);
}
