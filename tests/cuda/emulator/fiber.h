// Stacks of their own that one thread of the host runs in turn.
#pragma once

#include <cstddef>
#include <vector>

#if !defined(__x86_64__)
#define SAKEDGE_FIBERS_UCONTEXT 1
#include <ucontext.h>
#endif

namespace sakedge::emulator {

class Fiber {
 public:
  // Makes `entry` run, from its start, when the fiber is next switched to. It must not return.
  void start(std::byte* stack, size_t bytes, void (*entry)());
  // Leaves `from`, the fiber that runs, and goes on with `to`. `last`: from will not be gone back
  // to.
  static void switch_to(Fiber& from, Fiber& to, bool last);
  // What an entry does first.
  static void entered();

 private:
#ifdef SAKEDGE_FIBERS_UCONTEXT
  ucontext_t context_{};
#else
  void* top_ = nullptr;
#endif
  void* stack_ = nullptr;  // null: the host thread's
  size_t bytes_ = 0;
};

// Stacks of fibers, each above a page that nothing may touch.
class Stacks {
 public:
  static constexpr size_t kBytes = 256 << 10;
  Stacks() = default;
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  ~Stacks();
  // Makes room for `count` stacks; none may be in use.
  void reserve(size_t count);
  std::byte* operator[](size_t i) const { return data_ + i * (kGuard + kBytes) + kGuard; }

 private:
  static constexpr size_t kGuard = 4096;
  std::byte* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace sakedge::emulator
