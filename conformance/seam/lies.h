// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Lies that a kernel can tell the binding under test, each with one sentence that says what the kernel
// pretends. A suite is as good as what it notices: `conformance --binding=lie:NAME` runs all of it through
// one lie, and conformance/catalogue/lies.toml says which tests must turn red then. lying_kernel.h is the
// kernel that tells them.
#ifndef CONFORMANCE_SEAM_LIES_H
#define CONFORMANCE_SEAM_LIES_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seam/kernel_abi.h"
#include "seam/wire.h"

namespace conformance {

class LyingRing;

// A call of io_uring_enter(2).
struct EnterCall {
  std::uint32_t to_submit, min_complete, flags;
};

// A call of io_uring_register(2).
struct RegisterCall {
  int fd;
  std::uint32_t op;
  const void* arg;
  std::uint32_t count;
};

// A lie, and where on the way it is told. What it leaves out happens as the real kernel does it. Where a
// function stands for a call, it returns what the binding sees; a negative errno of `opening`, `mapping`
// and `entering` comes instead of the call, and 0 lets it happen.
struct Lie {
  std::string_view name;
  std::string_view says;

  // io_uring_setup(2) before and after, and the memory of the ring.
  long (*opening)(unsigned nth_of_process) = nullptr;
  void (*opened)(wire::Params& told) = nullptr;
  long (*mapping)(std::uint64_t offset, unsigned nth_of_process) = nullptr;
  void (*mapped)(LyingRing& ring) = nullptr;

  // io_uring_enter(2): before, each request on its way to the kernel, what arrived from there, and after.
  long (*entering)(const LyingRing& ring, EnterCall& call) = nullptr;
  void (*submitted)(LyingRing& ring, wire::Sqe& sqe) = nullptr;
  bool runs_twice = false;
  bool submits_late = false;
  void (*completed)(LyingRing& ring, std::vector<wire::Cqe>& arrived) = nullptr;
  long (*entered)(LyingRing& ring, long result) = nullptr;

  // io_uring_register(2), instead of it.
  long (*registering)(LyingRing& ring, const RegisterCall& call) = nullptr;
};

std::span<const Lie> lies();

// The lie of that name, or null.
const Lie* find_lie(std::string_view name);

// The lie whose name looks most like `name`.
const Lie& nearest_lie(std::string_view name);

// The lie that is told, or null.
const Lie*& active_lie();

// As which the program runs: "lie:NAME", or the name of the binding.
inline constexpr std::string_view lie_prefix = "lie:";
std::string announced_name(std::string_view binding);

}  // namespace conformance

#endif
