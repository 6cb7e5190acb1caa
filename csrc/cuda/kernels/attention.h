// Softmax attention of one head over all tokens in one pass (flash attention, non-causal).
//
// A block takes kQueries queries, each of its four warps 16 or 32 of them, and walks the keys in
// tiles of 64, and by 16 in the last one, of which N = 1025 leaves a single key. Queries stay in
// registers. So do the logits: as sums of one product they lie as the next product's A operand
// must.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/attention_shape.h"
#include "cuda/kernels/fetch.h"
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

using Rows = Tile<kHeadChannels / 8>;

// A tile's rows from one on, a multiple of 8: the offset is then a constant of the instruction,
// where the compiler would keep an address in a register for each.
SAK_DEVICE Rows rows_from(const Rows& tile, int row) {
  return Rows{tile.data + row * Rows::kRowBytes};
}

// What a warp holds of kBlocks times 16 queries. A thread has the rows fragment_row() and
// fragment_row() + 8 of each 16; `half` says which.
template <class T, int kBlocks>
class Queries {
 public:
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

  // kCount keys and values; of a whole tile all are tokens, of less the first `valid`.
  template <int kCount>
  SAK_DEVICE void attend(const Rows& keys, const Rows& values, int valid, float scale) {
    Weights<kCount> weights = {};
    multiply_keys<kCount>(weights, keys);
    if constexpr (kCount < kKeys) {
      mask<kCount>(weights, valid);
    }
    SAK_UNROLL
    for (int i = 0; i < kBlocks; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        exponentiate<kCount>(weights[i], i, half, scale);
      }
    }
    multiply_values<kCount>(weights, values);
  }

  // The results as T to rows [row, row + 16 * kBlocks) of a tile.
  SAK_DEVICE void store(const Rows& tile, int row) {
    SAK_UNROLL
    for (int i = 0; i < kBlocks; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        const float inverse = 1.0f / sum_of_four(total_[i][half]);
        const int at = row + 16 * i + 8 * half + fragment_row();
        SAK_UNROLL
        for (int c = 0; c < kChunks; ++c) {
          const float* pair = out_[i][c] + 2 * half;
          dev::store_shared(reinterpret_cast<uint32_t*>(tile.chunk(at, c) + 2 * fragment_column()),
                            dev::pack(pair[0] * inverse, pair[1] * inverse, T{}));
        }
      }
    }
  }

 private:
  template <int kCount>
  using Weights = float[kBlocks][kCount / 8][4];
  static constexpr int kDepth = kHeadChannels / 16;

  template <int kCount>
  SAK_DEVICE void multiply_keys(Weights<kCount>& sums, const Rows& keys) {
    SAK_UNROLL
    for (int c = 0; c < kDepth; ++c) {
      SAK_UNROLL
      for (int j = 0; j < kCount / 16; ++j) {
        uint32_t b[4];
        load_b(b, rows_from(keys, 16 * j), 0, 2 * c);
        SAK_UNROLL
        for (int i = 0; i < kBlocks; ++i) {
          multiply_16(&sums[i][2 * j], query_[i][c], b, T{});
        }
      }
    }
  }

  template <int kCount>
  SAK_DEVICE static void mask(Weights<kCount>& logits, int valid) {
    SAK_UNROLL
    for (int n = 0; n < kCount / 8; ++n) {
      SAK_UNROLL
      for (int e = 0; e < 4; ++e) {
        if (8 * n + fragment_column() + e % 2 >= valid) {
          SAK_UNROLL
          for (int i = 0; i < kBlocks; ++i) {
            logits[i][n][e] = kNever;
          }
        }
      }
    }
  }

  // Logits of a row become weights exp(logit - peak), and all that was summed before them is
  // scaled to their peak. NaN passes the maximum by, but not the exponential.
  template <int kCount>
  SAK_DEVICE void exponentiate(float (&row)[kCount / 8][4], int i, int half, float scale) {
    float peak = kNever;
    SAK_UNROLL
    for (int n = 0; n < kCount / 8; ++n) {
      peak = dev::max(peak, dev::max(row[n][2 * half], row[n][2 * half + 1]));
    }
    peak = dev::max(peak, dev::shuffle_xor(peak, 1));
    peak = dev::max(peak, dev::shuffle_xor(peak, 2));
    peak = dev::max(peak_[i][half], peak * scale);
    const float correction = dev::exp2(peak_[i][half] - peak);
    peak_[i][half] = peak;

    float total = total_[i][half] * correction;
    SAK_UNROLL
    for (int n = 0; n < kCount / 8; ++n) {
      SAK_UNROLL
      for (int e = 2 * half; e < 2 * half + 2; ++e) {
        row[n][e] = dev::exp2(dev::fma(row[n][e], scale, -peak));
        total += row[n][e];
      }
    }
    total_[i][half] = total;
    SAK_UNROLL
    for (int c = 0; c < kChunks; ++c) {
      out_[i][c][2 * half] *= correction;
      out_[i][c][2 * half + 1] *= correction;
    }
  }

  template <int kCount>
  SAK_DEVICE void multiply_values(const Weights<kCount>& weights, const Rows& values) {
    SAK_UNROLL
    for (int j = 0; j < kCount / 16; ++j) {
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
        load_b_transposed(b, rows_from(values, 16 * j), 0, 2 * c);
        SAK_UNROLL
        for (int i = 0; i < kBlocks; ++i) {
          multiply_16(&out_[i][2 * c], a[i], b, T{});
        }
      }
    }
  }

  // Over the four threads that share a row.
  SAK_DEVICE static float sum_of_four(float x) {
    x += dev::shuffle_xor(x, 1);
    return x + dev::shuffle_xor(x, 2);
  }

  // Minus infinity: exp2 makes 0 of it.
  static constexpr float kNever = __builtin_bit_cast(float, 0xff800000u);

  uint32_t query_[kBlocks][kDepth][4];
  float out_[kBlocks][kChunks][4] = {};  // sums of weights times values
  float peak_[kBlocks][2];               // largest logit so far, scaled
  float total_[kBlocks][2] = {};         // this thread's part of the sum of the weights
};

template <class T, int kQueries>
SAK_DEVICE void attention(const AttentionArgs& args) {
  constexpr int kStages = attention_stages(kQueries);
  constexpr int kWarpRows = kQueries / (kAttentionThreads / 32);
  using Warp = Queries<T, kWarpRows / 16>;
  constexpr int kTileBytes = kKeys * Rows::kRowBytes;
  static_assert(kQueries * Rows::kRowBytes <= 2 * kTileBytes);

  const int channels = args.heads * kHeadChannels;
  const int first = dev::block_x() * kQueries;
  const int64_t image = static_cast<int64_t>(dev::block_z()) * args.tokens;
  const T* qkv =
      static_cast<const T*>(args.qkv) + image * 3 * channels + dev::block_y() * kHeadChannels;
  // Queries (part 0), keys (1) or values (2) from a token on.
  const auto rows = [&](int part, int token) {
    const T* data = qkv + part * channels + static_cast<int64_t>(token) * 3 * channels;
    return MatrixRows{reinterpret_cast<const unsigned char*>(data), args.tokens - token,
                      Rows::kRowBytes, int64_t{6} * channels};
  };
  const auto stage = [](int s) { return dev::shared() + s % kStages * 2 * kTileBytes; };
  const auto fetch_keys = [&](int t) {
    if (t * kKeys < args.tokens) {
      rows(1, t * kKeys).template fetch<kKeys, kAttentionThreads>(Rows{stage(t)}, 0);
      rows(2, t * kKeys).template fetch<kKeys, kAttentionThreads>(Rows{stage(t) + kTileBytes}, 0);
    }
    dev::copy_commit();
  };

  // Queries come through the stage that is filled last.
  rows(0, first).template fetch<kQueries, kAttentionThreads>(Rows{stage(kStages - 1)}, 0);
  dev::copy_commit();
  for (int t = 0; t < kStages - 1; ++t) {
    fetch_keys(t);
  }
  dev::copy_wait<kStages - 1>();
  dev::barrier();
  const int warp_row = dev::thread() / 32 * kWarpRows;
  Warp warp;
  warp.load(Rows{stage(kStages - 1)}, warp_row);

  const bool takes_part = first + warp_row < args.tokens;
  for (int t = 0; t * kKeys < args.tokens; ++t) {
    dev::copy_wait<kStages - 2>();
    dev::barrier();  // all of this tile is here, and nobody reads the stage that is filled next
    fetch_keys(t + kStages - 1);
    if (takes_part) {
      const Rows keys{stage(t)}, values{stage(t) + kTileBytes};
      const int left = args.tokens - t * kKeys;
      if (left >= kKeys) {
        warp.template attend<kKeys>(keys, values, kKeys, args.scale);
      } else {
        SAK_ROLLED
        for (int k = 0; k < left; k += 16) {
          warp.template attend<16>(rows_from(keys, k), rows_from(values, k), left - k, args.scale);
        }
      }
    }
  }

  dev::barrier();
  const Rows results{stage(0)};
  warp.store(results, warp_row);
  dev::warp_barrier();
  const int chunk = dev::thread() % 8;
  T* out = static_cast<T*>(args.out) + (image + first) * channels + dev::block_y() * kHeadChannels +
           8 * chunk;
  SAK_UNROLL
  for (int i = 0; i < kWarpRows; i += 4) {
    const int r = warp_row + dev::thread() % 32 / 8 + i;
    if (first + r < args.tokens) {
      const auto* from = reinterpret_cast<const Words4*>(results.chunk(r, chunk));
      dev::store_global(reinterpret_cast<Words4*>(out + r * channels), dev::load_shared(from));
    }
  }
}

}  // namespace sakedge::cuda
