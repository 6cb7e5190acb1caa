// Products of a block's tokens, float32 in global memory, with all columns of a layer: what the
// adapter paths and the routers begin with.
#pragma once

#include "cuda/kernels/fetch.h"
#include "cuda/kernels/tiles.h"

namespace sakedge::cuda {

constexpr float kNormEpsilon = 1e-5f;  // everywhere outside the stem

// 1 / sqrt(variance + epsilon); NaN where the variance overflowed, which 1 / infinity would hide.
SAK_DEVICE float inverse_deviation(float variance) {
  return dev::rsqrt(variance + kNormEpsilon) + 0.0f * variance;
}

// A layer's vector in shared memory, kWidth floats: what all warps need when the product is done is
// on its way before. There are `size` values, or none; zeros take the place of the others. The next
// barrier lets everybody read it.
template <int kWidth>
struct ColumnVector {
  float* data;

  SAK_DEVICE void fill(const float* from, int size) const {
    SAK_UNROLL
    for (int first = 0; first < kWidth; first += kTokenThreads) {
      const int at = first + dev::thread();
      if (kWidth % kTokenThreads == 0 || at < kWidth) {
        const bool is_there = from != nullptr && at < size;
        dev::store_shared(data + at, is_there ? dev::load_global(from + at) : 0.0f);
      }
    }
  }
  // Two neighbouring values; `at` is even.
  SAK_DEVICE Floats2 pair(int at) const {
    return dev::load_shared(reinterpret_cast<const Floats2*>(data + at));
  }
};

// A block's tokens. What lies past their edges is zero.
struct TokenRows {
  const float* x;  // the first token's channels
  const float* r;  // added to x; null: nothing is
  int rows;
  int channels;  // a multiple of 4
};

// k-tiles of TokenRows on their way into shared memory as T: a thread carries four channels of
// kCount tokens.
template <class T, int kTokens, int kChunks>
struct TokenCarrier {
  static constexpr int kAcross = 2 * kChunks;  // threads for a row
  static constexpr int kTogether = kTokenThreads / kAcross;
  static constexpr int kCount = kTokens / kTogether;

  Floats4 x[kCount];
  Floats4 r[kCount];

  SAK_DEVICE void load(const TokenRows& tokens, int step) {
    const int channel = (step * kAcross + dev::thread() % kAcross) * 4;
    SAK_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const int row = dev::thread() / kAcross + i * kTogether;
      const int at = row * tokens.channels + channel;
      x[i] = {};
      r[i] = {};
      if (row < tokens.rows && channel < tokens.channels) {
        x[i] = dev::load_global(reinterpret_cast<const Floats4*>(tokens.x + at));
        if (tokens.r != nullptr) {
          r[i] = dev::load_global(reinterpret_cast<const Floats4*>(tokens.r + at));
        }
      }
    }
  }

  SAK_DEVICE void store(const Tile<kChunks>& tile) const {
    const int group = dev::thread() % kAcross;
    SAK_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const int row = dev::thread() / kAcross + i * kTogether;
      float z[4];
      for (int e = 0; e < 4; ++e) {
        z[e] = r[i].x[e] + x[i].x[e];
      }
      auto* to = reinterpret_cast<Words2*>(tile.chunk(row, group / 2) + group % 2 * 8);
      dev::store_shared(to, Words2{{dev::pack(z[0], z[1], T{}), dev::pack(z[2], z[3], T{})}});
    }
  }
};

// sums[kTokens, kWidth] of a block, over its eight warps. Tokens are loaded kAhead steps, 1 or 2,
// before they are multiplied: their registers are a thread's 16 for each.
template <class T, int kTokens, int kWidth, int kChunks, int kStages, int kAhead>
struct TokenProduct {
  static constexpr int kAcross = kWidth % 64 == 0 ? 4 : 2;  // warps side by side
  static constexpr int kDown = kTokenThreads / 32 / kAcross;
  static constexpr int kM = kTokens / kDown / 16;
  static constexpr int kN = kWidth / kAcross / 16;
  static_assert(kWidth == kAcross * kN * 16 && kTokens == kDown * kM * 16);

  float sums[kM][2 * kN][4] = {};

  // Of this thread's warp; its sums lie in rows row() + 16 i, columns column() + 8 j (tile.h).
  SAK_DEVICE static int across() { return dev::thread() / 32 % kAcross; }
  SAK_DEVICE static int down() { return dev::thread() / 32 / kAcross; }
  SAK_DEVICE static int row() { return down() * kM * 16; }
  SAK_DEVICE static int column() { return across() * kN * 16; }

  // `tokens_at(step)` and `weights_at(step)` are the tiles of a step, in a ring of kTokenSlots and
  // one of kStages; `fetch(step)` begins to copy the weights' k-tile there.
  // Nothing is on its way afterwards. `meanwhile()` is called when the first of them are.
  template <class TokensAt, class WeightsAt, class Fetch, class Meanwhile>
  SAK_DEVICE void run(const TokenRows& tokens, TokensAt tokens_at, WeightsAt weights_at,
                      Fetch fetch, Meanwhile meanwhile) {
    const int steps = ceil_div(tokens.channels, 8 * kChunks);
    const auto begin = [&](int step) {
      if (step < steps) {
        fetch(step);
      }
      dev::copy_commit();
    };
    const auto take = [&](int step, Carrier& free, Carrier& next) {
      free.load(tokens, step + kAhead);
      dev::copy_wait<kStages - 2>();
      dev::barrier();  // this step's k-tiles are here, and nobody reads the last one's
      begin(step + kStages - 1);
      multiply(tokens_at(step), weights_at(step));
      if (step + 1 < steps) {
        (kAhead == 1 ? free : next).store(tokens_at(step + 1));
      }
    };
    Carrier even;
    Carrier odd;
    even.load(tokens, 0);
    if (kAhead == 2) {
      odd.load(tokens, 1);
    }
    SAK_UNROLL
    for (int step = 0; step < kStages - 1; ++step) {
      begin(step);
    }
    meanwhile();
    even.store(tokens_at(0));
    SAK_ROLLED
    for (int step = 0; step < steps; step += kAhead) {
      take(step, even, odd);
      if (kAhead == 2 && step + 1 < steps) {
        take(step + 1, odd, even);
      }
    }
  }

  // f(column, sums) of 8 columns after the other: four sums of 16 rows and 8 columns for each i,
  // this thread's first one in `column`. The sums move down the registers, so that f is compiled
  // for 16 columns and not for all.
  template <class F>
  SAK_DEVICE void each(F f) {
    SAK_ROLLED
    for (int j = 0; j < kN; ++j) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        float of[kM][4];
        SAK_UNROLL
        for (int i = 0; i < kM; ++i) {
          SAK_UNROLL
          for (int e = 0; e < 4; ++e) {
            of[i][e] = sums[i][half][e];
          }
        }
        f(column() + 16 * j + 8 * half + fragment_column(), of);
      }
      SAK_UNROLL
      for (int i = 0; i < kM; ++i) {
        SAK_UNROLL
        for (int next = 2; next < 2 * kN; ++next) {
          SAK_UNROLL
          for (int e = 0; e < 4; ++e) {
            sums[i][next - 2][e] = sums[i][next][e];
          }
        }
      }
    }
  }

 private:
  using Carrier = TokenCarrier<T, kTokens, kChunks>;

  SAK_DEVICE void multiply(const Tile<kChunks>& tokens, const Tile<kChunks>& weights) {
    SAK_UNROLL
    for (int c = 0; c < kChunks; c += 2) {
      uint32_t a[kM][4];
      SAK_UNROLL
      for (int i = 0; i < kM; ++i) {
        load_a(a[i], tokens, row() + 16 * i, c);
      }
      SAK_UNROLL
      for (int j = 0; j < kN; ++j) {
        uint32_t b[4];
        load_b(b, weights, column() + 16 * j, c);
        SAK_UNROLL
        for (int i = 0; i < kM; ++i) {
          multiply_16(&sums[i][2 * j], a[i], b, T{});
        }
      }
    }
  }
};

}  // namespace sakedge::cuda
