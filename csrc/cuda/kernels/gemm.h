// out = a w^T with its epilogue (args.h). A block computes a tile of `out`: k-tiles of a and w
// stream through a ring in shared memory, fragments through registers, both ahead of their
// products.
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

template <class T, GemmTileId kId>
class Gemm {
 public:
  SAK_DEVICE explicit Gemm(const GemmArgs& args) : args_(args) {}

  SAK_DEVICE void run() {
    const int batch = dev::block_z();
    linear_ = args_.linear;
    if (args_.linears != nullptr) {
      const Linear* linear = dev::load_global(args_.linears + batch);
      if (linear == nullptr) {
        return;
      }
      linear_ = linear_at(linear);
    }
    if (!place()) {
      return;
    }
    constexpr int kSize = static_cast<int>(sizeof(T));
    const int bytes = linear_.in * kSize;
    const auto* a = static_cast<const unsigned char*>(args_.a) + batch * args_.a_stride * kSize;
    const int64_t stride = int64_t{args_.a_width} * kSize;
    a_ = {a + row_ * stride, args_.m - row_, bytes, stride};
    w_ = rows_of(linear_, column_, kSize);
    multiply(ceil_div(bytes, Rows::kRowBytes));
    store();
  }

 private:
  using Sum = typename Operand<T>::Sum;
  using Out = typename Operand<T>::Out;
  static constexpr GemmTile kTile = kGemmTiles[kId];
  using Rows = Tile<kTile.chunks>;
  static constexpr int kThreads = 32 * (kTile.m / kTile.warp_m) * (kTile.n / kTile.warp_n);
  static constexpr int kStages = kTile.stages;
  static constexpr int kStage = (kTile.m + kTile.n) * Rows::kRowBytes;
  static constexpr int kSteps = kTile.chunks / 2;  // fragments along a k-tile
  static constexpr int kM = kTile.warp_m / 16;
  static constexpr int kN = kTile.warp_n / 16;
  static_assert(kSteps % 2 == 0, "k-tiles begin with the same half of the fragments");

  struct Fragments {
    uint32_t a[kM][4];
    uint32_t b[kN][4];
  };

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

  SAK_DEVICE void load(Fragments& to, int slot, int step) const {
    SAK_UNROLL
    for (int i = 0; i < kM; ++i) {
      load_a(to.a[i], rows_of_a(slot), warp_row_ + 16 * i, 2 * step);
    }
    SAK_UNROLL
    for (int j = 0; j < kN; ++j) {
      load_b(to.b[j], rows_of_w(slot), warp_column_ + 16 * j, 2 * step);
    }
  }

  SAK_DEVICE void multiply(const Fragments& of) {
    SAK_UNROLL
    for (int i = 0; i < kM; ++i) {
      SAK_UNROLL
      for (int j = 0; j < kN; ++j) {
        multiply_16(&sums_[i][2 * j], of.a[i], of.b[j], T{});
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

  // The sums go out through shared memory, where whole rows of a warp lie together.
  SAK_DEVICE void store() const {
    constexpr int kRows = kTile.warp_m < 32 ? kTile.warp_m : 32;
    constexpr int kWidth = kTile.warp_n + 8;
    float* staged = reinterpret_cast<float*>(dev::shared()) + dev::thread() / 32 * kRows * kWidth;
    SAK_UNROLL
    for (int first = 0; first < kTile.warp_m; first += kRows) {
      SAK_UNROLL
      for (int i = 0; i < kRows / 16; ++i) {
        SAK_UNROLL
        for (int j = 0; j < 2 * kN; ++j) {
          const Sum(&sums)[4] = sums_[first / 16 + i][j];
          float* to = staged + (16 * i + fragment_row()) * kWidth + 8 * j + fragment_column();
          store_pair(to, sums[0], sums[1]);
          store_pair(to + 8 * kWidth, sums[2], sums[3]);
        }
      }
      dev::warp_barrier();
      finish<kRows, kWidth>(staged, row_ + warp_row_ + first);
      dev::warp_barrier();
    }
  }

  SAK_DEVICE static void store_pair(float* to, Sum a, Sum b) {
    dev::store_shared(reinterpret_cast<Floats2*>(to),
                      Floats2{{static_cast<float>(a), static_cast<float>(b)}});
  }

  // The epilogue of rows [first, first + kRows): four columns a thread.
  template <int kRows, int kWidth>
  SAK_DEVICE void finish(const float* staged, int first) const {
    constexpr int kAcross = kTile.warp_n / 4;  // threads for a row
    const int lane = dev::thread() % 32;
    const int in_tile = lane % kAcross * 4;
    const int column = column_ + warp_column_ + in_tile;
    if (column >= linear_.out) {
      return;
    }
    const int batch = dev::block_z();
    Floats4 scale{};
    if (sizeof(T) == 1) {
      scale = four_at(linear_.scale, column);
    }
    const Floats4 bias = linear_.bias == nullptr ? Floats4{} : four_at(linear_.bias, column);
    SAK_ROLLED
    for (int r = lane / kAcross; r < kRows && first + r < args_.m; r += 32 / kAcross) {
      const int row = first + r;
      Floats4 v = dev::load_shared(reinterpret_cast<const Floats4*>(staged + r * kWidth + in_tile));
      if (sizeof(T) == 1) {
        const float row_scale = dev::load_global(args_.a_scale + int64_t{batch} * args_.m + row);
        for (int e = 0; e < 4; ++e) {
          v.x[e] *= row_scale * scale.x[e];
        }
      }
      for (int e = 0; e < 4; ++e) {
        v.x[e] += bias.x[e];
      }
      if (args_.gelu != 0) {
        for (int e = 0; e < 4; ++e) {
          v.x[e] = gelu(v.x[e]);
        }
      }
      int out_row = row;
      int residual_row = row;
      if (args_.patch_tokens != 0) {
        const int image = row / args_.patch_tokens;
        out_row = row + image + 1;
        residual_row = row - image * args_.patch_tokens + 1;
      }
      if (args_.residual != nullptr) {
        const Floats4 residual =
            four_at(args_.residual, int64_t{residual_row} * args_.out_width + column);
        for (int e = 0; e < 4; ++e) {
          v.x[e] += residual.x[e];
        }
      }
      const int64_t at = batch * args_.out_stride + int64_t{out_row} * args_.out_width + column;
      if (args_.float_out != 0) {
        dev::store_global(reinterpret_cast<Floats4*>(static_cast<float*>(args_.out) + at), v);
      } else {
        dev::store_global(
            reinterpret_cast<Words2*>(static_cast<Out*>(args_.out) + at),
            Words2{{dev::pack(v.x[0], v.x[1], Out{}), dev::pack(v.x[2], v.x[3], Out{})}});
      }
    }
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
