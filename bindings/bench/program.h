// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What the two measuring programs share: the rows, the plug-ins, and the surroundings of a row.
#ifndef BINDINGS_BENCH_PROGRAM_H
#define BINDINGS_BENCH_PROGRAM_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "plugin.h"

namespace bench {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

// A row of the table: what is done, in batches of which size, on a ring of which kind.
struct Row {
  std::string name;  // "nop/1", "nop/1/sqpoll"
  bench_kind kind;
  u32 batch;
  u32 ring_flags;
};
std::vector<Row> all_rows();

// A binding: NAME=path/of/plugin.so on the command line.
struct Plugin {
  std::string name;
  decltype(&bench_open) open;
  decltype(&bench_run) run;
  decltype(&bench_close) close;
};
std::vector<Plugin> load_plugins(int count, char** arguments);

// Says what is wrong and ends the program with exit code 2.
[[noreturn]] void fail(const std::string& what);

// A row of a binding, opened. Ends the program when it cannot be opened, or when a result is wrong:
// measurements of requests that went wrong are worthless.
class Bench {
 public:
  Bench(const Row& row, const Plugin& plugin);
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void run(u64 rounds);

 private:
  const Row& row_;
  const Plugin& plugin_;
  bench_setup setup_;
  std::array<unsigned char, bench_buffers * bench_page>* memory_;
  void* bench_ = nullptr;
};

}  // namespace bench

#endif
