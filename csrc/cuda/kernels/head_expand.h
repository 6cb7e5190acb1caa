// Expansion of a head's nine taps, GELU and the classes (docs/algebra.md, 1).
//
// A patch has 16 pixels, so a token becomes 4 x 4 positions, and those depend on the nine taps of
// 3 x 3 tokens, its cells: 81 values of a channel. Interpolation and sum are a product of a
// constant matrix [16 positions, 81] by them. Its entries are products of two weights in eighths,
// exact in T, as the taps are: the tensor cores form it with no rounding but that of the float32
// sums, straight from the taps in shared memory. Their result has the layout of the next product's
// operand: bias, GELU and the rounding to T happen in registers, and no activation is written
// anywhere.
//
// Work of a warp for a position and a channel, in instructions (strips of four tokens): 1.5
// products and 0.4 loads of their operands, 8 of GELU, 0.5 packing, 0.4 products with 24 classes,
// about 1 for copies and the loop: 12 in all, beside 15 cycles of a tensor core that takes 8 for a
// product. A lookup-free expansion in float32 would take 4.5 + 6 multiply-adds in place of the 1.5.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/gelu.h"
#include "cuda/kernels/heads_shape.h"
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

// Weight of the cell before a token, its own or the next one (0, 1, 2), at position `phase` of its
// four, for the tap before, at or after that (0, 1, 2); in eighths. Linear in the distance.
SAK_DEVICE int lerp_eighths(int phase, int tap, int cell) {
  const int distance = 2 * (phase + tap) + 3 - 8 * cell;
  const int weight = 8 - (distance < 0 ? -distance : distance);
  return weight > 0 ? weight : 0;
}

template <class T, int kClasses>
class HeadExpand {
 public:
  SAK_DEVICE explicit HeadExpand(const ExpandArgs& args) : args_(args) {}

  SAK_DEVICE void run() {
    head_ = dev::load_global(args_.heads + dev::block_z());
    if (head_ == nullptr) {
      return;
    }
    fused_ = dev::load_global(&head_->fused);
    classes_ = dev::load_global(&head_->classes);
    find_weights();
    find_taps();
    for (int first = 0; first < classes_; first += kClasses) {
      float sums[kStrip][kTiles][4] = {};
      expand(first, sums);
      SAK_UNROLL
      for (int t = 0; t < kStrip; ++t) {
        if (exists(t)) {
          store(first, t, sums[t]);
        }
      }
      dev::barrier();  // Nobody reads the stages any more.
    }
  }

 private:
  static constexpr int kStrip = expand_strip(kClasses);
  static constexpr int kThreads = expand_threads(kClasses);
  static constexpr int kTiles = kClasses / 8;
  static constexpr int kColumnCopies = 2 * 9 * kExpandCells;
  static constexpr int kCopiers = kThreads / kColumnCopies;  // columns copied at a time
  static constexpr int kStageBytes = (kExpandTaps + expand_class_rows(kClasses)) * kExpandRow;
  static constexpr int kColumnBytes = 9 * kExpandCells * kExpandRow;  // of taps in a stage

  // The warp's tokens: row() and columns from column() on.
  SAK_DEVICE static int tile_row() { return dev::thread() / 32 * kStrip / kExpandTokens; }
  SAK_DEVICE static int tile_column() { return dev::thread() / 32 * kStrip % kExpandTokens; }
  SAK_DEVICE static int row() { return dev::block_y() * kExpandTokens + tile_row(); }
  SAK_DEVICE static int column() { return dev::block_x() * kExpandTokens + tile_column(); }
  SAK_DEVICE bool exists(int t) const {
    return column() + t < args_.grid_width && row() < args_.grid_height;
  }
  SAK_DEVICE static int lane() { return dev::thread() % 32; }

  // Along y, with the zero padding above and below the whole map; in eighths.
  SAK_DEVICE int row_eighths(int phase, int tap, int cell) const {
    const int position = 4 * row() + phase + tap - 1;
    const bool inside = position >= 0 && position < 4 * args_.grid_height;
    return inside ? lerp_eighths(phase, tap, cell) : 0;
  }

  // The constant matrix as operands: rows are the positions, 4 y + x; columns, for each of the
  // three cells along x, 32, of which 27 are the taps 3 dy + dx of its three cells along y.
  // Columns of the padding of the map along x are in it, as if the map went on: see remove_outside.
  SAK_DEVICE void find_weights() {
    const int x = fragment_row() % 4;
    const int y = fragment_row() / 4;  // and, in the odd registers, two more
    SAK_UNROLL
    for (int i = 0; i < 8; ++i) {  // half of the columns, register pair, phase y or y + 2
      const int k = i / 4 * 16 + i / 2 % 2 * 8 + fragment_column();
      int along_y[2];
      int tap[2];
      SAK_UNROLL
      for (int e = 0; e < 2; ++e) {
        const int cell = (k + e) / 9;
        along_y[e] = cell < 3 ? row_eighths(y + i % 2 * 2, (k + e) % 9 / 3, cell) : 0;
        tap[e] = (k + e) % 3;
      }
      SAK_UNROLL
      for (int cell = 0; cell < 3; ++cell) {
        weights_[cell][i / 4][i % 4] =
            pack_eighths(along_y[0] * lerp_eighths(x, tap[0], cell),
                         along_y[1] * lerp_eighths(x, tap[1], cell), 1.0f / 64);
      }
    }
    // What a tap beside the map adds: the value of the border's cells, which it must not.
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int k = i / 2 * 8 + fragment_column();
      int along_y[2];
      SAK_UNROLL
      for (int e = 0; e < 2; ++e) {
        along_y[e] = k + e < 9 ? row_eighths(y + i % 2 * 2, (k + e) % 3, (k + e) / 3) : 0;
      }
      outside_[i] = pack_eighths(along_y[0], along_y[1], -1.0f / 8);
    }
  }
  SAK_DEVICE static uint32_t pack_eighths(int low, int high, float unit) {
    return dev::pack(static_cast<float>(low) * unit, static_cast<float>(high) * unit, T{});
  }

  // A thread copies one chunk of 16 bytes of one tap of one row of cells, in every column or every
  // other one. Cells beside the map are the ones at its border.
  SAK_DEVICE static int copied_chunk() { return dev::thread() % 2; }
  SAK_DEVICE static int copied_row() { return dev::thread() % kColumnCopies / 2; }
  SAK_DEVICE void find_taps() {
    const int y = clamp(dev::block_y() * kExpandTokens - 1 + copied_row() / 9, args_.grid_height);
    const int64_t token = static_cast<int64_t>(dev::block_z()) * args_.grid_height + y;
    taps_ = static_cast<const Words4*>(args_.taps) +
            token * args_.grid_width * (args_.taps_width / 8) + copied_row() % 9 * (fused_ / 8) +
            copied_chunk();
  }
  SAK_DEVICE static int clamp(int cell, int cells) {
    return cell < 0 ? 0 : cell < cells ? cell : cells - 1;
  }

  // Starts the copy of 16 channels of the taps and of the classes' weights.
  SAK_DEVICE void fetch(int first_class, int step) const {
    unsigned char* stage = dev::shared() + step % kExpandStages * kStageBytes;
    if (dev::thread() < kCopiers * kColumnCopies) {
      // Not all unrolled: their addresses, the same in every step, would be kept in registers.
      _Pragma("unroll 2") for (int n = 0; n < kExpandCells; n += kCopiers) {
        const int c = n + dev::thread() / kColumnCopies;
        const int x = clamp(dev::block_x() * kExpandTokens - 1 + c, args_.grid_width);
        dev::copy_async(stage + c * kColumnBytes + copied_row() * kExpandRow + copied_chunk() * 16,
                        taps_ + x * (args_.taps_width / 8) + 2 * step, true);
      }
    }
    if (dev::thread() < 2 * expand_class_rows(kClasses)) {
      const int row = dev::thread() / 2;
      const int c = first_class + row;
      const bool valid = c < (classes_ + 7) / 8 * 8;
      const auto* last = static_cast<const Words4*>(dev::load_global(&head_->last));
      dev::copy_async(stage + (kExpandTaps + row) * kExpandRow + copied_chunk() * 16,
                      last + (valid ? c * (fused_ / 8) + 2 * step + copied_chunk() : 0), valid);
    }
    dev::copy_commit();
  }

  SAK_DEVICE void expand(int first_class, float (&sums)[kStrip][kTiles][4]) const {
    const int steps = fused_ / kExpandChannels;
    fetch(first_class, 0);
    for (int step = 0; step < steps; ++step) {
      dev::copy_wait<0>();
      dev::barrier();  // Everybody's copies are there, and nobody reads the other stage.
      if (step + 1 < steps) {
        fetch(first_class, step + 1);
      }
      if (exists(0)) {
        multiply_stage(first_class, step, sums);
      }
    }
  }

  // From column to column of cells; the token whose last one it is is done with.
  SAK_DEVICE void multiply_stage(int first_class, int step,
                                 float (&sums)[kStrip][kTiles][4]) const {
    const unsigned char* stage = dev::shared() + step % kExpandStages * kStageBytes;
    // The lane's row in load_matrices_transposed. The five columns of `weights_` that are no taps
    // meet whatever comes next in the stage.
    const unsigned char* cells = stage + tile_column() * kColumnBytes +
                                 (9 * tile_row() + lane() % 16) * kExpandRow + lane() / 16 * 16;
    uint32_t last[kTiles + 1][2];
    load_last(stage, last);

    const float* bias = dev::load_global(&head_->fuse_bias) + step * kExpandChannels;
    const Floats2 biases[2] = {
        dev::load_global(reinterpret_cast<const Floats2*>(bias + fragment_column())),
        dev::load_global(reinterpret_cast<const Floats2*>(bias + 8 + fragment_column()))};
    float values[kStrip][2][4];
    SAK_UNROLL
    for (int c = 0; c < kStrip + 2; ++c) {
      SAK_UNROLL
      for (int i = 0; i < 8 && c < kStrip; ++i) {
        values[c][i / 4][i % 4] = biases[i / 4].x[i % 2];
      }
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        uint32_t b[4];
        dev::load_matrices_transposed(b, cells + c * kColumnBytes + half * 16 * kExpandRow);
        SAK_UNROLL
        for (int cell = 0; cell < 3; ++cell) {
          if (c >= cell && c - cell < kStrip) {
            multiply_both(values[c - cell], weights_[cell][half], b);
          }
        }
      }
      if (c >= 2 && exists(c - 2)) {
        remove_outside(cells + (c - 1) * kColumnBytes, column() + c - 2, values[c - 2]);
        classify(first_class, values[c - 2], last, sums[c - 2]);
      }
    }
  }
  // Both halves of the 16 channels.
  SAK_DEVICE static void multiply_both(float (&values)[2][4], const uint32_t (&a)[4],
                                       const uint32_t (&b)[4]) {
    dev::multiply(values[0], a, {b[0], b[1]}, T{});
    dev::multiply(values[1], a, {b[2], b[3]}, T{});
  }

  SAK_DEVICE void load_last(const unsigned char* stage, uint32_t (&last)[kTiles + 1][2]) const {
    const unsigned char* row =
        stage + (kExpandTaps + lane() % 8 + lane() / 16 * 8) * kExpandRow + lane() / 8 % 2 * 16;
    SAK_UNROLL
    for (int tile = 0; tile < kTiles; tile += 2) {
      uint32_t b[4];
      dev::load_matrices(b, row + tile * 8 * kExpandRow);
      SAK_UNROLL
      for (int i = 0; i < 4; ++i) {
        last[tile + i / 2][i % 2] = b[i];
      }
    }
  }

  // The zero padding along x: taps to the left of the first token's first position and to the right
  // of the last one's last are taken off again. There both cells that a tap is interpolated from
  // are the token's own, at `own`.
  SAK_DEVICE void remove_outside(const unsigned char* own, int token_column,
                                 float (&values)[2][4]) const {
    SAK_UNROLL
    for (int side = 0; side < 2; ++side) {
      if (token_column == (side == 0 ? 0 : args_.grid_width - 1)) {
        const bool mine = fragment_row() % 4 == 3 * side;
        const uint32_t a[4] = {mine ? outside_[0] : 0, mine ? outside_[1] : 0,
                               mine ? outside_[2] : 0, mine ? outside_[3] : 0};
        uint32_t b[4];
        dev::load_matrices_transposed(b, own + (2 * (lane() % 16) + 2 * side) * kExpandRow);
        multiply_both(values, a, b);
      }
    }
  }

  SAK_DEVICE void classify(int first_class, const float (&values)[2][4],
                           const uint32_t (&last)[kTiles + 1][2], float (&sums)[kTiles][4]) const {
    uint32_t a[4];
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float* two = values[i / 2] + i % 2 * 2;
      a[i] = dev::pack(gelu(two[0]), gelu(two[1]), T{});
    }
    SAK_UNROLL
    for (int tile = 0; tile < kTiles; ++tile) {
      if (first_class + tile * 8 < classes_) {
        dev::multiply(sums[tile], a, last[tile], T{});
      }
    }
  }

  SAK_DEVICE void store(int first_class, int t, const float (&sums)[kTiles][4]) const {
    const int width = 4 * args_.grid_width;
    const int64_t position = static_cast<int64_t>(4 * row() + fragment_row() / 4) * width +
                             4 * (column() + t) + fragment_row() % 4;
    float* map = args_.maps + dev::block_z() * args_.map_stride + position * classes_;
    const int64_t below = static_cast<int64_t>(2) * width * classes_;  // two rows of positions
    const float* bias = dev::load_global(&head_->last_bias);
    bool finite = true;
    SAK_UNROLL
    for (int i = 0; i < 2 * kTiles; ++i) {
      const int c = first_class + i / 2 * 8 + fragment_column() + i % 2;
      if (c < classes_) {
        const float b = dev::load_global(bias + c);
        const float high = sums[i / 2][i % 2] + b;
        const float low = sums[i / 2][i % 2 + 2] + b;
        finite = finite && dev::is_finite(high) && dev::is_finite(low);
        dev::store_global(map + c, high);
        dev::store_global(map + below + c, low);
      }
    }
    if (!finite) {
      dev::store_global(args_.finite + dev::block_z() / args_.tasks, 0);
    }
  }

  const ExpandArgs& args_;
  const Head* head_;
  int fused_;
  int classes_;
  uint32_t weights_[3][2][4];
  uint32_t outside_[4];
  const Words4* taps_;  // of this thread's copies, in the first column of tokens
};

}  // namespace sakedge::cuda
