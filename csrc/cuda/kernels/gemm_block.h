// What the products out = a w^T have in common (args.h): which tile of `out` a block computes, the
// k-tiles of a and w that it copies into shared memory, and the epilogue.
#pragma once

#include "cuda/kernels/fetch.h"
#include "cuda/kernels/gelu.h"
#include "cuda/kernels/tiles.h"

namespace sakedge::cuda {

template <class T>
struct Operand {
  using Sum = float;
  using Out = T;
};
template <>
struct Operand<int8_t> {
  using Sum = int32_t;
  using Out = Half;
};

// Shape::kTile is its GemmTile.
template <class T, class Shape>
class GemmBlock {
 protected:
  using Sum = typename Operand<T>::Sum;
  using Out = typename Operand<T>::Out;
  static constexpr GemmTile kTile = Shape::kTile;
  using Rows = Tile<kTile.chunks>;
  static constexpr int kThreads = 32 * (kTile.m / kTile.warp_m) * (kTile.n / kTile.warp_n);
  static constexpr int kStages = kTile.stages;
  static constexpr int kStage = (kTile.m + kTile.n) * Rows::kRowBytes;
  static constexpr int kSteps = kTile.chunks / 2;  // fragments along a k-tile
  static constexpr int kM = kTile.warp_m / 16;
  static constexpr int kN = kTile.warp_n / 16;

  SAK_DEVICE explicit GemmBlock(const GemmArgs& args) : args_(args) {}

  // How many k-tiles there are; 0: `out` has no tile for this block.
  SAK_DEVICE int begin() {
    const int batch = dev::block_z();
    linear_ = args_.linear;
    if (args_.linears != nullptr) {
      const Linear* linear = dev::load_global(args_.linears + batch);
      if (linear == nullptr) {
        return 0;
      }
      linear_ = linear_at(linear);
    }
    if (!place()) {
      return 0;
    }
    constexpr int kSize = static_cast<int>(sizeof(T));
    const int bytes = linear_.in * kSize;
    const auto* a = static_cast<const unsigned char*>(args_.a) + batch * args_.a_stride * kSize;
    const int64_t stride = int64_t{args_.a_width} * kSize;
    a_ = {a + row_ * stride, args_.m - row_, bytes, stride};
    w_ = rows_of(linear_, column_, kSize);
    return ceil_div(bytes, Rows::kRowBytes);
  }

  // Which tile this block computes; false: `out` has none there. Blocks go down a band of row tiles
  // first, then to the next column.
  SAK_DEVICE bool place() {
    const int across = ceil_div(args_.linear.out, kTile.n);
    const int down = ceil_div(args_.m, kTile.m);
    const int band = dev::block_x() / (kGemmBand * across);
    const int rest = dev::block_x() - band * kGemmBand * across;
    const int left = down - band * kGemmBand;
    const int height = left < kGemmBand ? left : kGemmBand;
    row_ = (band * kGemmBand + rest % height) * kTile.m;
    column_ = rest / height * kTile.n;
    const int warp = dev::thread() / 32;
    constexpr int kAcross = kTile.n / kTile.warp_n;
    warp_row_ = warp / kAcross * kTile.warp_m;
    warp_column_ = warp % kAcross * kTile.warp_n;
    return column_ < linear_.out;
  }

  SAK_DEVICE static Rows rows_of_a(int slot) { return {dev::shared() + slot * kStage}; }
  SAK_DEVICE static Rows rows_of_w(int slot) {
    return {dev::shared() + slot * kStage + kTile.m * Rows::kRowBytes};
  }

  SAK_DEVICE void fetch(int slot, int step) const {
    a_.template fetch<kTile.m, kThreads>(rows_of_a(slot), step);
    w_.template fetch<kTile.n, kThreads>(rows_of_w(slot), step);
  }

  // The sums go out through shared memory, where whole rows of a warp lie together.
  SAK_DEVICE void store() const {
    constexpr int kRows = kTile.staged_rows();
    constexpr int kColumns = kTile.staged_columns();
    constexpr int kWidth = kTile.staged_width();
    float* staged = reinterpret_cast<float*>(dev::shared()) + dev::thread() / 32 * kRows * kWidth;
    SAK_UNROLL
    for (int first = 0; first < kTile.warp_m; first += kRows) {
      SAK_UNROLL
      for (int left = 0; left < kTile.warp_n; left += kColumns) {
        SAK_UNROLL
        for (int i = 0; i < kRows / 16; ++i) {
          SAK_UNROLL
          for (int j = 0; j < kColumns / 8; ++j) {
            const Sum(&sums)[4] = sums_[first / 16 + i][left / 8 + j];
            float* to = staged + (16 * i + fragment_row()) * kWidth + 8 * j + fragment_column();
            store_pair(to, sums[0], sums[1]);
            store_pair(to + 8 * kWidth, sums[2], sums[3]);
          }
        }
        dev::warp_barrier();
        finish(staged, row_ + warp_row_ + first, column_ + warp_column_ + left);
        dev::warp_barrier();
      }
    }
  }

  SAK_DEVICE static void store_pair(float* to, Sum a, Sum b) {
    dev::store_shared(reinterpret_cast<Floats2*>(to),
                      Floats2{{static_cast<float>(a), static_cast<float>(b)}});
  }

  // The epilogue of what is staged, whose first row and column are these: four columns a thread.
  SAK_DEVICE void finish(const float* staged, int first, int left) const {
    constexpr int kRows = kTile.staged_rows();
    constexpr int kWidth = kTile.staged_width();
    constexpr int kAcross = kTile.staged_columns() / 4;  // threads for a row
    const int lane = dev::thread() % 32;
    const int in_tile = lane % kAcross * 4;
    const int column = left + in_tile;
    if (column >= linear_.out) {
      return;
    }
    const int batch = dev::block_z();
    Floats4 scale{};
    if (sizeof(T) == 1) {
      scale = four_at(linear_.scale, column);
    }
    const Floats4 bias = linear_.bias == nullptr ? Floats4{} : four_at(linear_.bias, column);
    constexpr int kTogether = 32 / kAcross;  // rows of the warp at a time
    // Rows of a thread whose residuals are on their way together.
    constexpr int kBatch = 4;
    static_assert(kRows % (kBatch * kTogether) == 0);
    SAK_ROLLED
    for (int r = lane / kAcross; r < kRows; r += kBatch * kTogether) {
      Floats4 residual[kBatch];
      SAK_UNROLL
      for (int i = 0; i < kBatch; ++i) {
        const int row = first + r + i * kTogether;
        residual[i] = {};
        if (args_.residual != nullptr && row < args_.m) {
          residual[i] =
              four_at(args_.residual, int64_t{place_of(row).residual} * args_.out_width + column);
        }
      }
      SAK_UNROLL
      for (int i = 0; i < kBatch; ++i) {
        const int row = first + r + i * kTogether;
        if (row >= args_.m) {
          return;
        }
        const float* from = staged + (r + i * kTogether) * kWidth + in_tile;
        Floats4 v = dev::load_shared(reinterpret_cast<const Floats4*>(from));
        float row_scale = 1.0f;
        if (sizeof(T) == 1) {
          row_scale = dev::load_global(args_.a_scale + int64_t{batch} * args_.m + row);
        }
        for (int e = 0; e < 4; ++e) {
          if (sizeof(T) == 1) {
            v.x[e] *= row_scale * scale.x[e];
          }
          v.x[e] += bias.x[e];
          if (args_.gelu != 0) {
            v.x[e] = gelu(v.x[e]);
          }
          v.x[e] += residual[i].x[e];
        }
        const int64_t at =
            batch * args_.out_stride + int64_t{place_of(row).out} * args_.out_width + column;
        if (args_.float_out != 0) {
          dev::store_global(reinterpret_cast<Floats4*>(static_cast<float*>(args_.out) + at), v);
        } else {
          dev::store_global(
              reinterpret_cast<Words2*>(static_cast<Out*>(args_.out) + at),
              Words2{{dev::pack(v.x[0], v.x[1], Out{}), dev::pack(v.x[2], v.x[3], Out{})}});
        }
      }
    }
  }

  // Rows of `out` and of the residual.
  struct RowPlace {
    int out;
    int residual;
  };
  SAK_DEVICE RowPlace place_of(int row) const {
    if (args_.patch_tokens == 0) {
      return {row, row};
    }
    const int image = row / args_.patch_tokens;
    return {row + image + 1, row - image * args_.patch_tokens + 1};
  }

  const GemmArgs& args_;
  Linear linear_{};
  MatrixRows a_{};
  MatrixRows w_{};
  int row_ = 0;  // where the block's tile begins
  int column_ = 0;
  int warp_row_ = 0;  // and its warp's, in that
  int warp_column_ = 0;
  Sum sums_[kM][2 * kN][4] = {};
};

}  // namespace sakedge::cuda

// The kernels of a tile, whose products a class template computes.
#define SAK_GEMM_ENTRY(name, Product, T, tile)                                             \
  SAK_ENTRY(name, sakedge::cuda::tile::kTile.threads(), sakedge::cuda::tile::kTile.blocks, \
            GemmArgs) {                                                                    \
    sakedge::cuda::Product<T, sakedge::cuda::tile>(args).run();                            \
  }
#define SAK_GEMM_ENTRIES(Product, name)                                             \
  SAK_GEMM_ENTRY(gemm_f16_##name, Product, sakedge::cuda::Half, GemmTile_##name)    \
  SAK_GEMM_ENTRY(gemm_bf16_##name, Product, sakedge::cuda::Bfloat, GemmTile_##name) \
  SAK_GEMM_ENTRY(gemm_s8_##name, Product, int8_t, GemmTile_##name)
