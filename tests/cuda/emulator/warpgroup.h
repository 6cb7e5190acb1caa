// The other side of csrc/cuda/device/warpgroup.h.
#pragma once

#include "emulator/machine.h"
#include "emulator/numbers.h"

namespace sakedge::cuda::dev {

template <int kGroups>
void multiply(float (&d)[kGroups][4], uint64_t a, uint64_t b, Half) {
  emulator::warpgroup_multiply_half(d[0], 8 * kGroups, a, b);
}
template <int kGroups>
void multiply(float (&d)[kGroups][4], uint64_t a, uint64_t b, Bfloat) {
  emulator::warpgroup_multiply_bfloat(d[0], 8 * kGroups, a, b);
}
template <int kGroups>
void multiply(int32_t (&d)[kGroups][4], uint64_t a, uint64_t b, int8_t) {
  emulator::warpgroup_multiply_int8(d[0], 8 * kGroups, a, b);
}

inline void warpgroup_sees_copies() { emulator::warpgroup_sees_copies(); }
inline void warpgroup_begin() { emulator::warpgroup_begin(); }
inline void warpgroup_commit() { emulator::warpgroup_commit(); }
template <class Sum>
void warpgroup_done(Sum&) {}
template <int Left>
void warpgroup_wait() {
  emulator::warpgroup_wait(Left);
}

}  // namespace sakedge::cuda::dev
