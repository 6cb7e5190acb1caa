// out = a w^T by the tensor cores' instruction of a warp. Of each k-tile that the block has in
// shared memory, fragments go through registers, ahead of their products.
#pragma once

#include "cuda/kernels/gemm_block.h"

namespace sakedge::cuda {

template <class T, class Shape>
class Gemm : GemmBlock<T, Shape> {
 public:
  SAK_DEVICE explicit Gemm(const GemmArgs& args) : Block(args) {}

  SAK_DEVICE void run() {
    const int k_tiles = this->begin();
    if (k_tiles != 0) {
      multiply(k_tiles);
      this->store();
    }
  }

 private:
  using Block = GemmBlock<T, Shape>;
  using Block::fetch, Block::rows_of_a, Block::rows_of_w;
  using Block::kM, Block::kN, Block::kStages, Block::kSteps;
  static_assert(kSteps % 2 == 0, "k-tiles begin with the same half of the fragments");

  struct Fragments {
    uint32_t a[kM][4];
    uint32_t b[kN][4];
  };

  SAK_DEVICE void load(Fragments& to, int slot, int step) const {
    SAK_UNROLL
    for (int i = 0; i < kM; ++i) {
      load_a(to.a[i], rows_of_a(slot), this->warp_row_ + 16 * i, 2 * step);
    }
    SAK_UNROLL
    for (int j = 0; j < kN; ++j) {
      load_b(to.b[j], rows_of_w(slot), this->warp_column_ + 16 * j, 2 * step);
    }
  }

  SAK_DEVICE void multiply(const Fragments& of) {
    SAK_UNROLL
    for (int i = 0; i < kM; ++i) {
      SAK_UNROLL
      for (int j = 0; j < kN; ++j) {
        multiply_16(&this->sums_[i][2 * j], of.a[i], of.b[j], T{});
      }
    }
  }

  // While fragments are multiplied the next are loaded, those of the next k-tile too: the last
  // fragments of a k-tile are in registers before the barrier that frees its slot.
  SAK_DEVICE void multiply(int k_tiles) {
    SAK_UNROLL
    for (int slot = 0; slot < kStages - 1; ++slot) {
      if (slot < k_tiles) {
        fetch(slot, slot);
      }
      dev::copy_commit();
    }
    Fragments fragments[2];
    dev::copy_wait<kStages - 2>();
    dev::barrier();
    load(fragments[0], 0, 0);
    int slot = 0;              // of k-tile t
    int filled = kStages - 1;  // the slot that k-tile t + kStages - 1 goes to, that of t - 1
    SAK_ROLLED
    for (int t = 0; t < k_tiles; ++t) {
      if (t + kStages - 1 < k_tiles) {
        fetch(filled, t + kStages - 1);
      }
      dev::copy_commit();
      filled = slot;
      const int next = slot + 1 == kStages ? 0 : slot + 1;
      SAK_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        Fragments& ahead = fragments[(step + 1) % 2];
        if (step + 1 < kSteps) {
          load(ahead, slot, step + 1);
        } else if (t + 1 < k_tiles) {
          dev::copy_wait<kStages - 2>();
          dev::barrier();
          load(ahead, next, 0);
        }
        multiply(fragments[step % 2]);
      }
      slot = next;
    }
    dev::copy_wait<0>();
    dev::barrier();
  }
};

}  // namespace sakedge::cuda
