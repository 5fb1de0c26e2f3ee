// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

//! The crate io-uring behind the C ABI of ../../uring_binding.h, called as its documentation calls it. The types below
//! are that header's, in the same order; it also says what each function must do.
//!
//! The crate copies finished entries into its queue. So get_sqe hands out an entry of ours, and submit pushes it;
//! the crate's own queue decides whether there is room.

use io_uring::squeue::{Entry, Flags};
use io_uring::types::{BufRingEntry, CancelBuilder, DestinationSlot, Fd, Fixed, FsyncFlags, TimeoutFlags, Timespec};
use io_uring::{cqueue, opcode, IoUring, Probe};
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU16, Ordering};

const VERSION: u32 = 1;
const NOT_EXPRESSIBLE: c_int = -10000;
const REFUSED: c_int = -10004;
const NO_BUFFER_SELECTED: c_int = -10003;
const BUFFER_GROUPS: u64 = 1 << 2;
const INCREMENTAL_GROUPS: u64 = 1 << 3;
const ANY_SLOT: u32 = u32::MAX;
const INCREMENTAL: u32 = 1;

// The kernel's numbers that the crate does not export.
const ENTER_GETEVENTS: u32 = 1;
const PBUF_RING_INC: u16 = 2;
const ASYNC_CANCEL_ALL: u32 = 1;

#[repr(C)]
pub struct Arguments {
    user_data: u64,
    fd: i32,
    other_fd: i32,
    address: *mut c_void,
    other_address: *mut c_void,
    offset: u64,
    other_offset: u64,
    length: u64,
    target: u64,
    count: u32,
    flags: u32,
    mode: u32,
    slot: u32,
    domain: u32,
    socket_type: u32,
    protocol: u32,
    level: u32,
    option: u32,
    buffer: u32,
    group: u32,
}

#[repr(C)]
pub struct Cqe {
    user_data: u64,
    res: i32,
    flags: u32,
}

#[repr(C)]
pub struct Facts {
    fd: i32,
    features: u32,
    sq_entries: u32,
    cq_entries: u32,
}

pub struct Ring {
    uring: IoUring,
    handed_out: Box<[Entry]>,
    count: usize,
}

type Reason = *mut *const c_char;

#[repr(C)]
pub struct Table {
    size: u32,
    version: u32,
    name: *const c_char,
    binding_version: *const c_char,
    capabilities: u64,
    sqe_size: u32,
    cqe_size: u32,
    create: unsafe extern "C" fn(u32, u32, *mut *mut Ring, Reason) -> c_int,
    destroy: unsafe extern "C" fn(*mut Ring),
    describe: unsafe extern "C" fn(*const Ring, *mut Facts),
    get_sqe: unsafe extern "C" fn(*mut Ring) -> *mut Entry,
    prepare: unsafe extern "C" fn(*mut Entry, u32, *const Arguments, Reason) -> c_int,
    submit: unsafe extern "C" fn(*mut Ring) -> c_int,
    submit_and_wait: unsafe extern "C" fn(*mut Ring, u32) -> c_int,
    enter: unsafe extern "C" fn(*mut Ring, u32, u32, u32) -> c_int,
    sq_ready: unsafe extern "C" fn(*mut Ring) -> u32,
    cq_ready: unsafe extern "C" fn(*mut Ring) -> u32,
    copy_cqes: unsafe extern "C" fn(*mut Ring, *mut Cqe, u32, u32) -> c_int,
    do_register: unsafe extern "C" fn(*mut Ring, u32, *mut c_void, u32, u32, Reason) -> c_int,
    indices: *const c_void,
    group_create: unsafe extern "C" fn(*mut Ring, u32, *mut u8, u32, u32, u32, *mut *mut Group, Reason) -> c_int,
    group_destroy: unsafe extern "C" fn(*mut Ring, *mut Group),
    group_get: unsafe extern "C" fn(*const Group, *const Cqe, *mut *mut u8) -> c_int,
    group_put: unsafe extern "C" fn(*mut Group, *const Cqe) -> c_int,
}
unsafe impl Sync for Table {}

fn result<T: TryInto<c_int>>(outcome: io::Result<T>) -> c_int {
    match outcome {
        Ok(value) => value.try_into().unwrap_or(c_int::MAX),
        Err(error) => error.raw_os_error().map_or(REFUSED, |number| -number),
    }
}

fn done(outcome: io::Result<()>) -> c_int {
    result(outcome.map(|()| 0))
}

unsafe fn refuse(reason: Reason, text: &'static std::ffi::CStr) -> c_int {
    *reason = text.as_ptr();
    NOT_EXPRESSIBLE
}

// --- the ring ----------------------------------------------------------------------------------------------------

unsafe extern "C" fn create(entries: u32, flags: u32, ring: *mut *mut Ring, reason: Reason) -> c_int {
    if flags != 0 {
        return refuse(reason, c"the adapter sets none of the builder's options");
    }
    match IoUring::new(entries) {
        Ok(uring) => {
            let room = uring.params().sq_entries() as usize;
            let handed_out = vec![opcode::Nop::new().build(); room].into_boxed_slice();
            *ring = Box::into_raw(Box::new(Ring { uring, handed_out, count: 0 }));
            0
        }
        Err(error) => done(Err(error)),
    }
}

unsafe extern "C" fn destroy(ring: *mut Ring) {
    drop(Box::from_raw(ring));
}

unsafe extern "C" fn describe(ring: *const Ring, facts: *mut Facts) {
    use std::os::fd::AsRawFd;
    let params = (*ring).uring.params();
    let features = [
        params.is_feature_single_mmap(),
        params.is_feature_nodrop(),
        params.is_feature_submit_stable(),
        params.is_feature_rw_cur_pos(),
        params.is_feature_cur_personality(),
        params.is_feature_fast_poll(),
        params.is_feature_poll_32bits(),
        params.is_feature_sqpoll_nonfixed(),
        params.is_feature_ext_arg(),
        params.is_feature_native_workers(),
    ];
    *facts = Facts {
        fd: (*ring).uring.as_raw_fd(),
        features: features.iter().enumerate().map(|(bit, set)| (*set as u32) << bit).sum(),
        sq_entries: params.sq_entries(),
        cq_entries: params.cq_entries(),
    };
}

unsafe extern "C" fn get_sqe(ring: *mut Ring) -> *mut Entry {
    let ring = &mut *ring;
    let queue = ring.uring.submission();
    if queue.len() + ring.count >= queue.capacity() {
        return null_mut();
    }
    ring.count += 1;
    &mut ring.handed_out[ring.count - 1]
}

unsafe extern "C" fn submit_and_wait(ring: *mut Ring, wait_nr: u32) -> c_int {
    let ring = &mut *ring;
    if ring.uring.submission().push_multiple(&ring.handed_out[..ring.count]).is_err() {
        return REFUSED;
    }
    ring.count = 0;
    result(ring.uring.submit_and_wait(wait_nr as usize))
}

unsafe extern "C" fn submit(ring: *mut Ring) -> c_int {
    submit_and_wait(ring, 0)
}

unsafe extern "C" fn enter(ring: *mut Ring, to_submit: u32, min_complete: u32, flags: u32) -> c_int {
    let no_mask: Option<&libc::sigset_t> = None;
    result((*ring).uring.submitter().enter(to_submit, min_complete, flags, no_mask))
}

unsafe extern "C" fn sq_ready(ring: *mut Ring) -> u32 {
    ((*ring).uring.submission().len() + (*ring).count) as u32
}

unsafe extern "C" fn cq_ready(ring: *mut Ring) -> u32 {
    (*ring).uring.completion().len() as u32
}

unsafe fn copy_ready(ring: &mut Ring, cqes: *mut Cqe, room: usize) -> c_int {
    let mut count = 0;
    for cqe in ring.uring.completion().take(room) {
        *cqes.add(count) = Cqe { user_data: cqe.user_data(), res: cqe.result(), flags: cqe.flags() };
        count += 1;
    }
    count as c_int
}

unsafe extern "C" fn copy_cqes(ring: *mut Ring, cqes: *mut Cqe, room: u32, wait_nr: u32) -> c_int {
    let copied = copy_ready(&mut *ring, cqes, room as usize);
    let overflowed = (*ring).uring.submission().cq_overflow();
    if copied > 0 || room == 0 || (wait_nr == 0 && !overflowed) {
        return copied;
    }
    let entered = if wait_nr > 0 {
        result((*ring).uring.submit_and_wait(wait_nr as usize)) // nothing to submit: entries are pushed in submit alone
    } else {
        enter(ring, 0, 0, ENTER_GETEVENTS)
    };
    if entered < 0 {
        return entered;
    }
    copy_ready(&mut *ring, cqes, room as usize)
}

// --- operations --------------------------------------------------------------------------------------------------

fn slot(a: &Arguments) -> Option<DestinationSlot> {
    if a.slot == ANY_SLOT {
        return Some(DestinationSlot::auto_target());
    }
    DestinationSlot::try_from_slot_target(a.slot).ok()
}

type Lack = &'static std::ffi::CStr;

fn file(operation: u32, a: &Arguments) -> Option<Result<Entry, Lack>> {
    let (fd, length, flags) = (Fd(a.fd), a.length as u32, a.flags as i32);
    let (at, path) = (a.address.cast::<u8>(), a.address.cast::<c_char>());
    let iovecs = a.address.cast::<libc::iovec>();
    let select = Flags::BUFFER_SELECT;
    Some(Ok(match operation {
        1 => opcode::Readv::new(fd, iovecs, a.count).offset(a.offset).build(),
        2 => opcode::Writev::new(fd, iovecs, a.count).offset(a.offset).build(),
        3 => opcode::Read::new(fd, at, length).offset(a.offset).build(),
        4 => opcode::Write::new(fd, at, length).offset(a.offset).build(),
        5 => opcode::ReadFixed::new(fd, at, length, a.buffer as u16).offset(a.offset).build(),
        6 => opcode::WriteFixed::new(fd, at, length, a.buffer as u16).offset(a.offset).build(),
        7 => {
            let read = opcode::Read::new(fd, null_mut(), length).offset(a.offset).buf_group(a.group as u16);
            read.build().flags(select)
        }
        8 => match FsyncFlags::from_bits(a.flags) {
            Some(flags) => opcode::Fsync::new(fd).flags(flags).build(),
            None => return Some(Err(c"FsyncFlags has no such flag")),
        },
        9 => opcode::Fallocate::new(fd, a.length).offset(a.offset).mode(a.mode as i32).build(),
        10 => {
            let (from, to) = (a.offset as i64, a.other_offset as i64);
            opcode::Splice::new(fd, from, Fd(a.other_fd), to, length).flags(a.flags).build()
        }
        11 => opcode::Statx::new(fd, path, a.other_address.cast()).flags(flags).mask(a.mode).build(),
        12 => opcode::OpenAt::new(fd, path).flags(flags).mode(a.mode).build(),
        13 => opcode::OpenAt::new(fd, path).flags(flags).mode(a.mode).file_index(slot(a)).build(),
        14 => opcode::Close::new(fd).build(),
        15 => opcode::Close::new(Fixed(a.slot)).build(),
        16 => {
            let rename = opcode::RenameAt::new(fd, path, Fd(a.other_fd), a.other_address.cast());
            rename.flags(a.flags).build()
        }
        17 => opcode::UnlinkAt::new(fd, path).flags(flags).build(),
        18 => opcode::MkDirAt::new(fd, path).mode(a.mode).build(),
        19 => opcode::SymlinkAt::new(Fd(a.other_fd), path, a.other_address.cast()).build(),
        20 => opcode::LinkAt::new(fd, path, Fd(a.other_fd), a.other_address.cast()).flags(flags).build(),
        _ => return None,
    }))
}

fn socket(operation: u32, a: &Arguments) -> Option<Result<Entry, Lack>> {
    let (fd, length, flags) = (Fd(a.fd), a.length as u32, a.flags as i32);
    let at = a.address.cast::<u8>();
    let address = a.address.cast::<libc::sockaddr>();
    let no_address = || Some(Err(c"AcceptMulti takes no address"));
    let made = || opcode::Socket::new(a.domain as i32, a.socket_type as i32, a.protocol as i32).flags(flags);
    let accept = || opcode::Accept::new(fd, address, a.other_address.cast()).flags(flags);
    Some(Ok(match operation {
        21 => made().build(),
        22 => made().file_index(slot(a)).build(),
        23 => made().file_index(Some(DestinationSlot::auto_target())).build(),
        24 => opcode::Bind::new(fd, address, length).build(),
        25 => opcode::Listen::new(fd, a.count as i32).build(),
        26 => accept().build(),
        27 | 29 if !address.is_null() => return no_address(),
        27 => opcode::AcceptMulti::new(fd).flags(flags).build(),
        28 => accept().file_index(slot(a)).build(),
        29 => opcode::AcceptMulti::new(fd).flags(flags).allocate_file_index(true).build(),
        30 => opcode::Connect::new(fd, address, length).build(),
        31 => opcode::Shutdown::new(fd, a.mode as i32).build(),
        32 => opcode::Send::new(fd, at, length).flags(flags).build(),
        33 => opcode::SendZc::new(fd, at, length).flags(flags).zc_flags(a.mode as u16).build(),
        34 => opcode::SendMsg::new(fd, a.address.cast()).flags(a.flags).build(),
        35 => opcode::Recv::new(fd, at, length).flags(flags).build(),
        36 => {
            let recv = opcode::Recv::new(fd, null_mut(), length).flags(flags).buf_group(a.group as u16);
            recv.build().flags(Flags::BUFFER_SELECT)
        }
        37 => opcode::RecvMulti::new(fd, a.group as u16).flags(flags).build(),
        38 => opcode::RecvMsg::new(fd, a.address.cast()).flags(a.flags).build(),
        39 => opcode::SetSockOpt::new(fd, a.level, a.option, a.address, length).build(),
        40 => return Some(Err(c"the crate has SetSockOpt and no GetSockOpt")),
        _ => return None,
    }))
}

fn control(operation: u32, a: &Arguments) -> Option<Result<Entry, Lack>> {
    let time = a.address.cast::<Timespec>();
    let group = a.group as u16;
    Some(Ok(match operation {
        0 => opcode::Nop::new().build(),
        41 | 43 => match TimeoutFlags::from_bits(a.flags) {
            Some(flags) if operation == 41 => opcode::Timeout::new(time).count(a.count).flags(flags).build(),
            Some(flags) => opcode::LinkTimeout::new(time).flags(flags).build(),
            None => return Some(Err(c"TimeoutFlags has no such flag")),
        },
        42 if a.flags != 0 => return Some(Err(c"TimeoutRemove takes no flags")),
        42 => opcode::TimeoutRemove::new(a.target).build(),
        44 if a.flags == 0 => opcode::AsyncCancel::new(a.target).build(),
        44 if a.flags == ASYNC_CANCEL_ALL => {
            opcode::AsyncCancel2::new(CancelBuilder::user_data(a.target).all()).build()
        }
        44 => return Some(Err(c"CancelBuilder has no such flag")),
        45 => {
            let (length, count) = (a.length as i32, a.count as u16);
            opcode::ProvideBuffers::new(a.address.cast(), length, count, group, a.buffer as u16).build()
        }
        46 => opcode::RemoveBuffers::new(a.count as u16, group).build(),
        47 => {
            let wait = opcode::WaitId::new(a.socket_type as libc::idtype_t, a.fd as libc::id_t, a.mode as c_int);
            wait.infop(a.address.cast()).flags(a.flags).build()
        }
        _ => return None,
    }))
}

unsafe extern "C" fn prepare(sqe: *mut Entry, operation: u32, a: *const Arguments, reason: Reason) -> c_int {
    let a = &*a;
    let largest = match operation {
        9 => u64::MAX,        // Fallocate's length
        45 => i32::MAX as u64, // ProvideBuffers'
        _ => u32::MAX as u64,
    };
    if a.length > largest {
        return refuse(reason, c"the length is a u32, and ProvideBuffers' is an i32");
    }
    match file(operation, a).or_else(|| socket(operation, a)).or_else(|| control(operation, a)) {
        Some(Ok(entry)) => {
            sqe.write(entry.user_data(a.user_data));
            0
        }
        Some(Err(lack)) => refuse(reason, lack),
        None => refuse(reason, c"it is newer than this adapter"),
    }
}

// --- registrations -----------------------------------------------------------------------------------------------

unsafe fn slice<'a, T>(start: *mut c_void, count: u32) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    std::slice::from_raw_parts(start.cast(), count as usize)
}

unsafe extern "C" fn do_register(
    ring: *mut Ring,
    registration: u32,
    argument: *mut c_void,
    count: u32,
    first: u32,
    reason: Reason,
) -> c_int {
    let submitter = (*ring).uring.submitter();
    match registration {
        0 => done(submitter.register_files(slice(argument, count))),
        1 => result(submitter.register_files_update(first, slice(argument, count))),
        2 => done(submitter.unregister_files()),
        3 => done(submitter.register_buffers(slice(argument, count))),
        4 => done(submitter.unregister_buffers()),
        5 => {
            let mut probe = Probe::new();
            let outcome = done(submitter.register_probe(&mut probe));
            for op in 0..count.min(256) {
                *argument.cast::<u8>().add(op as usize) = probe.is_supported(op as u8) as u8;
            }
            outcome
        }
        _ => refuse(reason, c"it is newer than this adapter"),
    }
}

// --- buffer rings: the crate has their entries and leaves the rest to its users ----------------------------------

pub struct Group {
    entries: *mut BufRingEntry,
    memory: *mut u8,
    count: u32,
    size: u32,
    id: u16,
    tail: u16,
    used: Vec<u32>, // bytes of each buffer, with incremental consumption
}

impl Group {
    fn layout(count: u32) -> Layout {
        Layout::from_size_align(count as usize * std::mem::size_of::<BufRingEntry>(), 4096).unwrap()
    }

    unsafe fn add(&mut self, id: u16) {
        let entry = &mut *self.entries.add((self.tail as u32 & (self.count - 1)) as usize);
        entry.set_addr(self.memory.add(id as usize * self.size as usize) as u64);
        entry.set_len(self.size);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
        (*BufRingEntry::tail(self.entries).cast::<AtomicU16>()).store(self.tail, Ordering::Release);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        unsafe { dealloc(self.entries.cast(), Self::layout(self.count)) };
    }
}

unsafe extern "C" fn group_create(
    ring: *mut Ring,
    id: u32,
    memory: *mut u8,
    count: u32,
    size: u32,
    consumption: u32,
    created: *mut *mut Group,
    _reason: Reason,
) -> c_int {
    let entries = alloc_zeroed(Group::layout(count)).cast::<BufRingEntry>();
    let mut group = Group { entries, memory, count, size, id: id as u16, tail: 0, used: vec![0; count as usize] };
    let flags = if consumption == INCREMENTAL { PBUF_RING_INC } else { 0 };
    let submitter = (*ring).uring.submitter();
    let outcome = submitter.register_buf_ring_with_flags(entries as u64, count as u16, id as u16, flags);
    if outcome.is_err() {
        return done(outcome);
    }
    for buffer in 0..count {
        group.add(buffer as u16);
    }
    *created = Box::into_raw(Box::new(group));
    0
}

unsafe extern "C" fn group_destroy(ring: *mut Ring, group: *mut Group) {
    let group = Box::from_raw(group);
    let _ = (*ring).uring.submitter().unregister_buf_ring(group.id); // whatever it returns, the memory is freed
}

unsafe extern "C" fn group_get(group: *const Group, cqe: *const Cqe, data: *mut *mut u8) -> c_int {
    let group = &*group;
    let Some(id) = cqueue::buffer_select((*cqe).flags) else { return NO_BUFFER_SELECTED };
    if id as u32 >= group.count {
        return -libc::ERANGE;
    }
    *data = group.memory.add(id as usize * group.size as usize + group.used[id as usize] as usize);
    0
}

unsafe extern "C" fn group_put(group: *mut Group, cqe: *const Cqe) -> c_int {
    let mut data = null_mut();
    let error = group_get(group, cqe, &mut data);
    if error != 0 {
        return error;
    }
    let group = &mut *group;
    let id = cqueue::buffer_select((*cqe).flags).unwrap_or_default();
    if cqueue::buffer_more((*cqe).flags) {
        group.used[id as usize] += (*cqe).res as u32;
        return 0;
    }
    group.used[id as usize] = 0;
    group.add(id);
    0
}

static TABLE: Table = Table {
    size: std::mem::size_of::<Table>() as u32,
    version: VERSION,
    name: c"rust-io-uring".as_ptr(),
    binding_version: concat!(env!("IO_URING_CRATE_VERSION"), "\0").as_ptr().cast(),
    capabilities: BUFFER_GROUPS | INCREMENTAL_GROUPS,
    sqe_size: std::mem::size_of::<Entry>() as u32,
    cqe_size: std::mem::size_of::<cqueue::Entry>() as u32,
    create,
    destroy,
    describe,
    get_sqe,
    prepare,
    submit,
    submit_and_wait,
    enter,
    sq_ready,
    cq_ready,
    copy_cqes,
    do_register,
    indices: null(),
    group_create,
    group_destroy,
    group_get,
    group_put,
};

#[no_mangle]
pub extern "C" fn uring_binding() -> *const Table {
    &TABLE
}
