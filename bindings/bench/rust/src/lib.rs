// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

//! The rows of ../../rows.h for the crate io-uring: the same steps in the same order, with the crate's own fastest
//! documented calls. In Rust and not through an adapter, because a call per request would cost what no Rust program
//! pays. An error of the crate stops the program, as in the adapters.

use io_uring::types::{BufRingEntry, Fd, Fixed};
use io_uring::{cqueue, opcode, squeue, IoUring};
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::sync::atomic::{AtomicU16, Ordering};
use std::io;

// plugin.h
const NOP: u32 = 0;
const READ: u32 = 1;
const READ_FIXED: u32 = 2;
const PING_PONG: u32 = 3;
const RECEIVE: u32 = 4;
const RING_ENTRIES: u32 = 64;
const BUFFERS: u16 = 64;
const PAGE: u32 = 4096;
const MESSAGE: u32 = 64;
const GROUP: u16 = 1;
const MULTISHOT: u64 = 0;

// IORING_SETUP_*, as far as a row has them.
const SQPOLL: u32 = 1 << 1;
const SINGLE_ISSUER: u32 = 1 << 12;
const DEFER_TASKRUN: u32 = 1 << 13;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Setup {
    kind: u32,
    batch: u32,
    ring_flags: u32,
    file: i32,
    sockets: [i32; 2],
    memory: *mut u8,
}

impl Setup {
    fn page(&self, i: u32) -> *mut u8 {
        unsafe { self.memory.add(i as usize * PAGE as usize) }
    }
}

/// A buffer ring in memory of its own. The crate has its entries, and leaves the rest to the program.
struct BufferGroup {
    entries: *mut BufRingEntry,
    count: u16,
    size: u32,
    tail: u16,
    memory: *mut u8,
}

impl BufferGroup {
    fn layout() -> Layout {
        Layout::from_size_align(PAGE as usize, PAGE as usize).unwrap()
    }

    fn open(ring: &IoUring, memory: *mut u8, count: u16, size: u32) -> io::Result<Self> {
        let entries = unsafe { alloc_zeroed(Self::layout()) }.cast::<BufRingEntry>();
        let mut group = BufferGroup { entries, count, size, tail: 0, memory };
        unsafe { ring.submitter().register_buf_ring_with_flags(entries as u64, count, GROUP, 0)? };
        for id in 0..count {
            group.put(id, 0);
        }
        Ok(group)
    }

    #[inline]
    fn put(&mut self, id: u16, result: i32) {
        assert!(id < self.count && result <= self.size as i32);
        unsafe {
            let entry = &mut *self.entries.add((self.tail & (self.count - 1)) as usize);
            entry.set_addr(self.memory.add(id as usize * self.size as usize) as u64);
            entry.set_len(self.size);
            entry.set_bid(id);
            self.tail = self.tail.wrapping_add(1);
            (*BufRingEntry::tail(self.entries).cast::<AtomicU16>()).store(self.tail, Ordering::Release);
        }
    }
}

impl Drop for BufferGroup {
    fn drop(&mut self) {
        unsafe { dealloc(self.entries.cast(), Self::layout()) };
    }
}

pub struct Bench {
    ring: IoUring,
    group: Option<BufferGroup>,
    setup: Setup,
}

impl Bench {
    fn open(setup: Setup) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        if setup.ring_flags & SQPOLL != 0 {
            builder.setup_sqpoll(1000);
        }
        if setup.ring_flags & SINGLE_ISSUER != 0 {
            builder.setup_single_issuer();
        }
        if setup.ring_flags & DEFER_TASKRUN != 0 {
            builder.setup_defer_taskrun();
        }
        assert_eq!(setup.ring_flags & !(SQPOLL | SINGLE_ISSUER | DEFER_TASKRUN), 0);
        let mut bench = Bench { ring: builder.build(RING_ENTRIES)?, group: None, setup };
        if setup.kind == READ_FIXED {
            let bytes = BUFFERS as usize * PAGE as usize;
            let memory = libc::iovec { iov_base: setup.memory.cast(), iov_len: bytes };
            unsafe { bench.ring.submitter().register_buffers(&[memory])? };
            bench.ring.submitter().register_files(&[setup.file])?;
        }
        if setup.kind == RECEIVE {
            bench.group = Some(BufferGroup::open(&bench.ring, setup.memory, BUFFERS, PAGE)?);
            let entry = opcode::RecvMulti::new(Fd(setup.sockets[1]), GROUP).build().user_data(MULTISHOT);
            push(&mut bench.ring.submission(), &entry);
        }
        Ok(bench)
    }

    fn run(&mut self, rounds: u64) -> u64 {
        let setup = self.setup;
        match setup.kind {
            NOP => self.run_batches(rounds, 0, |user_data, _| opcode::Nop::new().build().user_data(user_data)),
            READ => self.run_batches(rounds, PAGE as i32, |user_data, i| {
                opcode::Read::new(Fd(setup.file), setup.page(i), PAGE).build().user_data(user_data)
            }),
            READ_FIXED => self.run_batches(rounds, PAGE as i32, |user_data, i| {
                opcode::ReadFixed::new(Fixed(0), setup.page(i), PAGE, 0).build().user_data(user_data)
            }),
            PING_PONG => self.run_ping_pong(rounds),
            RECEIVE => self.run_receive(rounds),
            _ => 1,
        }
    }

    // Each row is a function of its own, as in rows.h.
    #[inline(never)]
    fn run_batches(&mut self, rounds: u64, expected: i32, build: impl Fn(u64, u32) -> squeue::Entry) -> u64 {
        let batch = self.setup.batch;
        let (mut wrong, mut queued, mut sum) = (0u64, 0u64, 0u64);
        for _ in 0..rounds {
            {
                let mut queue = self.ring.submission();
                for i in 0..batch {
                    queued += 1;
                    push(&mut queue, &build(queued, i));
                }
            }
            self.ring.submit_and_wait(batch as usize).unwrap();
            let taken = take(&mut self.ring, |cqe| {
                sum += cqe.user_data();
                wrong += (cqe.result() != expected) as u64;
            });
            if taken != batch {
                return 1;
            }
        }
        wrong + (sum != queued * (queued + 1) / 2) as u64
    }

    #[inline(never)]
    fn run_ping_pong(&mut self, rounds: u64) -> u64 {
        let setup = self.setup;
        let (mut wrong, mut queued, mut sum) = (0u64, 0u64, 0u64);
        for round in 0..rounds {
            let from = (round & 1) as usize;
            {
                let mut queue = self.ring.submission();
                queued += 1;
                let receive = opcode::Recv::new(Fd(setup.sockets[1 - from]), setup.page(1), MESSAGE);
                push(&mut queue, &receive.build().user_data(queued));
                queued += 1;
                let send = opcode::Send::new(Fd(setup.sockets[from]), setup.memory, MESSAGE);
                push(&mut queue, &send.build().user_data(queued));
            }
            self.ring.submit_and_wait(2).unwrap();
            let taken = take(&mut self.ring, |cqe| {
                sum += cqe.user_data();
                wrong += (cqe.result() != MESSAGE as i32) as u64;
            });
            if taken != 2 {
                return 1;
            }
        }
        wrong + (sum != queued * (queued + 1) / 2) as u64
    }

    #[inline(never)]
    fn run_receive(&mut self, rounds: u64) -> u64 {
        let setup = self.setup;
        let batch = setup.batch;
        let group = self.group.as_mut().unwrap();
        let (mut wrong, mut queued, mut sum) = (0u64, 0u64, 0u64);
        for _ in 0..rounds {
            {
                let mut queue = self.ring.submission();
                for _ in 0..batch {
                    queued += 1;
                    let send = opcode::Send::new(Fd(setup.sockets[0]), setup.memory, MESSAGE);
                    push(&mut queue, &send.build().user_data(queued));
                }
            }
            self.ring.submit_and_wait((2 * batch) as usize).unwrap();
            let taken = take(&mut self.ring, |cqe| {
                sum += cqe.user_data();
                wrong += (cqe.result() != MESSAGE as i32) as u64;
                if cqe.user_data() == MULTISHOT {
                    if !cqueue::more(cqe.flags()) {
                        wrong += 1;
                    }
                    group.put(cqueue::buffer_select(cqe.flags()).unwrap(), cqe.result());
                }
            });
            if taken != 2 * batch {
                return 1;
            }
        }
        wrong + (sum != queued * (queued + 1) / 2) as u64
    }
}

#[inline]
fn push(queue: &mut squeue::SubmissionQueue<'_>, entry: &squeue::Entry) {
    unsafe { queue.push(entry) }.unwrap();
}

#[inline]
fn take(ring: &mut IoUring, mut visit: impl FnMut(&cqueue::Entry)) -> u32 {
    let mut taken = 0;
    for cqe in ring.completion() {
        visit(&cqe);
        taken += 1;
    }
    taken
}

/// # Safety
/// See plugin.h.
#[no_mangle]
pub unsafe extern "C" fn bench_open(setup: *const Setup, bench: *mut *mut Bench) -> i32 {
    match Bench::open(*setup) {
        Ok(opened) => {
            *bench = Box::into_raw(Box::new(opened));
            0
        }
        Err(error) => -error.raw_os_error().unwrap_or(5),
    }
}

/// # Safety
/// See plugin.h.
#[no_mangle]
pub unsafe extern "C" fn bench_run(bench: *mut Bench, rounds: u64) -> u64 {
    (*bench).run(rounds)
}

/// # Safety
/// See plugin.h.
#[no_mangle]
pub unsafe extern "C" fn bench_close(bench: *mut Bench) {
    if !bench.is_null() {
        drop(Box::from_raw(bench));
    }
}
