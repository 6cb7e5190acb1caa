// The other side of csrc/cuda/device/device.h: the same names, of a thread that the emulator runs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "emulator/machine.h"
#include "emulator/numbers.h"

#define SAK_ENTRY(name, threads, blocks, Args)                                           \
  static void name(const sakedge::cuda::Args& args);                                     \
  [[maybe_unused]] static const bool name##_takes_##Args = sakedge::emulator::enter(     \
      {#name, threads, sizeof(sakedge::cuda::Args),                                      \
       [](const void* args) { name(*static_cast<const sakedge::cuda::Args*>(args)); }}); \
  static void name([[maybe_unused]] const sakedge::cuda::Args& args)
#define SAK_DEVICE inline
#define SAK_UNROLL
#define SAK_ROLLED

namespace sakedge::cuda::dev {

inline int thread() { return emulator::here.thread; }
inline int block_x() { return emulator::here.x; }
inline int block_y() { return emulator::here.y; }
inline int block_z() { return emulator::here.z; }

inline unsigned char* shared() { return emulator::here.shared; }
inline unsigned shared_address(const void* p) {
  return static_cast<unsigned>(static_cast<const unsigned char*>(p) - emulator::here.shared);
}

template <class T>
T load_shared(const T* p) {
  emulator::read_shared(p, sizeof(T));
  return *p;
}
template <class T>
void store_shared(T* p, T value) {
  emulator::write_shared(p, sizeof(T));
  *p = value;
}
template <class T>
T load_global(const T* p) {
  emulator::read_global(p, sizeof(T));
  return *p;
}
template <class T>
void store_global(T* p, T value) {
  emulator::write_global(p, sizeof(T), &value);
  *p = value;
}

inline void barrier() { emulator::barrier(); }
inline void warp_barrier() { emulator::warp_barrier(); }
inline float shuffle_xor(float v, int mask) {
  bool in_range = false;
  return std::bit_cast<float>(emulator::shuffle(emulator::Shuffle::kXor, std::bit_cast<uint32_t>(v),
                                                static_cast<uint32_t>(mask), 0x1f, in_range));
}
inline bool any(bool v) { return emulator::vote(emulator::Vote::kAny, v) != 0; }

inline void copy_async(void* to, const void* from, bool valid) {
  emulator::copy_async(to, from, valid ? 16 : 0);
}
inline void copy_commit() { emulator::copy_commit(); }
template <int Left>
void copy_wait() {
  emulator::copy_wait(Left);
}

inline void load_matrices(uint32_t (&r)[4], const void* row) {
  emulator::load_matrices(r, row, false);
}
inline void load_matrices_transposed(uint32_t (&r)[4], const void* row) {
  emulator::load_matrices(r, row, true);
}

inline void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Half) {
  emulator::multiply_half(d, a, b);
}
inline void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Bfloat) {
  emulator::multiply_bfloat(d, a, b);
}
template <class T>
void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const float (&c)[4],
              T type) {
  std::copy_n(c, 4, d);
  multiply(d, a, b, type);
}
inline void multiply(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], int8_t) {
  emulator::multiply_int8(d, a, b);
}

inline uint32_t pack(float low, float high, Half) {
  return emulator::to_half(low) | static_cast<uint32_t>(emulator::to_half(high)) << 16;
}
inline uint32_t pack(float low, float high, Bfloat) {
  return emulator::to_bfloat(low) | static_cast<uint32_t>(emulator::to_bfloat(high)) << 16;
}
inline float to_float(Half h) { return emulator::from_half(h.bits); }
inline float to_float(Bfloat b) { return emulator::from_bfloat(b.bits); }

inline float exp2(float x) {
  return emulator::flushed(emulator::approximate_exp2(emulator::flushed(x)));
}
inline float rsqrt(float x) { return emulator::approximate_rsqrt(x); }
inline float erf(float x) { return std::erf(x); }
inline float fma(float a, float b, float c) { return std::fma(a, b, c); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline float abs(float a) { return std::fabs(a); }
inline float round_even(float a) { return std::nearbyint(a); }
inline bool is_finite(float a) { return std::isfinite(a); }

}  // namespace sakedge::cuda::dev
