#include "seam/bare_kernel.h"

#include <sys/mman.h>
#include <sys/syscall.h>

// The linker's names for the two ends of the section below.
extern "C" const char __start_conformance_bare_call[], __stop_conformance_bare_call[];

namespace conformance {

[[gnu::section("conformance_bare_call"), gnu::noinline]] long bare_call(long number,
                                                                        const SystemCall& a) noexcept {
  return uring::arch::syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

CodeRange bare_call_range() noexcept {
  return {reinterpret_cast<std::uintptr_t>(__start_conformance_bare_call),
          reinterpret_cast<std::uintptr_t>(__stop_conformance_bare_call)};
}

namespace {
long word(const void* pointer) { return reinterpret_cast<long>(pointer); }
}  // namespace

long BareKernel::setup(uring::u32 entries, uring::Params* params) noexcept {
  return bare_call(SYS_io_uring_setup, {long{entries}, word(params)});
}

long BareKernel::enter(int fd, uring::u32 to_submit, uring::u32 min_complete, uring::u32 flags,
                       const void* arg, std::size_t arg_size) noexcept {
  return bare_call(SYS_io_uring_enter, {fd, long{to_submit}, long{min_complete}, long{flags}, word(arg),
                                        static_cast<long>(arg_size)});
}

long BareKernel::do_register(int fd, uring::RegisterOp op, const void* arg, uring::u32 count) noexcept {
  return bare_call(SYS_io_uring_register, {fd, static_cast<long>(op), word(arg), long{count}});
}

long BareKernel::map_ring(int fd, std::size_t bytes, uring::u64 offset) noexcept {
  return bare_call(SYS_mmap, {0, static_cast<long>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                              fd, static_cast<long>(offset)});
}

long BareKernel::map_anonymous(std::size_t bytes) noexcept {
  return bare_call(SYS_mmap,
                   {0, static_cast<long>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0});
}

long BareKernel::unmap(void* address, std::size_t bytes) noexcept {
  return bare_call(SYS_munmap, {word(address), static_cast<long>(bytes)});
}

long BareKernel::close(int fd) noexcept { return bare_call(SYS_close, {fd}); }

}  // namespace conformance
