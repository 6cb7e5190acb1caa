// A row of a matrix, read by a warp, 16 bytes a lane at a time.
#pragma once

#include "cuda/device/device.h"

namespace sakedge::cuda {

// Chunk is what a lane loads at a time: Floats4, or Words4 for eight values of 16 bits. The first
// kKept chunks of a lane stay in registers; those of longer rows are read again.
template <class Chunk, int kKept>
class WarpRow {
 public:
  SAK_DEVICE WarpRow(const void* row, int chunks)
      : row_(static_cast<const Chunk*>(row)), chunks_(chunks), lane_(dev::thread() % 32) {
    SAK_UNROLL
    for (int i = 0; i < kKept; ++i) {
      if (lane_ + 32 * i < chunks_) {
        kept_[i] = dev::load_global(row_ + lane_ + 32 * i);
      }
    }
  }

  // visit(index, chunk) for each of the lane's chunks.
  template <class Visit>
  SAK_DEVICE void each(const Visit& visit) const {
    SAK_UNROLL
    for (int i = 0; i < kKept; ++i) {
      if (lane_ + 32 * i < chunks_) {
        visit(lane_ + 32 * i, kept_[i]);
      }
    }
    SAK_ROLLED
    for (int i = lane_ + 32 * kKept; i < chunks_; i += 32) {
      visit(i, dev::load_global(row_ + i));
    }
  }

 private:
  const Chunk* row_;
  int chunks_;
  int lane_;
  Chunk kept_[kKept];
};

// Over the lanes of a warp; every lane gets the result.
SAK_DEVICE float warp_sum(float x) {
  SAK_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) {
    x += dev::shuffle_xor(x, mask);
  }
  return x;
}
// Of two magnitudes; NaN if either is.
SAK_DEVICE float larger_size(float a, float b) { return a >= b || a != a ? a : b; }
SAK_DEVICE float warp_largest_size(float x) {
  SAK_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) {
    x = larger_size(x, dev::shuffle_xor(x, mask));
  }
  return x;
}

}  // namespace sakedge::cuda
