// Mixture of the experts of a task and its head's linear at a level (docs/model.md, 2.3 and 2.4).
//
// A block forms the mixture of 64 tokens once, 32 channels at a time, for all columns of the
// linear. The next channels' experts are on their way while the last ones are multiplied: the
// mixture is formed from registers and goes to the tile that nobody reads.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/fetch.h"
#include "cuda/kernels/heads_shape.h"
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

template <class T, int kWidth>
class Mix {
 public:
  SAK_DEVICE explicit Mix(const MixArgs& args) : args_(args) {}

  SAK_DEVICE void run() {
    const Head* head = dev::load_global(args_.heads + run_task());
    if (head == nullptr) {
      return;
    }
    const Linear* linears = dev::load_global(&head->linears);
    const Linear* linear = linears + args_.level;
    out_ = dev::load_global(&linear->out);
    in_ = dev::load_global(&linear->in);
    weight_ = static_cast<const unsigned char*>(dev::load_global(&linear->weight));
    bias_ = dev::load_global(&linear->bias);
    int column = 0;  // of the level in z
    SAK_ROLLED
    for (int level = 0; level < args_.level; ++level) {
      column += dev::load_global(&linears[level].out);
    }
    z_ = static_cast<T*>(args_.z) + int64_t{run_task()} * args_.tokens * args_.z_width + column;
    find_experts();
    for (int first = 0; first < out_; first += kWidth) {
      float sums[kM][kN][4] = {};
      multiply(first, sums);
      store(first, sums);
    }
  }

 private:
  static constexpr int kWarpsM = mix_warps(kWidth);
  static constexpr int kWarpsN = kMixThreads / 32 / kWarpsM;
  static constexpr int kWarpM = kMixTokens / kWarpsM;
  static constexpr int kWarpN = kWidth / kWarpsN;
  static constexpr int kM = kWarpM / 16;
  static constexpr int kN = kWarpN / 8;
  static constexpr int kExperts = 4;  // those in registers, the stem first; there may be more
  static constexpr int kAhead = mix_ahead(kWidth);
  static constexpr int kTileBytes = kMixTokens * kMixRow;
  static constexpr int kResultBytes = 2 * kWidth + 16;
  using Rows = Tile<kMixRow / 16>;

  // What a thread loads of its 8 channels of a token: the stem and the paths.
  struct Experts {
    Floats4 x[2];
    Words4 normed[kExperts - 1];
  };

  SAK_DEVICE static Rows mixture(int step) { return {dev::shared() + step % 2 * kTileBytes}; }
  SAK_DEVICE static Rows weight_rows(int step) {
    return {dev::shared() + 2 * kTileBytes + step % kMixStages * kWidth * kMixRow};
  }

  SAK_DEVICE int run_task() const { return dev::block_z() * args_.tasks + dev::block_y(); }

  // Expert 0 is the stem. 0 adds nothing and is not read.
  SAK_DEVICE float weight_of(int expert) const {
    const int64_t level = int64_t{run_task()} * args_.levels + args_.level;
    const float* weights = args_.mixing + level * (1 + args_.slots);
    return expert <= args_.slots ? dev::load_global(weights + expert) : 0.0f;
  }

  // The thread's token and chunk of 8 channels in each k-tile.
  SAK_DEVICE static int row() { return dev::thread() / 4; }
  SAK_DEVICE static int chunk() { return dev::thread() % 4; }
  SAK_DEVICE static int token(int row) { return dev::block_x() * kMixTokens + row; }

  SAK_DEVICE void find_experts() {
    const int run = dev::block_z();
    const int image = dev::load_global(args_.image + run);
    const int64_t tokens = args_.tokens;
    x_ = args_.x + (image * (1 + tokens) + 1 + token(row())) * args_.channels + 8 * chunk();
    normed_ = static_cast<const T*>(args_.normed) +
              (run * args_.slots * tokens + token(row())) * args_.channels + 8 * chunk();
    channels_ = token(row()) < args_.tokens ? args_.channels - 8 * chunk() : 0;
    SAK_UNROLL
    for (int expert = 0; expert < kExperts; ++expert) {
      weights_[expert] = weight_of(expert);
    }
  }

  SAK_DEVICE Words4 normed(int expert, int step) const {
    const int64_t path = static_cast<int64_t>(expert - 1) * args_.tokens * args_.channels;
    return dev::load_global(reinterpret_cast<const Words4*>(normed_ + path + 32 * step));
  }

  SAK_DEVICE void load(Experts& experts, int step) const {
    if (32 * step >= channels_) {
      return;
    }
    if (weights_[0] != 0.0f) {
      experts.x[0] = four_at(x_, 32 * step);
      experts.x[1] = four_at(x_, 32 * step + 4);
    }
    SAK_UNROLL
    for (int expert = 1; expert < kExperts; ++expert) {
      if (weights_[expert] != 0.0f) {
        experts.normed[expert - 1] = normed(expert, step);
      }
    }
  }

  SAK_DEVICE static void add(float (&sum)[8], float weight, const Words4& values) {
    SAK_UNROLL
    for (int e = 0; e < 4; ++e) {
      float low;
      float high;
      dev::unpack(values.x[e], low, high, T{});
      sum[2 * e] = dev::fma(weight, low, sum[2 * e]);
      sum[2 * e + 1] = dev::fma(weight, high, sum[2 * e + 1]);
    }
  }

  // The thread's part of the mixture of 32 channels, to its tile; zeros where there is none.
  SAK_DEVICE void form(const Experts& experts, int step) const {
    float sum[8] = {};
    if (32 * step < channels_) {
      if (weights_[0] != 0.0f) {
        SAK_UNROLL
        for (int e = 0; e < 8; ++e) {
          sum[e] = weights_[0] * experts.x[e / 4].x[e % 4];
        }
      }
      SAK_UNROLL
      for (int expert = 1; expert < kExperts; ++expert) {
        if (weights_[expert] != 0.0f) {
          add(sum, weights_[expert], experts.normed[expert - 1]);
        }
      }
      _Pragma("unroll 1") for (int expert = kExperts; expert <= args_.slots; ++expert) {
        const float weight = weight_of(expert);
        if (weight != 0.0f) {
          add(sum, weight, normed(expert, step));
        }
      }
    }
    Words4 packed;
    SAK_UNROLL
    for (int e = 0; e < 4; ++e) {
      packed.x[e] = dev::pack(sum[2 * e], sum[2 * e + 1], T{});
    }
    dev::store_shared(reinterpret_cast<Words4*>(mixture(step).chunk(row(), chunk())), packed);
  }

  SAK_DEVICE static int warp_row() { return dev::thread() / 32 / kWarpsN * kWarpM; }
  SAK_DEVICE static int warp_column() { return dev::thread() / 32 % kWarpsN * kWarpN; }

  SAK_DEVICE void multiply(int first, float (&sums)[kM][kN][4]) const {
    const MatrixRows rows{weight_ + static_cast<int64_t>(first) * in_ * 2, out_ - first, 2 * in_,
                          2 * static_cast<int64_t>(in_)};
    const int steps = (in_ + 31) / 32;
    dev::barrier();  // Nobody reads what an earlier round left.
    SAK_UNROLL
    for (int step = 0; step < kMixStages - 1; ++step) {
      if (step < steps) {
        rows.template fetch<kWidth, kMixThreads>(weight_rows(step), step);
      }
      dev::copy_commit();
    }
    const auto take = [&](int step, Experts& free, Experts& next) {
      load(free, step + kAhead);
      dev::copy_wait<kMixStages - 2>();
      dev::barrier();  // Both tiles of this step are there, and nobody reads those of the last one.
      if (step + kMixStages - 1 < steps) {
        rows.template fetch<kWidth, kMixThreads>(weight_rows(step + kMixStages - 1),
                                                 step + kMixStages - 1);
      }
      dev::copy_commit();
      multiply_step(step, sums);
      if (step + 1 < steps) {
        form(kAhead == 1 ? free : next, step + 1);
      }
    };
    Experts even{};
    Experts odd{};
    load(even, 0);
    if (kAhead == 2) {
      load(odd, 1);
    }
    form(even, 0);
    SAK_ROLLED
    for (int step = 0; step < steps; step += kAhead) {
      take(step, even, odd);
      if (kAhead == 2 && step + 1 < steps) {
        take(step + 1, odd, even);
      }
    }
    dev::copy_wait<0>();
  }

  SAK_DEVICE static void multiply_step(int step, float (&sums)[kM][kN][4]) {
    SAK_UNROLL
    for (int c = 0; c < 4; c += 2) {
      uint32_t a[kM][4];
      SAK_UNROLL
      for (int m = 0; m < kM; ++m) {
        load_a(a[m], mixture(step), warp_row() + 16 * m, c);
      }
      SAK_UNROLL
      for (int n = 0; n < kN; n += 2) {
        uint32_t b[4];
        load_b(b, weight_rows(step), warp_column() + 8 * n, c);
        SAK_UNROLL
        for (int m = 0; m < kM; ++m) {
          multiply_16(&sums[m][n], a[m], b, T{});
        }
      }
    }
  }

  // Through shared memory, where whole rows lie together; from there value by value: a level's
  // columns may begin and end anywhere.
  SAK_DEVICE void store(int first, const float (&sums)[kM][kN][4]) const {
    dev::barrier();
    SAK_UNROLL
    for (int n = 0; n < kN; ++n) {
      const int column = warp_column() + 8 * n + fragment_column();
      const float low = bias_of(first + column);
      const float high = bias_of(first + column + 1);
      SAK_UNROLL
      for (int m = 0; m < 2 * kM; ++m) {
        const float* two = sums[m / 2][n] + m % 2 * 2;
        unsigned char* to =
            dev::shared() + (warp_row() + 8 * m + fragment_row()) * kResultBytes + 2 * column;
        dev::store_shared(reinterpret_cast<uint32_t*>(to),
                          dev::pack(two[0] + low, two[1] + high, T{}));
      }
    }
    dev::barrier();
    const int columns = out_ - first < kWidth ? out_ - first : kWidth;
    for (int r = dev::thread() / 32; r < kMixTokens && token(r) < args_.tokens;
         r += kMixThreads / 32) {
      const T* from = reinterpret_cast<const T*>(dev::shared() + r * kResultBytes);
      T* to = z_ + static_cast<int64_t>(token(r)) * args_.z_width + first;
      SAK_UNROLL
      for (int i = 0; i < kWidth / 32; ++i) {
        const int c = dev::thread() % 32 + 32 * i;
        if (c < columns) {
          dev::store_global(to + c, dev::load_shared(from + c));
        }
      }
    }
  }
  SAK_DEVICE float bias_of(int column) const {
    return bias_ != nullptr && column < out_ ? dev::load_global(bias_ + column) : 0.0f;
  }

  const MixArgs& args_;
  const unsigned char* weight_;
  const float* bias_;
  int out_;
  int in_;
  T* z_;
  const float* x_;  // of the thread's token and channels
  const T* normed_;
  int channels_;  // from there on
  float weights_[kExperts];
};

}  // namespace sakedge::cuda
