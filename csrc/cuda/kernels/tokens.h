// Products of 64 tokens, float32 in global memory, with all columns of a layer: what the adapter
// paths and the routers begin with.
#pragma once

#include "cuda/kernels/fetch.h"
#include "cuda/kernels/tiles.h"

namespace sakedge::cuda {

constexpr float kNormEpsilon = 1e-5f;  // everywhere outside the stem

// 1 / sqrt(variance + epsilon); NaN where the variance overflowed, which 1 / infinity would hide.
SAK_DEVICE float inverse_deviation(float variance) {
  return dev::rsqrt(variance + kNormEpsilon) + 0.0f * variance;
}

// Two neighbouring values of a vector of `size`, zeros past its end or where there is none.
SAK_DEVICE Floats2 pair_of(const float* vector, int at, int size) {
  Floats2 two{};
  for (int e = 0; e < 2; ++e) {
    if (vector != nullptr && at + e < size) {
      two.x[e] = dev::load_global(vector + at + e);
    }
  }
  return two;
}

// A block's tokens. What lies past their edges is zero.
struct TokenRows {
  const float* x;  // the first token's channels
  const float* r;  // added to x; null: nothing is
  int rows;
  int channels;  // a multiple of 4
};

// k-tiles of TokenRows on their way into shared memory as T: a thread carries four channels of
// kCount tokens.
template <class T, int kChunks>
struct TokenCarrier {
  static constexpr int kAcross = 2 * kChunks;  // threads for a row
  static constexpr int kTogether = kTokenThreads / kAcross;
  static constexpr int kCount = kTokenTile / kTogether;

  Floats4 x[kCount];
  Floats4 r[kCount];

  SAK_DEVICE void load(const TokenRows& tokens, int step) {
    const int channel = (step * kAcross + dev::thread() % kAcross) * 4;
    SAK_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const int row = dev::thread() / kAcross + i * kTogether;
      const int64_t at = int64_t{row} * tokens.channels + channel;
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

// sums[64, kWidth] of a block, over its eight warps.
template <class T, int kWidth, int kChunks>
struct TokenProduct {
  static constexpr int kAcross = kWidth % 64 == 0 ? 4 : 2;  // warps side by side
  static constexpr int kDown = kTokenThreads / 32 / kAcross;
  static constexpr int kM = kTokenTile / kDown / 16;
  static constexpr int kN = kWidth / kAcross / 16;
  static_assert(kWidth == kAcross * kN * 16);

  float sums[kM][2 * kN][4] = {};

  // Of this thread's warp; its sums lie in rows row() + 16 i, columns column() + 8 j (tile.h).
  SAK_DEVICE static int across() { return dev::thread() / 32 % kAcross; }
  SAK_DEVICE static int down() { return dev::thread() / 32 / kAcross; }
  SAK_DEVICE static int row() { return down() * kM * 16; }
  SAK_DEVICE static int column() { return across() * kN * 16; }

  // `tokens_at(slot)` and `weights_at(slot)` are the tiles of a stage; `fetch(slot, step)` begins
  // to copy the weights' k-tile. The step past the last is fetched too: what the kernel needs next.
  template <class TokensAt, class WeightsAt, class Fetch>
  SAK_DEVICE void run(const TokenRows& tokens, TokensAt tokens_at, WeightsAt weights_at,
                      Fetch fetch) {
    const int steps = ceil_div(tokens.channels, 8 * kChunks);
    TokenCarrier<T, kChunks> carrier;
    fetch(0, 0);
    dev::copy_commit();
    carrier.load(tokens, 0);
    carrier.store(tokens_at(0));
    SAK_ROLLED
    for (int step = 0; step < steps; ++step) {
      const int slot = step % kTokenStages;
      const bool more = step + 1 < steps;
      if (more) {
        carrier.load(tokens, step + 1);
      }
      dev::copy_wait<0>();
      dev::barrier();  // this step's k-tile is here, and nobody reads the last one's
      fetch(1 - slot, step + 1);
      dev::copy_commit();
      multiply(tokens_at(slot), weights_at(slot));
      if (more) {
        carrier.store(tokens_at(1 - slot));
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
