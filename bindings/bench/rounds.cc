// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// bench_rounds ROUNDS NAME=path/of/plugin.so...: runs every row on every binding, a fixed number of rounds,
// for tools that count: callgrind the instructions, strace the system calls. Without a tool it is the
// benchmark's own test.
//
// What lies between the two calls of a row, ROUNDS and then twice as many, is ROUNDS rounds and nothing else:
// no setup, no warming up, no marks. Prints one line for each call of `measured`, in order: row, binding,
// rounds, operations.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "program.h"

// callgrind counts while this function runs, strace shows the mark before and after it. Not inlined, and with
// a plain name, so that a tool finds it.
extern "C" [[gnu::noinline]] void measured(bench::Bench& bench, bench::u64 rounds) { bench.run(rounds); }

namespace {

// A write that fails: the only system call that shows text to strace and does nothing else.
void mark(const std::string& text) {
  if (::write(-1, text.data(), text.size()) != -1) bench::fail("a write to no file succeeded");
}

void run(const bench::Row& row, const bench::Plugin& plugin, bench::u64 rounds) {
  bench::Bench bench(row, plugin);
  bench.run(2);  // the first time resolves symbols and touches memory
  for (const bench::u64 count : {rounds, 2 * rounds}) {
    mark("begin");
    measured(bench, count);
    mark("end");
    std::printf("%s %s %llu %llu\n", row.name.c_str(), plugin.name.c_str(),
                static_cast<unsigned long long>(count), static_cast<unsigned long long>(count) * row.batch);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::u64 rounds = argc < 2 ? 0 : std::strtoull(argv[1], nullptr, 10);
  if (rounds == 0 || rounds % 2 != 0)
    bench::fail("usage: bench_rounds ROUNDS NAME=path/of/plugin.so... (ROUNDS even)");
  const auto plugins = bench::load_plugins(argc - 2, argv + 2);
  for (const bench::Row& row : bench::all_rows()) {
    for (const bench::Plugin& plugin : plugins) run(row, plugin, rounds);
  }
}
