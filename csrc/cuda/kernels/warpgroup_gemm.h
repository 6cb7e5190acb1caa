// out = a w^T by Hopper's products of a warpgroup, which read k-tiles from shared memory by
// themselves: a warpgroup has 64 rows of the block's tile. The products of one k-tile run while the
// next is waited for.
#pragma once

#include "cuda/device/warpgroup.h"
#include "cuda/kernels/gemm_block.h"

namespace sakedge::cuda {

template <class T, class Shape>
class WarpgroupGemm : GemmBlock<T, Shape> {
 public:
  SAK_DEVICE explicit WarpgroupGemm(const GemmArgs& args) : Block(args) {}

  SAK_DEVICE void run() {
    const int k_tiles = this->begin();
    if (k_tiles != 0) {
      multiply(k_tiles);
      this->store();
    }
  }

 private:
  using Block = GemmBlock<T, Shape>;
  using Rows = typename Block::Rows;
  using Block::kStages, Block::kSteps, Block::fetch;
  // k-tiles on their way: of the other stages one is multiplied, and one was.
  static constexpr int kAhead = kStages - 2;
  static_assert(kAhead >= 1 && Block::kTile.warp_m == 16 && Block::kTile.warp_n == Block::kTile.n);

  // Where a matrix lies, as a product wants to know: address, bytes from 8 rows to the next (both
  // in units of 16), and how chunks are permuted (PTX ISA, "Matrix descriptor"). Tile's permutation
  // is that of rows of 64 or 128 bytes.
  SAK_DEVICE static uint64_t described(const unsigned char* matrix) {
    static_assert(Rows::kRowBytes == 64 || Rows::kRowBytes == 128);
    constexpr uint64_t kPermutation = Rows::kRowBytes == 64 ? 2 : 1;
    constexpr uint64_t kEightRows = 8 * Rows::kRowBytes / 16;
    return dev::shared_address(matrix) / 16 | uint64_t{1} << 16 | kEightRows << 32 |
           kPermutation << 62;
  }

  SAK_DEVICE void multiply(int k_tiles) {
    SAK_UNROLL
    for (int t = 0; t < kAhead; ++t) {
      if (t < k_tiles) {
        fetch(t, t);
      }
      dev::copy_commit();
    }
    int slot = 0;         // of k-tile t
    int filled = kAhead;  // the slot that k-tile t + kAhead goes to, that of t - 2
    int t = 0;
    do {
      dev::copy_wait<kAhead - 1>();
      dev::warpgroup_sees_copies();
      dev::barrier();  // k-tile t is here, and the products of t - 2 are over
      dev::warpgroup_begin();
      const int first = dev::thread() / 128 * 64;
      const uint64_t a = described(this->rows_of_a(slot).data + first * Rows::kRowBytes);
      const uint64_t w = described(this->rows_of_w(slot).data);
      SAK_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        dev::multiply(this->sums_[0], a + 2 * step, w + 2 * step, T{});
      }
      dev::warpgroup_commit();
      if (t + kAhead < k_tiles) {
        fetch(filled, t + kAhead);
      }
      dev::copy_commit();
      dev::warpgroup_wait<1>();
      slot = slot + 1 == kStages ? 0 : slot + 1;
      filled = filled + 1 == kStages ? 0 : filled + 1;
    } while (++t < k_tiles);
    dev::warpgroup_wait<0>();
    SAK_UNROLL
    for (auto& sums : this->sums_[0]) {
      SAK_UNROLL
      for (auto& sum : sums) {
        dev::warpgroup_done(sum);
      }
    }
    dev::copy_wait<0>();
    dev::barrier();
  }
};

}  // namespace sakedge::cuda
