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
// products and 0.6 loads of their operands, 8 of GELU, 0.5 packing, 0.4 products with 24 classes,
// about 2 for copies and the loop: 13 in all, beside 12 cycles of a tensor core that takes 6 for a
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
  static constexpr int kTogether = kThreads / 4;  // rows of a stage copied at a time
  static_assert(kTogether % 8 == 0, "a thread's chunks lie alike in all of its rows");

  // Taps, the last layer's weights and biases of 32 channels.
  using Stage = Tile<4>;
  SAK_DEVICE static Stage stage(int step) {
    return {dev::shared() + step % kExpandStages * expand_stage(kClasses)};
  }
  // Where the biases lie in it. Twice, so that a thread's four registers of a product are four
  // loads' and none is a copy.
  static constexpr int kBiases = expand_stage(kClasses) - 8 * kExpandChannels;

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
    Words4 outside;
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int k = i / 2 * 8 + fragment_column();
      int along_y[2];
      SAK_UNROLL
      for (int e = 0; e < 2; ++e) {
        along_y[e] = k + e < 9 ? row_eighths(y + i % 2 * 2, (k + e) % 3, (k + e) / 3) : 0;
      }
      outside.x[i] = pack_eighths(along_y[0], along_y[1], -1.0f / 8);
    }
    dev::store_shared(outside_weights(), outside);
  }
  // Of this thread; few need them, so that they take no registers.
  SAK_DEVICE static Words4* outside_weights() {
    constexpr int kBehind = expand_shared(kClasses) - 16 * kThreads;
    return reinterpret_cast<Words4*>(dev::shared() + kBehind) + dev::thread();
  }
  SAK_DEVICE static uint32_t pack_eighths(int low, int high, float unit) {
    return dev::pack(static_cast<float>(low) * unit, static_cast<float>(high) * unit, T{});
  }

  // Where the rows of taps begin, in chunks of 16 bytes, for fetch(). Cells beside the map are the
  // ones at its border; the two rows too many of a column repeat its last, for any number that is
  // one will do there.
  SAK_DEVICE static uint32_t* tap_offsets() {
    return reinterpret_cast<uint32_t*>(dev::shared() + kExpandStages * expand_stage(kClasses));
  }
  SAK_DEVICE void find_taps() {
    const int tokens = args_.grid_height * args_.grid_width;
    taps_ = static_cast<const unsigned char*>(args_.taps) +
            static_cast<int64_t>(dev::block_z()) * tokens * args_.taps_width * 2 +
            dev::thread() % 4 * 16;
    for (int row = dev::thread(); row < kExpandTaps; row += kThreads) {
      const int in_column = row % kExpandColumn;
      const int tap = in_column < 9 * kExpandCells ? in_column : 9 * kExpandCells - 1;
      const int y = clamp(dev::block_y() * kExpandTokens - 1 + tap / 9, args_.grid_height);
      const int x =
          clamp(dev::block_x() * kExpandTokens - 1 + row / kExpandColumn, args_.grid_width);
      const int offset =
          (y * args_.grid_width + x) * (args_.taps_width / 8) + tap % 9 * (fused_ / 8);
      dev::store_shared(tap_offsets() + row, static_cast<uint32_t>(offset));
    }
    dev::barrier();
  }
  // Whether a thread has a row of taps to copy in a round.
  SAK_DEVICE static bool has_row(int first, int round) {
    return (round + 1) * kTogether <= kExpandTaps || first < kExpandTaps - round * kTogether;
  }
  SAK_DEVICE static int clamp(int cell, int cells) {
    return cell < 0 ? 0 : cell < cells ? cell : cells - 1;
  }

  // Starts the copy of 32 channels of the taps, the classes' weights and the biases; zeros, which
  // add nothing, beyond the last channel.
  SAK_DEVICE void fetch(int first_class, int step, const unsigned char* taps) const {
    // Loaded again, from the first level cache, for they would take registers all along.
    const auto* last = static_cast<const Words4*>(dev::load_global(&head_->last));
    const float* fuse_bias = dev::load_global(&head_->fuse_bias);
    const int chunk = dev::thread() % 4;
    const int first = dev::thread() / 4;
    const int at = 4 * step + chunk;
    const bool inside = at < fused_ / 8;
    unsigned char* to = stage(step).chunk(first, chunk);
    const uint32_t* from = tap_offsets() + first;
    constexpr int kRounds = ceil_div(kExpandTaps, kTogether);
    uint32_t offsets[kRounds];  // all at once, for nothing is loaded past a copy
    SAK_UNROLL
    for (int i = 0; i < kRounds; ++i) {
      offsets[i] = has_row(first, i) ? dev::load_shared(from + i * kTogether) : 0;
    }
    SAK_UNROLL
    for (int i = 0; i < kRounds; ++i) {
      if (has_row(first, i)) {
        dev::copy_async(to + i * kTogether * kExpandRow, taps + uint64_t{offsets[i]} * 16, inside);
      }
    }
    constexpr int kRows = expand_class_rows(kClasses);
    static_assert(kRows == kTogether);
    const int c = first_class + first;
    const bool valid = inside && c < (classes_ + 7) / 8 * 8;
    dev::copy_async(to + kExpandTaps * kExpandRow, last + (valid ? c * (fused_ / 8) + at : 0),
                    valid);
    const int channel = step * kExpandChannels + 4 * dev::thread() % kExpandChannels;
    if (4 * dev::thread() < 2 * kExpandChannels) {
      dev::copy_async(stage(step).data + kBiases + 16 * dev::thread(), fuse_bias + channel,
                      channel < fused_);
    }
    dev::copy_commit();
  }

  SAK_DEVICE void expand(int first_class, float (&sums)[kStrip][kTiles][4]) const {
    const int steps = ceil_div(fused_, kExpandChannels);
    const bool at_border = column() == 0 || column() + kStrip >= args_.grid_width;
    const unsigned char* taps = taps_;
    fetch(first_class, 0, taps);
    for (int step = 0; step < steps; ++step) {
      dev::copy_wait<0>();
      dev::barrier();  // Everybody's copies are there, and nobody reads the other stage.
      if (step + 1 < steps) {
        taps += kExpandRow;
        fetch(first_class, step + 1, taps);
      }
      if (exists(0)) {
        SAK_ROLLED
        for (int half = 0; half < 2; ++half) {
          if (at_border) {
            multiply_stage<true>(first_class, stage(step), half, sums);
          } else {
            multiply_stage<false>(first_class, stage(step), half, sums);
          }
        }
      }
    }
  }

  // 16 channels, from column to column of cells; the token whose last one it is is done with.
  // Tokens beside the map are computed like the others and there is no branch in between, so that
  // the compiler is free to mix the products of one token with the GELU of another.
  template <bool kAtBorder>
  SAK_DEVICE void multiply_stage(int first_class, const Stage& stage, int channels,
                                 float (&sums)[kStrip][kTiles][4]) const {
    float biases[2][4];
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {  // half, copy
      const int channel = i % 2 * kExpandChannels + 16 * channels + i / 2 * 8 + fragment_column();
      const Floats2 two =
          dev::load_shared(reinterpret_cast<const Floats2*>(stage.data + kBiases + channel * 4));
      biases[i / 2][i % 2 * 2] = two.x[0];
      biases[i / 2][i % 2 * 2 + 1] = two.x[1];
    }
    // The lane's row in load_matrices_transposed. The five columns of `weights_` that are no taps
    // meet whatever comes next in the stage.
    const int first_row = tile_column() * kExpandColumn + 9 * tile_row();
    const unsigned char* cells = stage.chunk(first_row + lane() % 16, 2 * channels + lane() / 16);
    float values[kStrip][2][4];
    if constexpr (kAtBorder) {
      remove_outside(stage, channels, biases, values);
    }
    uint32_t activations[kStrip][4];
    SAK_UNROLL
    for (int c = 0; c < kStrip + 2; ++c) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        uint32_t b[4];
        dev::load_matrices_transposed(b, cells + (c * kExpandColumn + half * 16) * kExpandRow);
        SAK_UNROLL
        for (int cell = 0; cell < 3; ++cell) {
          if (c >= cell && c - cell < kStrip) {
            float (&into)[2][4] = values[c - cell];
            const bool is_first = cell == 0 && half == 0 && !kAtBorder;
            multiply_both(into, weights_[cell][half], b, is_first ? biases : into);
          }
        }
      }
      if (c >= 2) {
        activate(values[c - 2], activations[c - 2]);
      }
    }
    classify(first_class, stage, channels, activations, sums);
  }
  // Both halves of the 16 channels: values = from + a b.
  SAK_DEVICE static void multiply_both(float (&values)[2][4], const uint32_t (&a)[4],
                                       const uint32_t (&b)[4], const float (&from)[2][4]) {
    dev::multiply(values[0], a, {b[0], b[1]}, from[0], T{});
    dev::multiply(values[1], a, {b[2], b[3]}, from[1], T{});
  }

  // Values begin as the biases less the zero padding along x: taps to the left of the first token's
  // first position and to the right of the last one's last, which the weights count in. There both
  // cells that a tap is interpolated from are the token's own.
  SAK_DEVICE void remove_outside(const Stage& stage, int channels, const float (&biases)[2][4],
                                 float (&values)[kStrip][2][4]) const {
    SAK_UNROLL
    for (int i = 0; i < 8 * kStrip; ++i) {
      values[i / 8][i / 4 % 2][i % 4] = biases[i / 4 % 2][i % 4];
    }
    SAK_UNROLL
    for (int i = 0; i < 2 * kStrip; ++i) {
      const int t = i / 2;
      const int side = i % 2;
      if (column() + t == (side == 0 ? 0 : args_.grid_width - 1)) {
        const bool mine = fragment_row() % 4 == 3 * side;
        const Words4 outside = dev::load_shared(outside_weights());
        const uint32_t a[4] = {mine ? outside.x[0] : 0, mine ? outside.x[1] : 0,
                               mine ? outside.x[2] : 0, mine ? outside.x[3] : 0};
        const int row =
            (tile_column() + t + 1) * kExpandColumn + 9 * tile_row() + 3 * (lane() % 16) + 2 * side;
        uint32_t b[4];
        dev::load_matrices_transposed(b, stage.chunk(row, 2 * channels + lane() / 16));
        multiply_both(values[t], a, b, values[t]);
      }
    }
  }

  SAK_DEVICE static void activate(const float (&values)[2][4], uint32_t (&activations)[4]) {
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float* two = values[i / 2] + i % 2 * 2;
      activations[i] = dev::pack(gelu(two[0]), gelu(two[1]), T{});
    }
  }

  SAK_DEVICE void classify(int first_class, const Stage& stage, int channels,
                           const uint32_t (&activations)[kStrip][4],
                           float (&sums)[kStrip][kTiles][4]) const {
    SAK_UNROLL
    for (int tile = 0; tile < kTiles; tile += 2) {
      if (first_class + tile * 8 >= classes_) {
        break;
      }
      uint32_t b[4];
      load_b(b, stage, kExpandTaps + tile * 8, 2 * channels);
      SAK_UNROLL
      for (int i = 0; i < 2 * kStrip; ++i) {
        const int right = i / kStrip;
        if (tile + right < kTiles && first_class + (tile + right) * 8 < classes_) {
          dev::multiply(sums[i % kStrip][tile + right], activations[i % kStrip],
                        {b[2 * right], b[2 * right + 1]}, T{});
        }
      }
    }
  }

  SAK_DEVICE void store(int first_class, int t, const float (&sums)[kTiles][4]) const {
    const int width = 4 * args_.grid_width;
    const int position =
        (4 * row() + fragment_row() / 4) * width + 4 * column() + fragment_row() % 4;
    // Loaded again, lest addresses be kept in registers all along.
    const int classes = dev::load_global(&head_->classes);
    float* map = args_.maps + dev::block_z() * args_.map_stride + int64_t{position} * classes +
                 4 * t * classes;
    const int64_t below = int64_t{2 * width} * classes;  // two rows of positions
    const float* bias = dev::load_global(&head_->last_bias);
    bool finite = true;
    SAK_UNROLL
    for (int i = 0; i < 2 * kTiles; ++i) {
      const int c = first_class + i / 2 * 8 + fragment_column() + i % 2;
      if (c < classes) {
        const float b = dev::load_global(bias + c);
        const float high = sums[i / 2][i % 2] + b;
        const float low = sums[i / 2][i % 2 + 2] + b;
        finite = finite && dev::is_finite(high) && dev::is_finite(low);
        dev::store_global(map + c, high);
        dev::store_global(map + below + c, low);
      }
    }
    if (!finite) {
      dev::store_global(args_.finite + (args_.first_pair + dev::block_z()) / args_.tasks, 0);
    }
  }

  const ExpandArgs& args_;
  const Head* head_;
  int fused_;
  int classes_;
  uint32_t weights_[3][2][4];
  const unsigned char* taps_;  // the chunk of the first token's that this thread copies
};

}  // namespace sakedge::cuda
