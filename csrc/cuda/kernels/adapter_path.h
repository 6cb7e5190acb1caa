// One depth of the adapter paths: r = z + up(GELU(down(z))), z = r + x. A block takes 64 tokens of
// a path through both products; only r, in float32, leaves it.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/gelu.h"
#include "cuda/kernels/tokens.h"
#include "cuda/kernels/warp_row.h"

namespace sakedge::cuda {

template <class T, int kWidth>
class AdapterPath {
 public:
  SAK_DEVICE explicit AdapterPath(const AdapterArgs& args) : args_(args) {}

  SAK_DEVICE void run() {
    const int run = dev::block_z();
    const int of_path = run * args_.slots + dev::block_y();
    const Path* path = dev::load_global(args_.paths + of_path);
    if (path == nullptr) {
      return;
    }
    const int first = dev::block_x() * kTokenTile;
    const int left = args_.tokens - first;
    const int rows = left < kTokenTile ? left : kTokenTile;
    const int64_t image = dev::load_global(args_.image + run);
    const int64_t channels = args_.channels;
    const float* x = args_.x + (image * (1 + args_.tokens) + 1 + first) * channels;
    const int64_t at = (int64_t{of_path} * args_.tokens + first) * channels;
    tokens_ = {x, args_.depth == 0 ? nullptr : args_.r + at, rows, args_.channels};
    down_ = linear_at(dev::load_global(&path->down) + args_.depth);
    up_ = linear_at(dev::load_global(&path->up) + args_.depth);

    narrow();
    widen(args_.r + at);
    if (args_.normed != nullptr) {
      dev::barrier();  // the rows of r are whole
      normalise(args_.r + at, norm_at(dev::load_global(&path->norms) + args_.level),
                static_cast<T*>(args_.normed) + at);
    }
  }

 private:
  using Rows = Tile<8>;
  // Chunks of a k-tile of `down`: with eight, tokens on their way would take the registers that a
  // second block needs.
  static constexpr int kDownChunks = 4;
  using DownRows = Tile<kDownChunks>;
  using Down = TokenProduct<T, kWidth, kDownChunks>;
  static constexpr int kColumns = adapter_columns(kWidth);
  static constexpr int kTile = 64 * Rows::kRowBytes;  // bytes of 64 x 64
  static constexpr int kTiles = kColumns / 64;
  static constexpr int kSteps = kWidth / 16;

  // Tile i of a stage of the weights: 64 rows of `down`, or 64 of the bottleneck for 64 channels.
  SAK_DEVICE static Rows weights(int slot, int i) {
    return {dev::shared() + (slot * kTiles + i) * kTile};
  }
  // Tile i of the tokens' stages, or of the bottleneck's values.
  SAK_DEVICE static Rows values(int i) {
    return {dev::shared() + (kTokenStages * kTiles + i) * kTile};
  }

  SAK_DEVICE void fetch_down(int slot, int step) const {
    rows_of(down_, 0, 2)
        .template fetch<kWidth, kTokenThreads>(DownRows{weights(slot, 0).data}, step);
  }
  SAK_DEVICE void fetch_up(int slot, int chunk) const {
    const MatrixRows rows = rows_of(up_, chunk * 64, 2);
    SAK_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      rows.template fetch<64, kTokenThreads>(weights(slot, i), i);
    }
  }

  // The bottleneck's values h = GELU(down(z)) as T, in shared memory.
  SAK_DEVICE void narrow() {
    const int steps = ceil_div(args_.channels, 8 * kDownChunks);
    Down product;
    product.run(
        tokens_, [](int slot) { return DownRows{values(slot).data}; },
        [](int slot) { return DownRows{weights(slot, 0).data}; },
        [&](int slot, int step) {
          if (step < steps) {
            fetch_down(slot, step);
          } else {
            fetch_up(slot, 0);
          }
        });
    first_slot_ = steps % kTokenStages;
    dev::barrier();  // nobody reads the tokens any more
    product.each([&](int column, const float (&sums)[Down::kM][4]) {
      const Floats2 b = pair_of(down_.bias, column, down_.out);
      SAK_UNROLL
      for (int i = 0; i < Down::kM; ++i) {
        SAK_UNROLL
        for (int half = 0; half < 2; ++half) {
          const int row = Down::row() + 16 * i + 8 * half + fragment_row();
          const float low = gelu(sums[i][2 * half] + b.x[0]);
          const float high = gelu(sums[i][2 * half + 1] + b.x[1]);
          unsigned char* to = values(column / 64).chunk(row, column % 64 / 8) + column % 8 * 2;
          dev::store_shared(reinterpret_cast<uint32_t*>(to), dev::pack(low, high, T{}));
        }
      }
    });
  }

  // r = z + up(h), 64 channels after the other: warps of 16 tokens by 32 channels, whose x and
  // r are loaded before the products, to be there after them.
  SAK_DEVICE void widen(float* r) {
    const int row = dev::thread() / 64 * 16;
    const int column = dev::thread() / 32 % 2 * 32;
    const int chunks = ceil_div(args_.channels, 64);
    SAK_ROLLED
    for (int chunk = 0; chunk < chunks; ++chunk) {
      const int slot = (first_slot_ + chunk) % kTokenStages;
      dev::copy_wait<0>();
      dev::barrier();  // the chunk's weights are here, and nobody reads the last one's
      if (chunk + 1 < chunks) {
        fetch_up(1 - slot, chunk + 1);
      }
      dev::copy_commit();

      Floats2 x[4][2];
      Floats2 before[4][2] = {};
      each_pair(row, column + 64 * chunk, [&](int j, int half, int64_t at) {
        x[j][half] = pair_at(tokens_.x, at);
        if (tokens_.r != nullptr) {
          before[j][half] = pair_at(tokens_.r, at);
        }
      });
      float sums[4][4] = {};
      SAK_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        uint32_t h[4];
        load_a(h, values(step / 4), row, step % 4 * 2);
        SAK_UNROLL
        for (int j = 0; j < 2; ++j) {
          uint32_t b[4];
          load_b(b, weights(slot, step / 4), column + 16 * j, step % 4 * 2);
          multiply_16(&sums[2 * j], h, b, T{});
        }
      }
      each_pair(row, column + 64 * chunk, [&](int j, int half, int64_t at) {
        const int channel = column + 64 * chunk + 8 * j + fragment_column();
        const Floats2 bias = up_.bias == nullptr ? Floats2{} : pair_at(up_.bias, channel);
        Floats2 after;
        for (int e = 0; e < 2; ++e) {
          const float z = before[j][half].x[e] + x[j][half].x[e];
          after.x[e] = z + (sums[j][2 * half + e] + bias.x[e]);
        }
        dev::store_global(reinterpret_cast<Floats2*>(r + at), after);
      });
    }
  }

  SAK_DEVICE static Floats2 pair_at(const float* from, int64_t at) {
    return dev::load_global(reinterpret_cast<const Floats2*>(from + at));
  }

  // f(j, half, where in r) for the pairs of a thread's sums that are in r, whose channels are whole
  // groups of 16.
  template <class F>
  SAK_DEVICE void each_pair(int row, int column, F f) const {
    SAK_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int token = row + 8 * half + fragment_row();
      const int64_t at = int64_t{token} * args_.channels + column + fragment_column();
      SAK_UNROLL
      for (int j = 0; j < 4; j += 2) {
        if (token < tokens_.rows && column + 8 * j < args_.channels) {
          f(j, half, at + 8 * j);
          f(j + 1, half, at + 8 * (j + 1));
        }
      }
    }
  }

  // LayerNorm of the block's rows of r, a warp for each.
  SAK_DEVICE void normalise(const float* r, const Norm& norm, T* out) const {
    const int channels = args_.channels;
    const int lane = dev::thread() % 32;
    SAK_ROLLED
    for (int row = dev::thread() / 32; row < tokens_.rows; row += kTokenThreads / 32) {
      const int64_t at = int64_t{row} * channels;
      float sum = 0.0f;
      SAK_ROLLED
      for (int c = 4 * lane; c < channels; c += 128) {
        const Floats4 v = four_at(r, at + c);
        sum += (v.x[0] + v.x[1]) + (v.x[2] + v.x[3]);
      }
      const float mean = warp_sum(sum) / static_cast<float>(channels);
      float squares = 0.0f;
      SAK_ROLLED
      for (int c = 4 * lane; c < channels; c += 128) {
        const Floats4 v = four_at(r, at + c);
        for (int e = 0; e < 4; ++e) {
          squares = dev::fma(v.x[e] - mean, v.x[e] - mean, squares);
        }
      }
      const float variance = warp_sum(squares) / static_cast<float>(channels);
      const float scale = inverse_deviation(variance);
      SAK_ROLLED
      for (int c = 4 * lane; c < channels; c += 128) {
        const Floats4 v = four_at(r, at + c);
        const Floats4 gamma = four_at(norm.gamma, c);
        const Floats4 beta = four_at(norm.beta, c);
        float y[4];
        for (int e = 0; e < 4; ++e) {
          y[e] = dev::fma((v.x[e] - mean) * scale, gamma.x[e], beta.x[e]);
        }
        dev::store_global(reinterpret_cast<Words2*>(out + at + c),
                          Words2{{dev::pack(y[0], y[1], T{}), dev::pack(y[2], y[3], T{})}});
      }
    }
  }

  const AdapterArgs& args_;
  TokenRows tokens_{};
  Linear down_{};
  Linear up_{};
  int first_slot_ = 0;  // the stage of the first chunk of `up`
};

}  // namespace sakedge::cuda
