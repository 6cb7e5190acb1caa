// What code of a kernel asks of the emulator, whichever way it was compiled. Kept lean: every
// translated kernel includes it.
#pragma once

#include <cstdint>

#pragma GCC visibility push(hidden)

namespace sakedge::emulator {

// The thread that runs.
struct Here {
  int thread = -1;
  int x = 0, y = 0, z = 0;  // its block
  int grid_x = 1, grid_y = 1, grid_z = 1;
  int threads = 0;                  // of a block
  unsigned char* shared = nullptr;  // the block's shared memory
};
extern Here here;

// Each fails unless the thread may touch [p, p + bytes) now.
void read_shared(const void* p, unsigned bytes);
void write_shared(const void* p, unsigned bytes);
void read_global(const void* p, unsigned bytes);
void write_global(const void* p, unsigned bytes, const void* value);

// Barrier of the block.
void barrier();

// What all lanes of a warp do together.
void warp_barrier();
enum class Shuffle : uint8_t { kIndex, kUp, kDown, kXor };
// shfl.sync of all lanes: `b` is the lane or distance, `c` clamp and mask of segments, as in PTX.
uint32_t shuffle(Shuffle mode, uint32_t value, uint32_t b, uint32_t c, bool& in_range);
enum class Vote : uint8_t { kAll, kAny, kBallot };
uint32_t vote(Vote mode, bool value);
void load_matrices(uint32_t* r, const void* row, bool transposed);
void multiply_half(float* d, const uint32_t* a, const uint32_t* b);
void multiply_bfloat(float* d, const uint32_t* a, const uint32_t* b);
void multiply_int8(int32_t* d, const uint32_t* a, const uint32_t* b);

// 16 bytes from global to shared memory: the first `valid` are copied, the others are zeros.
void copy_async(void* to, const void* from, unsigned valid);
void copy_commit();
void copy_wait(unsigned left);

// Products of a warpgroup, d[64, columns] += a b^T: `a` and `b` are descriptors of operands in
// shared memory, read at some time until they are waited for.
void warpgroup_multiply_half(float* d, int columns, uint64_t a, uint64_t b);
void warpgroup_multiply_bfloat(float* d, int columns, uint64_t a, uint64_t b);
void warpgroup_multiply_int8(int32_t* d, int columns, uint64_t a, uint64_t b);
void warpgroup_sees_copies();
void warpgroup_begin();
void warpgroup_commit();
void warpgroup_wait(unsigned left);

// Ends the launch.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// A kernel.
struct Entry {
  const char* name;
  int threads;  // of a block
  unsigned args_bytes;
  void (*run)(const void* args);  // one thread
};
// Makes it known under its name.
bool enter(const Entry& entry);

}  // namespace sakedge::emulator

#pragma GCC visibility pop
