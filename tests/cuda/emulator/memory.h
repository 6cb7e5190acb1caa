// Global memory: what the host has allocated; nothing else may be touched.
#pragma once

#include <cstddef>
#include <cstdio>
#include <mutex>

namespace sakedge::emulator {

// Held by a launch, and by whoever changes what is allocated.
std::mutex& busy();

// Makes [p, p + bytes) known under a name. Allocations do not overlap.
void allocate(const void* p, size_t bytes, const char* name, bool writable);
// Forgets the allocation that begins at `p`.
void release(const void* p);
// Bytes from `p` on that belong to its allocation; 0: none.
size_t allocated(const void* p);

// As if `thread` of the block read.
void read_shared_of(int thread, const void* p, unsigned bytes);

struct With {
  char text[32];
};
inline With with(int thread) {
  With with{};
  if (thread >= 0) std::snprintf(with.text, sizeof with.text, ", with thread %d", thread);
  return with;
}

}  // namespace sakedge::emulator
