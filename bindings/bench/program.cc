// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "program.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {
namespace {

// By number, because they are newer than this distribution's header.
constexpr u32 single_issuer_defer_taskrun = 1u << 12 | 1u << 13;

// A file of one page, in the page cache because it was just written, and without a name. It must be readable
// without waiting: a kernel that cannot promise that (of a memfd, for example) hands each read to a worker
// thread, and the row would measure threads.
int cached_page() {
  const char* const wanted = std::getenv("TMPDIR");
  const std::string directory = wanted == nullptr ? "/tmp" : wanted;
  const int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  std::array<char, bench_page> page{};
  if (file < 0 || ::write(file, page.data(), page.size()) != bench_page) {
    fail("no file in " + directory + ": " + std::strerror(errno) + ". Name another directory with TMPDIR.");
  }
  const ::iovec to{page.data(), page.size()};
  if (::preadv2(file, &to, 1, 0, RWF_NOWAIT) != bench_page) {
    fail("files in " + directory +
         " cannot be read without waiting. Name a directory on another file system with TMPDIR.");
  }
  return file;
}

template <class Function>
Function symbol(void* library, const char* name) {
  void* const address = ::dlsym(library, name);
  if (address == nullptr) fail(::dlerror());
  return reinterpret_cast<Function>(address);
}

Plugin load(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos) fail(argument + " is not NAME=path/of/plugin.so");
  // Local, so that two versions of one library never meet.
  void* const library = ::dlopen(argument.substr(equals + 1).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail(::dlerror());
  return {argument.substr(0, equals), symbol<decltype(&bench_open)>(library, "bench_open"),
          symbol<decltype(&bench_run)>(library, "bench_run"),
          symbol<decltype(&bench_close)>(library, "bench_close")};
}

}  // namespace

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  const auto add = [&](const std::string& name, bench_kind kind, u32 batch, bool sqpoll) {
    rows.push_back({name, kind, batch, 0});
    rows.push_back({name + "/defer", kind, batch, single_issuer_defer_taskrun});
    if (sqpoll) rows.push_back({name + "/sqpoll", kind, batch, IORING_SETUP_SQPOLL});
  };
  for (const u32 batch : {1u, 32u}) add("nop/" + std::to_string(batch), bench_nop, batch, true);
  for (const u32 batch : {1u, 32u}) add("read/" + std::to_string(batch), bench_read, batch, true);
  for (const u32 batch : {1u, 32u})
    add("read_fixed/" + std::to_string(batch), bench_read_fixed, batch, false);
  add("ping_pong/1", bench_ping_pong, 1, false);
  for (const u32 batch : {1u, 32u}) add("receive/" + std::to_string(batch), bench_receive, batch, false);
  return rows;
}

std::vector<Plugin> load_plugins(int count, char** arguments) {
  std::vector<Plugin> plugins;
  for (int i = 0; i != count; ++i) plugins.push_back(load(arguments[i]));
  if (plugins.empty()) fail("no binding: give NAME=path/of/plugin.so for each");
  return plugins;
}

void fail(const std::string& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::_Exit(2);
}

Bench::Bench(const Row& row, const Plugin& plugin) : row_(row), plugin_(plugin) {
  // Pages, so that a read never has to split.
  memory_ = static_cast<decltype(memory_)>(std::aligned_alloc(bench_page, sizeof *memory_));
  if (memory_ == nullptr) fail("out of memory");
  memory_->fill(0);
  setup_ = {.kind = row.kind,
            .batch = row.batch,
            .ring_flags = row.ring_flags,
            .file = cached_page(),
            .sockets = {},
            .memory = memory_->data()};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, setup_.sockets) != 0) fail("no socket pair");
  if (const int error = plugin_.open(&setup_, &bench_); error != 0) {
    fail(plugin_.name + " cannot open " + row_.name + ": " + std::strerror(-error));
  }
}

Bench::~Bench() {
  plugin_.close(bench_);
  for (const int fd : {setup_.file, setup_.sockets[0], setup_.sockets[1]}) ::close(fd);
  std::free(memory_);
}

void Bench::run(u64 rounds) {
  const u64 wrong = plugin_.run(bench_, rounds);
  if (wrong != 0) fail(plugin_.name + " in " + row_.name + ": " + std::to_string(wrong) + " wrong results");
}

}  // namespace bench
