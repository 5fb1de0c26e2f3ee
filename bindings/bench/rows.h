// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The rows of the benchmark, once for every C++ binding: only `Adapter` differs. BENCH_EXPORT(Adapter) at the
// end of an adapter's file makes the plug-in. rust/src/lib.rs has the same rows in the same order.
//
// An adapter is the binding's own fastest documented way to
//   open(setup)            make the ring, and register file, buffers or buffer group; a negative errno or 0
//   nop(user_data) ...     queue a request
//   submit_and_wait(n)     submit, and wait for n CQEs
//   take(visit)            visit(user_data, res, flags) for each CQE that is there; returns their count
//   put_back(flags, res)   give the buffer of this CQE back to the group, which knows its size only at run
//                          time; both are checked: the buffer's number, and that `res` fits into it
// and stops the program when the binding reports an error: no row has room for one.
#ifndef BINDINGS_BENCH_ROWS_H
#define BINDINGS_BENCH_ROWS_H

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>

#include "plugin.h"

namespace bench {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i32 = std::int32_t;

// Multishot CQEs carry this user_data; requests are numbered from 1.
inline constexpr u64 multishot = 0;

template <class Adapter>
class Rows {
 public:
  explicit Rows(const bench_setup& setup) : setup_(setup) {}

  int open() {
    const int error = adapter_.open(setup_);
    if (error == 0 && setup_.kind == bench_receive) adapter_.recv_multishot(multishot, setup_.sockets[1]);
    return error;
  }

  u64 run(u64 rounds) {
    switch (setup_.kind) {
      case bench_nop:
        return run_batches(rounds, 0, [](Adapter& adapter, const bench_setup&, u64 user_data, u32) {
          adapter.nop(user_data);
        });
      case bench_read:
        return run_batches(rounds, bench_page,
                           [](Adapter& adapter, const bench_setup& setup, u64 user_data, u32 i) {
                             adapter.read(user_data, setup.file, setup.memory + i * bench_page, bench_page);
                           });
      case bench_read_fixed:
        return run_batches(rounds, bench_page,
                           [](Adapter& adapter, const bench_setup& setup, u64 user_data, u32 i) {
                             adapter.read_fixed(user_data, setup.memory + i * bench_page, bench_page);
                           });
      case bench_ping_pong: return run_ping_pong(rounds);
      case bench_receive: return run_receive(rounds);
      default: return 1;
    }
  }

 private:
  // Each row is a function of its own, or its use of registers would depend on the other rows. Each copies
  // the setup, so that no request can point to it and it can stay in registers.

  // Each result must be `expected`, and each wait must bring all of them; the sum of all user_data reveals a
  // CQE that is lost or comes twice.
  template <class Queue>
  [[gnu::noinline]] u64 run_batches(u64 rounds, i32 expected, Queue queue) {
    const bench_setup setup = setup_;
    u64 wrong = 0, queued = 0, sum = 0;
    for (u64 round = 0; round != rounds; ++round) {
      for (u32 i = 0; i != setup.batch; ++i) queue(adapter_, setup, ++queued, i);
      adapter_.submit_and_wait(setup.batch);
      const u32 taken = adapter_.take([&](u64 user_data, i32 res, u32) {
        sum += user_data;
        wrong += res != expected;
      });
      if (taken != setup.batch) return 1;
    }
    return wrong + (sum != queued * (queued + 1) / 2);
  }

  // The receive is queued first: it finds nothing, waits, and the message wakes it up, as in a program that
  // talks to another.
  [[gnu::noinline]] u64 run_ping_pong(u64 rounds) {
    const bench_setup setup = setup_;
    u64 wrong = 0, queued = 0, sum = 0;
    for (u64 round = 0; round != rounds; ++round) {
      const u32 from = round & 1;
      adapter_.recv(++queued, setup.sockets[1 - from], setup.memory + bench_page, bench_message);
      adapter_.send(++queued, setup.sockets[from], setup.memory, bench_message);
      adapter_.submit_and_wait(2);
      const u32 taken = adapter_.take([&](u64 user_data, i32 res, u32) {
        sum += user_data;
        wrong += res != static_cast<i32>(bench_message);
      });
      if (taken != 2) return 1;
    }
    return wrong + (sum != queued * (queued + 1) / 2);
  }

  // One receive for all messages: it must never end, and each of its CQEs brings a buffer, which is given
  // back.
  [[gnu::noinline]] u64 run_receive(u64 rounds) {
    const bench_setup setup = setup_;
    const u32 batch = setup.batch;
    u64 wrong = 0, queued = 0, sum = 0;
    for (u64 round = 0; round != rounds; ++round) {
      for (u32 i = 0; i != batch; ++i) adapter_.send(++queued, setup.sockets[0], setup.memory, bench_message);
      adapter_.submit_and_wait(2 * batch);
      const u32 taken = adapter_.take([&](u64 user_data, i32 res, u32 flags) {
        sum += user_data;
        wrong += res != static_cast<i32>(bench_message);
        if (user_data == multishot) {
          if ((flags & cqe_more) == 0) ++wrong;
          adapter_.put_back(flags, res);
        }
      });
      if (taken != 2 * batch) return 1;
    }
    return wrong + (sum != queued * (queued + 1) / 2);
  }

  static constexpr u32 cqe_more = 2;  // IORING_CQE_F_MORE

  const bench_setup setup_;
  Adapter adapter_;
};

}  // namespace bench

// The plug-in's three functions for an adapter.
#define BENCH_EXPORT(Adapter)                                             \
  extern "C" int bench_open(const bench_setup* setup, void** bench) {     \
    auto* rows = new (std::nothrow)::bench::Rows<Adapter>(*setup);        \
    *bench = rows;                                                        \
    return rows == nullptr ? -ENOMEM : rows->open();                      \
  }                                                                       \
  extern "C" std::uint64_t bench_run(void* bench, std::uint64_t rounds) { \
    return static_cast<::bench::Rows<Adapter>*>(bench)->run(rounds);      \
  }                                                                       \
  extern "C" void bench_close(void* bench) { delete static_cast<::bench::Rows<Adapter>*>(bench); }

#endif
