// What a warp of attention does: some queries attend to keys, 32 by 32, with a running maximum.
#pragma once

#include "cuda/kernels/attention_shape.h"
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

using Rows = Tile<kHeadChannels / 8>;

// Not negative, which the compiler does not know of dev::thread(): divisions are shifts.
SAK_DEVICE int thread() {
  const int t = dev::thread();
  if (t < 0) {
    __builtin_unreachable();
  }
  return t;
}
SAK_DEVICE int sum_row() { return thread() % 32 / 4; }    // fragment_row()
SAK_DEVICE int sum_column() { return thread() % 4 * 2; }  // fragment_column()

// Where a lane of load_b or load_b_transposed reads in a tile whose first byte is `tile` bytes into
// shared memory, a multiple of 128: chunks [0, 2) of rows [0, 16). Of chunks [2 c, 2 c + 2) it
// differs in two bits, which an instruction flips, where a tile's pointer would take a register for
// each; other rows are a constant of the instruction.
SAK_DEVICE int key_lane(int tile) {
  const int lane = thread() % 32;
  const int row = lane % 8 + lane / 16 * 8;
  return tile + row * Rows::kRowBytes + ((lane / 8 % 2 ^ lane % 8) << 4);
}
SAK_DEVICE int value_lane(int tile) {
  const int lane = thread() % 32;
  return tile + lane % 16 * Rows::kRowBytes + ((lane / 16 ^ lane % 8) << 4);
}
SAK_DEVICE const unsigned char* chunks_from(int lane, int row, int c) {
  return dev::shared() + (lane ^ c << 5) + row * Rows::kRowBytes;
}

// Minus infinity: exp2 makes 0 of it.
constexpr float kNever = __builtin_bit_cast(float, 0xff800000u);

// Queries of a warp and the average of the values that they have met. A thread has the rows
// sum_row() and sum_row() + 8 of each 16; `half` says which. Queries stay in
// registers. So do the logits: as sums of one product they lie as the next product's A operand
// must.
template <class T>
class Queries {
 public:
  static constexpr int kBlocks = kWarpQueries / 16;
  static constexpr int kChunks = kHeadChannels / 8;

  SAK_DEVICE void load(const Rows& tile, int row) {
    SAK_UNROLL
    for (int i = 0; i < kBlocks; ++i) {
      peak_[i][0] = peak_[i][1] = kNever;
      SAK_UNROLL
      for (int c = 0; c < kDepth; ++c) {
        load_a(query_[i][c], tile, row + 16 * i, 2 * c);
      }
    }
  }

  // kWarpKeys keys and values, of which unless kWhole only the first `valid` are tokens, at least
  // one. They begin that many bytes into shared memory.
  template <bool kWhole>
  SAK_DEVICE void attend(int keys, int values, int valid, float scale) {
    Weights weights = {};
    multiply_keys(weights, keys);
    if constexpr (!kWhole) {
      mask(weights, valid);
    }
    follow_peaks(weights, scale);
    SAK_UNROLL
    for (int i = 0; i < kBlocks; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        exponentiate(weights[i], i, half, scale);
      }
    }
    multiply_values(weights, values);
  }

  // visit(n, sums, peak, total): of row 8 n + sum_row() of the warp the sums of weights times
  // values, of which those at sum_column() + 8 c are sums[c][n % 2 * 2] and the next, the scaled
  // logit whose weight is 1, and this thread's part of the sum of the weights.
  template <class Visit>
  SAK_DEVICE void each_row(const Visit& visit) {
    SAK_UNROLL
    for (int n = 0; n < 2 * kBlocks; ++n) {
      visit(n, out_[n / 2], peak_[n / 2][n % 2], total_[n / 2][n % 2]);
    }
  }

 private:
  using Weights = float[kBlocks][kWarpKeys / 8][4];
  static constexpr int kDepth = kHeadChannels / 16;

  // A weight may grow to 2^kSlack before all that was summed is scaled down to a higher peak: 16
  // bits hold it to the same relative precision, and it hardly ever happens after the first keys.
  static constexpr float kSlack = 8.0f;

  SAK_DEVICE void multiply_keys(Weights& sums, int keys) {
    const int lane = key_lane(keys);
    SAK_UNROLL
    for (int c = 0; c < kDepth; ++c) {
      SAK_UNROLL
      for (int j = 0; j < kWarpKeys / 16; ++j) {
        uint32_t b[4];
        dev::load_matrices(b, chunks_from(lane, 16 * j, c));
        SAK_UNROLL
        for (int i = 0; i < kBlocks; ++i) {
          multiply_16(&sums[i][2 * j], query_[i][c], b, T{});
        }
      }
    }
  }

  SAK_DEVICE static void mask(Weights& logits, int valid) {
    SAK_UNROLL
    for (int n = 0; n < kWarpKeys / 8; ++n) {
      SAK_UNROLL
      for (int e = 0; e < 4; ++e) {
        if (8 * n + sum_column() + e % 2 >= valid) {
          SAK_UNROLL
          for (int i = 0; i < kBlocks; ++i) {
            logits[i][n][e] = kNever;
          }
        }
      }
    }
  }

  // Where a logit is far above its row's peak, rows take their largest logit for the peak, and all
  // that was summed before is scaled to it. NaN passes the maximum by, but not the exponential.
  SAK_DEVICE void follow_peaks(const Weights& logits, float scale) {
    float largest[kBlocks][2];
    bool far = false;
    SAK_UNROLL
    for (int i = 0; i < kBlocks; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        float peak = dev::max(logits[i][0][2 * half], logits[i][0][2 * half + 1]);
        SAK_UNROLL
        for (int n = 1; n < kWarpKeys / 8; ++n) {
          peak = dev::max(peak, dev::max(logits[i][n][2 * half], logits[i][n][2 * half + 1]));
        }
        largest[i][half] = peak;
        far = far || dev::fma(peak, scale, -peak_[i][half]) > kSlack;
      }
    }
    if (!dev::any(far)) {
      return;
    }
    SAK_UNROLL
    for (int i = 0; i < kBlocks; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        float peak = largest[i][half];
        peak = dev::max(peak, dev::shuffle_xor(peak, 1));
        peak = dev::max(peak, dev::shuffle_xor(peak, 2));
        peak = dev::max(peak_[i][half], peak * scale);
        const float correction = dev::exp2(peak_[i][half] - peak);
        peak_[i][half] = peak;
        total_[i][half] *= correction;
        SAK_UNROLL
        for (int c = 0; c < kChunks; ++c) {
          out_[i][c][2 * half] *= correction;
          out_[i][c][2 * half + 1] *= correction;
        }
      }
    }
  }

  // Logits of a row become weights exp(logit - peak).
  SAK_DEVICE void exponentiate(float (&row)[kWarpKeys / 8][4], int i, int half, float scale) {
    SAK_UNROLL
    for (int n = 0; n < kWarpKeys / 8; ++n) {
      SAK_UNROLL
      for (int e = 2 * half; e < 2 * half + 2; ++e) {
        row[n][e] = dev::exp2(dev::fma(row[n][e], scale, -peak_[i][half]));
        total_[i][half] += row[n][e];
      }
    }
  }

  SAK_DEVICE void multiply_values(const Weights& weights, int values) {
    const int lane = value_lane(values);
    SAK_UNROLL
    for (int j = 0; j < kWarpKeys / 16; ++j) {
      uint32_t a[kBlocks][4];
      SAK_UNROLL
      for (int i = 0; i < kBlocks; ++i) {
        SAK_UNROLL
        for (int e = 0; e < 4; ++e) {
          const float* pair = weights[i][2 * j + e / 2] + 2 * (e % 2);
          a[i][e] = dev::pack(pair[0], pair[1], T{});
        }
      }
      SAK_UNROLL
      for (int c = 0; c < kDepth; ++c) {
        uint32_t b[4];
        dev::load_matrices_transposed(b, chunks_from(lane, 16 * j, c));
        SAK_UNROLL
        for (int i = 0; i < kBlocks; ++i) {
          multiply_16(&out_[i][2 * c], a[i], b, T{});
        }
      }
    }
  }

  uint32_t query_[kBlocks][kDepth][4];
  float out_[kBlocks][kChunks][4] = {};  // sums of weights times values
  float peak_[kBlocks][2];               // scaled logit whose weight is 1
  float total_[kBlocks][2] = {};         // this thread's part of the sum of the weights
};

}  // namespace sakedge::cuda
