// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// bench_times NAME=path/of/plugin.so... [Google Benchmark's options]: the time of every row on every binding.
// The repetitions are interleaved in random order, so that other load on the machine affects all of them.
#include <benchmark/benchmark.h>

#include <string>

#include "program.h"

namespace {

// One iteration is one operation; the ring is opened once for each repetition.
void measure(benchmark::State& state, const bench::Row& row, const bench::Plugin& plugin) {
  constexpr bench::u64 rounds = 1024;  // between two looks at the clock
  bench::Bench bench(row, plugin);
  bench.run(rounds);
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(rounds * row.batch)))
    bench.run(rounds);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);  // takes its own options away
  const auto rows = bench::all_rows();
  const auto plugins = bench::load_plugins(argc - 1, argv + 1);
  for (const bench::Row& row : rows) {
    for (const bench::Plugin& plugin : plugins) {
      benchmark::RegisterBenchmark((row.name + " " + plugin.name).c_str(), measure, std::cref(row),
                                   std::cref(plugin));
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
