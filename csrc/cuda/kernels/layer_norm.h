// LayerNorm of rows, a warp each, in float32 with the squares centred: residuals reach a thousand.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/row_scale.h"
#include "cuda/kernels/tile.h"
#include "cuda/kernels/warp_row.h"

namespace sakedge::cuda {

constexpr int kRowsOfBlock = 8;
constexpr int kRowThreads = 32 * kRowsOfBlock;

// This warp's row; there are `rows`.
SAK_DEVICE int warp_row() { return dev::block_x() * kRowsOfBlock + dev::thread() / 32; }

// A row of x and its normalised values. Rows of up to 1024 channels are read once.
class NormalizedRow {
 public:
  SAK_DEVICE NormalizedRow(const float* x, int count, float epsilon) : row_(x, count / 4) {
    const float channels = static_cast<float>(count);
    float sum = 0.0f;
    row_.each([&](int, const Floats4& x) { sum += (x.x[0] + x.x[1]) + (x.x[2] + x.x[3]); });
    mean_ = warp_sum(sum) / channels;
    float squares = 0.0f;
    row_.each([&](int, const Floats4& x) {
      SAK_UNROLL
      for (float value : x.x) {
        const float centred = value - mean_;
        squares = dev::fma(centred, centred, squares);
      }
    });
    const float variance = warp_sum(squares) / channels + epsilon;
    // NaN where the variance overflowed, which 1 / infinity would hide.
    inverse_ = dev::rsqrt(variance) + 0.0f * variance;
  }

  // visit(chunk, values) for each of the lane's chunks of four channels, whose gamma and beta
  // `affine` gives.
  template <class Affine, class Visit>
  SAK_DEVICE void each(const Affine& affine, const Visit& visit) const {
    row_.each([&](int i, const Floats4& x) {
      const Floats4 gamma = affine.gamma(i);
      const Floats4 beta = affine.beta(i);
      Floats4 y;
      SAK_UNROLL
      for (int e = 0; e < 4; ++e) {
        y.x[e] = dev::fma((x.x[e] - mean_) * inverse_, gamma.x[e], beta.x[e]);
      }
      visit(i, y);
    });
  }

 private:
  WarpRow<Floats4, 8> row_;
  float mean_;
  float inverse_;
};

// Gamma and beta where they lie.
struct AffineInPlace {
  Norm norm;

  SAK_DEVICE Floats4 gamma(int i) const { return four_at(norm.gamma, 4 * i); }
  SAK_DEVICE Floats4 beta(int i) const { return four_at(norm.beta, 4 * i); }
};

// Gamma and beta in shared memory, where they come while the block's rows come: read afterwards,
// they would take as long again.
class AffineCopy {
 public:
  SAK_DEVICE AffineCopy(const Norm& norm, int channels) : channels_(channels) {
    for (int i = dev::thread(); i < channels_ / 4; i += kRowThreads) {
      dev::copy_async(floats() + 4 * i, norm.gamma + 4 * i, true);
      dev::copy_async(floats() + channels_ + 4 * i, norm.beta + 4 * i, true);
    }
    dev::copy_commit();
  }
  SAK_DEVICE void wait() const {
    dev::copy_wait<0>();
    dev::barrier();
  }

  SAK_DEVICE Floats4 gamma(int i) const { return four(i); }
  SAK_DEVICE Floats4 beta(int i) const { return four(channels_ / 4 + i); }

 private:
  SAK_DEVICE static float* floats() { return reinterpret_cast<float*>(dev::shared()); }
  SAK_DEVICE static Floats4 four(int i) {
    return dev::load_shared(reinterpret_cast<const Floats4*>(floats()) + i);
  }

  int channels_;
};

// What all of a block's warps begin with; those behind the last row take its values and have no
// row.
struct BlockRow {
  AffineCopy affine;
  NormalizedRow row;

  SAK_DEVICE explicit BlockRow(const LayerNormArgs& args)
      : affine(args.norm, args.channels),
        row(args.x + int64_t{warp_row() < args.rows ? warp_row() : args.rows - 1} * args.channels,
            args.channels, args.epsilon) {
    affine.wait();
  }

  template <class Visit>
  SAK_DEVICE void each(const Visit& visit) const {
    row.each(affine, visit);
  }
};

template <class T>
SAK_DEVICE void layer_norm(const LayerNormArgs& args) {
  const BlockRow row(args);
  if (warp_row() >= args.rows) {
    return;
  }
  Words2* out = reinterpret_cast<Words2*>(static_cast<T*>(args.out) +
                                          static_cast<int64_t>(warp_row()) * args.channels);
  row.each([&](int i, const Floats4& y) {
    dev::store_global(out + i,
                      Words2{{dev::pack(y.x[0], y.x[1], T{}), dev::pack(y.x[2], y.x[3], T{})}});
  });
}

SAK_DEVICE void layer_norm_to_int8(const LayerNormArgs& args) {
  const BlockRow row(args);
  if (warp_row() >= args.rows) {
    return;
  }
  uint32_t* out = reinterpret_cast<uint32_t*>(static_cast<int8_t*>(args.out) +
                                              static_cast<int64_t>(warp_row()) * args.channels);
  float range = 0.0f;
  row.each([&](int, const Floats4& y) {
    SAK_UNROLL
    for (float value : y.x) {
      range = larger_size(range, dev::abs(value));
    }
  });
  const RowScale scale(warp_largest_size(range));
  row.each([&](int i, const Floats4& y) {
    dev::store_global(out + i, scale.cells(y.x[0], y.x[1], y.x[2], y.x[3]));
  });
  if (dev::thread() % 32 == 0) {
    dev::store_global(args.scale + warp_row(), scale.scale());
  }
}

// Rows of up to 2048 channels are read once.
template <class T>
SAK_DEVICE void quantize(const QuantizeArgs& args) {
  if (warp_row() >= args.rows) {
    return;
  }
  const int64_t first = static_cast<int64_t>(warp_row()) * args.channels;
  const WarpRow<Words4, 8> row(static_cast<const T*>(args.in) + first, args.channels / 8);
  float range = 0.0f;
  row.each([&](int, const Words4& x) {
    SAK_UNROLL
    for (uint32_t two : x.x) {
      float low, high;
      dev::unpack(two, low, high, T{});
      range = larger_size(larger_size(range, dev::abs(low)), dev::abs(high));
    }
  });
  const RowScale scale(warp_largest_size(range));
  Words2* out = reinterpret_cast<Words2*>(args.out + first);
  row.each([&](int i, const Words4& x) {
    Words2 cells;
    SAK_UNROLL
    for (int e = 0; e < 2; ++e) {
      float a, b, c, d;
      dev::unpack(x.x[2 * e], a, b, T{});
      dev::unpack(x.x[2 * e + 1], c, d, T{});
      cells.x[e] = scale.cells(a, b, c, d);
    }
    dev::store_global(out + i, cells);
  });
  if (dev::thread() % 32 == 0) {
    dev::store_global(args.scale + warp_row(), scale.scale());
  }
}

}  // namespace sakedge::cuda
