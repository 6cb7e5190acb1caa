#include "emulator/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifndef SAKEDGE_FIBERS_UCONTEXT
// Saves what a callee must preserve and the place to return to, and takes over the other's.
asm(R"(.text
.type sakedge_switch, @function
sakedge_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sakedge_switch, . - sakedge_switch
)");
extern "C" void sakedge_switch(void** save, void* to) __asm__("sakedge_switch");
#endif

namespace sakedge::emulator {

void Fiber::start(std::byte* stack, size_t bytes, void (*entry)()) {
  stack_ = stack;
  bytes_ = bytes;
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(stack, bytes);  // of a fiber that was left
#endif
#ifdef SAKEDGE_FIBERS_UCONTEXT
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = bytes;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
#else
  // Six registers, then where to go; at a function's entry the stack is 8 bytes off 16.
  void** top = reinterpret_cast<void**>(stack + bytes) - 2;
  *top = reinterpret_cast<void*>(entry);
  top_ = top - 6;
  std::memset(top_, 0, 6 * sizeof(void*));
#endif
}

void Fiber::switch_to(Fiber& from, Fiber& to, [[maybe_unused]] bool last) {
#ifdef __SANITIZE_ADDRESS__
  if (to.stack_ == nullptr) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &to.stack_, &to.bytes_);
    pthread_attr_destroy(&attributes);
  }
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(last ? nullptr : &fake, to.stack_, to.bytes_);
#endif
#ifdef SAKEDGE_FIBERS_UCONTEXT
  swapcontext(&from.context_, &to.context_);
#else
  sakedge_switch(&from.top_, to.top_);
#endif
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void Fiber::entered() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

Stacks::~Stacks() {
  if (data_ != nullptr) munmap(data_, count_ * (kGuard + kBytes));
}

void Stacks::reserve(size_t count) {
  if (count <= count_) return;
  if (data_ != nullptr) munmap(data_, count_ * (kGuard + kBytes));
  void* const data = mmap(nullptr, count * (kGuard + kBytes), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(data);
  count_ = count;
  for (size_t i = 0; i < count; ++i) mprotect(data_ + i * (kGuard + kBytes), kGuard, PROT_NONE);
}

}  // namespace sakedge::emulator
