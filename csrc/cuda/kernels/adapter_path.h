// One depth of the adapter paths: r = z + up(GELU(down(z))), z = r + x. A block takes its tokens of
// a path through both products; only r, in float32, leaves it.
//
// Both products go by steps of as many channels, which `down` adds up and `up` comes to. The first
// weights of `up` are on their way while the bottleneck's values are formed. `up` takes the
// channels the other way round: it reads x and r again, and those that `down` read last are still
// in the second level cache, which does not hold what all blocks read and write in between.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/gelu.h"
#include "cuda/kernels/layer_norm.h"
#include "cuda/kernels/tokens.h"

namespace sakedge::cuda {

template <class T, int kTokens, int kWidth>
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
    const int first = dev::block_x() * kTokens;
    const int left = args_.tokens - first;
    const int rows = left < kTokens ? left : kTokens;
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
  static constexpr AdapterTile kTile{kTokens, kWidth};
  static constexpr int kChannels = kTile.channels();
  static constexpr int kStages = kTile.stages();
  static constexpr int kTiles = kTile.columns() / 64;
  static constexpr int kSteps = kWidth / 16;      // of a product with a bottleneck's values
  static constexpr int kAcross = kChannels / 16;  // warps side by side in `up`
  // Steps' r and x on their way at a time in `down`: two blocks side by side have each other's
  // products to wait in, and no registers for two.
  static constexpr int kAhead = kTile.blocks() == 1 ? 2 : 1;
  using Rows = Tile<8>;
  using DownRows = Tile<kTile.chunks()>;
  // Eight warps share 32 tokens only if the columns are those of four.
  static constexpr int kDownWidth = kTokens < 64 ? kTile.columns() : kWidth;
  using Down = TokenProduct<T, kTokens, kDownWidth, kTile.chunks(), kStages, kAhead>;

  SAK_DEVICE int steps() const { return ceil_div(args_.channels, kChannels); }

  SAK_DEVICE static unsigned char* stage(int step) {
    return dev::shared() + step % kStages * kTile.stage();
  }
  SAK_DEVICE static DownRows down_rows(int step) { return {stage(step)}; }
  // Rows of channels, and columns [64 i, 64 i + 64) of the bottleneck.
  SAK_DEVICE static Rows up_rows(int step, int i) {
    return {stage(step) + i * kChannels * Rows::kRowBytes};
  }
  SAK_DEVICE static DownRows tokens_at(int step) {
    const int slot = step % kTokenSlots;
    return {dev::shared() + kStages * kTile.stage() + slot * kTokens * DownRows::kRowBytes};
  }
  // Columns [64 i, 64 i + 64) of the bottleneck's values.
  SAK_DEVICE static Rows values(int i) {
    return {dev::shared() + kStages * kTile.stage() + i * kTokens * Rows::kRowBytes};
  }

  SAK_DEVICE void fetch_up(int step) const {
    if (step < steps()) {
      const MatrixRows rows = rows_of(up_, first_channel(step), 2);
      SAK_UNROLL
      for (int i = 0; i < kTiles; ++i) {
        rows.template fetch_to<kChannels, kTokenThreads>(up_rows(step, i), i,
                                                         place_of(dev::thread() / 8));
      }
    }
    dev::copy_commit();
  }

  // Where channel c of `up` lies in its tile: a thread's sums of two columns in two neighbouring
  // products are those of channels 4 p ... 4 p + 3, which it loads and stores together.
  SAK_DEVICE static int place_of(int c) {
    return (c & ~15) | (c & 2) << 2 | (c & 12) >> 1 | (c & 1);
  }

  SAK_DEVICE static ColumnVector<kTile.columns()> down_bias() {
    return {reinterpret_cast<float*>(values(0).data + kTile.values())};
  }

  // The bottleneck's values h = GELU(down(z)) as T, in shared memory.
  SAK_DEVICE void narrow() {
    Down product;
    product.run(
        tokens_, tokens_at, down_rows,
        [&](int step) {
          rows_of(down_, 0, 2).template fetch<kDownWidth, kTokenThreads>(down_rows(step), step);
        },
        [&] { down_bias().fill(down_.bias, down_.out); });
    dev::barrier();  // nobody reads the tokens and the weights any more
    SAK_UNROLL
    for (int step = 0; step < kStages - 1; ++step) {
      fetch_up(step);
    }
    product.each([&](int column, const float (&sums)[Down::kM][4]) {
      const Floats2 b = down_bias().pair(column);
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

  // r = z + up(h), a step's channels after the other: warps of 16 tokens, whose h stay in
  // registers, by 16 channels, whose x and r are copied a step ahead to where h was.
  SAK_DEVICE void widen(float* r) const {
    dev::barrier();  // h is whole
    uint32_t h[kSteps][4];
    SAK_UNROLL
    for (int k = 0; k < kSteps; ++k) {
      load_a(h[k], values(k / 4), up_row(), k % 4 * 2);
    }
    dev::barrier();  // and nobody reads it any more
    fetch_parts(r, 0);
    dev::copy_commit();  // in the place of weights, as each step's parts have them behind them
    SAK_ROLLED
    for (int step = 0; step < steps(); ++step) {
      const bool biased = up_.bias != nullptr && channel(step) < args_.channels;
      const Floats4 bias = biased ? four_at(up_.bias, channel(step)) : Floats4{};
      // This step's x, r and weights are here: of three stages or more, the last one's may not be.
      dev::copy_wait<kStages == 2 ? 0 : 1>();
      Floats4 z[2];
      add_parts(z);
      dev::barrier();  // for all threads, and nobody reads the last step's weights
      fetch_parts(r, step + 1);
      fetch_up(step + kStages - 1);
      float sums[2][4] = {};
      SAK_UNROLL
      for (int k = 0; k < kSteps; ++k) {
        uint32_t b[4];
        load_b(b, up_rows(step, k / 4), up_column(), k % 4 * 2);
        multiply_16(sums, h[k], b, T{});
      }
      store(r, step, z, bias, sums);
    }
  }

  // Of this thread's warp in `up`.
  SAK_DEVICE static int up_row() { return dev::thread() / 32 / kAcross * 16; }
  SAK_DEVICE static int up_column() { return dev::thread() / 32 % kAcross * 16; }
  // Of a step of `up`: the last channels come first.
  SAK_DEVICE int first_channel(int step) const { return (steps() - 1 - step) * kChannels; }
  // The first of the thread's four channels of a step.
  SAK_DEVICE int channel(int step) const {
    return first_channel(step) + up_column() + 2 * fragment_column();
  }
  // The thread's tokens, and where they and their channels lie in r.
  SAK_DEVICE static int token(int half) { return up_row() + 8 * half + fragment_row(); }
  SAK_DEVICE int place(int half, int step) const {
    return token(half) * args_.channels + channel(step);
  }

  // Four channels of the thread's tokens, x (0) or r (1). Nobody else reads them.
  SAK_DEVICE static float* part(int half, int i) {
    unsigned char* parts = values(0).data + (2 * half + i) * kTokenThreads * 16;
    return reinterpret_cast<float*>(parts + dev::thread() * 16);
  }

  SAK_DEVICE void fetch_parts(const float* r, int step) const {
    if (step < steps()) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        const bool valid = token(half) < tokens_.rows && channel(step) < args_.channels;
        dev::copy_async(part(half, 0), tokens_.x + place(half, step), valid);
        dev::copy_async(part(half, 1), r + place(half, step), valid && args_.depth != 0);
      }
    }
    dev::copy_commit();
  }

  // z = r + x of the thread's tokens.
  SAK_DEVICE static void add_parts(Floats4 (&z)[2]) {
    SAK_UNROLL
    for (int half = 0; half < 2; ++half) {
      const auto x = dev::load_shared(reinterpret_cast<const Floats4*>(part(half, 0)));
      const auto before = dev::load_shared(reinterpret_cast<const Floats4*>(part(half, 1)));
      SAK_UNROLL
      for (int e = 0; e < 4; ++e) {
        z[half].x[e] = before.x[e] + x.x[e];
      }
    }
  }

  SAK_DEVICE void store(float* r, int step, const Floats4 (&z)[2], const Floats4& bias,
                        const float (&sums)[2][4]) const {
    if (channel(step) >= args_.channels) {
      return;
    }
    SAK_UNROLL
    for (int half = 0; half < 2; ++half) {
      Floats4 after;
      SAK_UNROLL
      for (int e = 0; e < 4; ++e) {
        after.x[e] = z[half].x[e] + (sums[e / 2][2 * half + e % 2] + bias.x[e]);
      }
      if (token(half) < tokens_.rows) {
        dev::store_global(reinterpret_cast<Floats4*>(r + place(half, step)), after);
      }
    }
  }

  // LayerNorm of the block's rows of r, a warp for each.
  SAK_DEVICE void normalise(const float* r, const Norm& norm, T* out) const {
    SAK_ROLLED
    for (int row = dev::thread() / 32; row < tokens_.rows; row += kTokenThreads / 32) {
      const int64_t at = int64_t{row} * args_.channels;
      Words2* to = reinterpret_cast<Words2*>(out + at);
      const NormalizedRow normalized(r + at, args_.channels, kNormEpsilon);
      normalized.each(AffineInPlace{norm}, [&](int i, const Floats4& y) {
        dev::store_global(to + i,
                          Words2{{dev::pack(y.x[0], y.x[1], T{}), dev::pack(y.x[2], y.x[3], T{})}});
      });
    }
  }

  const AdapterArgs& args_;
  TokenRows tokens_{};
  Linear down_{};
  Linear up_{};
};

}  // namespace sakedge::cuda
