// Routers of a level: router adds up GELU(LayerNorm(W v + b)) over the tokens of a tile, weigh
// makes weights of it. W3 commutes with the mean over tokens (docs/algebra.md, 3).
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/gelu.h"
#include "cuda/kernels/tokens.h"
#include "cuda/kernels/warp_row.h"

namespace sakedge::cuda {

template <class T, int kWidth>
class RouterHidden {
 public:
  SAK_DEVICE explicit RouterHidden(const RouterArgs& args) : args_(args) {}

  SAK_DEVICE void run() {
    const int run = dev::block_z();
    const int of_task = run * args_.tasks + dev::block_y();
    const RouterLevel* level = dev::load_global(args_.routers + of_task);
    if (level == nullptr) {
      return;
    }
    level += args_.level;
    const Linear hidden = linear_at(&level->hidden);
    const int first = dev::block_x() * kTokenTile;
    const int left = args_.tokens - first;
    const int rows = left < kTokenTile ? left : kTokenTile;
    const int64_t image = dev::load_global(args_.image + run);
    const float* x = args_.x + (image * (1 + args_.tokens) + 1 + first) * args_.channels;
    const Norm norm = norm_at(&level->norm);
    const MatrixRows weights = rows_of(hidden, 0, 2);
    product_.run(
        {x, nullptr, rows, args_.channels}, tokens_at, weights_at,
        [&](int step) { weights.template fetch<kWidth, kTokenThreads>(weights_at(step), step); },
        [&] {
          bias().fill(hidden.bias, hidden.out);
          gamma().fill(norm.gamma, hidden.out);
          beta().fill(norm.beta, hidden.out);
        });
    add_bias();
    measure(hidden.out);
    const int64_t tile = int64_t{of_task} * token_tiles(args_.tokens) + dev::block_x();
    add_up(hidden.out, rows, args_.sums + tile * args_.width);
  }

 private:
  using Rows = Tile<4>;
  static constexpr int kStages = router_stages(kWidth);
  static constexpr int kAhead = router_blocks(kWidth) == 1 ? 2 : 1;
  using Product = TokenProduct<T, kTokenTile, kWidth, 4, kStages, kAhead>;
  static constexpr int kM = Product::kM;
  static constexpr int kN = Product::kN;

  SAK_DEVICE static Rows weights_at(int step) {
    return {dev::shared() + step % kStages * kWidth * Rows::kRowBytes};
  }
  SAK_DEVICE static Rows tokens_at(int step) {
    const int slot = step % kTokenSlots;
    return {dev::shared() + (kStages * kWidth + slot * kTokenTile) * Rows::kRowBytes};
  }
  using Vector = ColumnVector<kWidth>;
  SAK_DEVICE static Vector vector(int i) {
    unsigned char* first = dev::shared() + router_shared(kWidth) - router_vectors(kWidth);
    return {reinterpret_cast<float*>(first) + i * kWidth};
  }
  SAK_DEVICE static Vector bias() { return vector(0); }
  SAK_DEVICE static Vector gamma() { return vector(1); }
  SAK_DEVICE static Vector beta() { return vector(2); }
  SAK_DEVICE static float* floats() { return reinterpret_cast<float*>(dev::shared()); }

  SAK_DEVICE void add_bias() {
    SAK_UNROLL
    for (int j = 0; j < 2 * kN; ++j) {
      const Floats2 two = bias().pair(Product::column() + 8 * j + fragment_column());
      SAK_UNROLL
      for (int i = 0; i < kM; ++i) {
        SAK_UNROLL
        for (int e = 0; e < 4; ++e) {
          product_.sums[i][j][e] += two.x[e % 2];
        }
      }
    }
  }

  // Mean of each of the thread's rows, and one over its deviation. What lies past `size` columns is
  // zero, but its distance from the mean is not.
  SAK_DEVICE void measure(int size) {
    each_row(mean_, size, [](float v, float, int) { return v; });
    each_row(scale_, size, [size](float v, float mean, int column) {
      return column < size ? (v - mean) * (v - mean) : 0.0f;
    });
    SAK_UNROLL
    for (int i = 0; i < kM; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        scale_[i][half] = inverse_deviation(scale_[i][half]);
      }
    }
  }

  // The sum of f(v, mean, column) over a row's columns, divided by `size`, for this thread's rows.
  template <class F>
  SAK_DEVICE void each_row(float (&of_f)[kM][2], int size, F f) {
    dev::barrier();  // shared memory is free
    SAK_UNROLL
    for (int i = 0; i < kM; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        float sum = 0.0f;
        SAK_UNROLL
        for (int j = 0; j < 2 * kN; ++j) {
          SAK_UNROLL
          for (int e = 0; e < 2; ++e) {
            const int column = Product::column() + 8 * j + fragment_column() + e;
            sum += f(product_.sums[i][j][2 * half + e], mean_[i][half], column);
          }
        }
        sum += dev::shuffle_xor(sum, 1);
        sum += dev::shuffle_xor(sum, 2);
        if (dev::thread() % 4 == 0) {
          dev::store_shared(floats() + row(i, half) * Product::kAcross + Product::across(), sum);
        }
      }
    }
    dev::barrier();
    SAK_UNROLL
    for (int i = 0; i < kM; ++i) {
      SAK_UNROLL
      for (int half = 0; half < 2; ++half) {
        float sum = 0.0f;
        SAK_UNROLL
        for (int warp = 0; warp < Product::kAcross; ++warp) {
          sum += dev::load_shared(floats() + row(i, half) * Product::kAcross + warp);
        }
        of_f[i][half] = sum / static_cast<float>(size);
      }
    }
  }

  SAK_DEVICE static int row(int i, int half) {
    return Product::row() + 16 * i + 8 * half + fragment_row();
  }

  // GELU of the normalised values, over the tokens: a thread's rows, a warp's, then those of the
  // warps below each other, always in this order.
  SAK_DEVICE void add_up(int size, int rows, float* sums) {
    dev::barrier();  // shared memory is free
    product_.each([&](int column, const float (&v)[kM][4]) {
      const Floats2 slope = gamma().pair(column);
      const Floats2 offset = beta().pair(column);
      SAK_UNROLL
      for (int e = 0; e < 2; ++e) {
        float sum = 0.0f;
        SAK_UNROLL
        for (int i = 0; i < kM; ++i) {
          SAK_UNROLL
          for (int half = 0; half < 2; ++half) {
            const float y = gelu(dev::fma((v[i][2 * half + e] - mean_[i][half]) * scale_[i][half],
                                          slope.x[e], offset.x[e]));
            sum += row(i, half) < rows ? y : 0.0f;
          }
        }
        sum += dev::shuffle_xor(sum, 4);
        sum += dev::shuffle_xor(sum, 8);
        sum += dev::shuffle_xor(sum, 16);
        if (fragment_row() == 0) {
          dev::store_shared(floats() + Product::down() * kWidth + column + e, sum);
        }
      }
    });
    dev::barrier();
    SAK_ROLLED
    for (int column = dev::thread(); column < size; column += kTokenThreads) {
      float sum = 0.0f;
      SAK_UNROLL
      for (int warp = 0; warp < Product::kDown; ++warp) {
        sum += dev::load_shared(floats() + warp * kWidth + column);
      }
      dev::store_global(sums + column, sum);
    }
  }

  const RouterArgs& args_;
  Product product_;
  float mean_[kM][2] = {};
  float scale_[kM][2] = {};
};

// The sum of f(0) ... f(count - 1), in this order. The loads of sixteen are on their way together:
// one after the other, each would take the time that all take.
template <class F>
SAK_DEVICE float sum_of(int count, F f) {
  constexpr int kTogether = 16;
  float sum = 0.0f;
  SAK_ROLLED
  for (int first = 0; first < count; first += kTogether) {
    float term[kTogether] = {};
    SAK_UNROLL
    for (int i = 0; i < kTogether; ++i) {
      if (first + i < count) {
        term[i] = f(first + i);
      }
    }
    SAK_UNROLL
    for (int i = 0; i < kTogether; ++i) {
      sum += term[i];
    }
  }
  return sum;
}

// The logit of an expert that takes no part: its exponential is 0.
constexpr float kAbsent = -3.0e38f;

SAK_DEVICE void weigh_experts(const WeighArgs& args) {
  const int of_task = dev::block_y() * args.tasks + dev::block_x();
  const int experts = 1 + args.slots;
  float* pooled = reinterpret_cast<float*>(dev::shared());
  float* logits = pooled + args.width;
  const auto present = [&](int expert) {
    return expert == 0 ||
           dev::load_global(args.paths + dev::block_y() * args.slots + expert - 1) != nullptr;
  };
  const RouterLevel* router = dev::load_global(args.routers + of_task);
  if (router != nullptr) {
    router += args.level;
    const int size = dev::load_global(&router->hidden.out);
    const float* gate = dev::load_global(&router->gate);
    const float* bias = dev::load_global(&router->gate_bias);
    const float* sums = args.sums + int64_t{of_task} * args.tiles * args.width;
    SAK_ROLLED
    for (int h = dev::thread(); h < size; h += kWeighThreads) {
      const float sum = sum_of(args.tiles, [&](int tile) {
        return dev::load_global(sums + int64_t{tile} * args.width + h);
      });
      dev::store_shared(pooled + h, sum / static_cast<float>(args.tokens));
    }
    dev::barrier();
    const int lane = dev::thread() % 32;
    SAK_ROLLED
    for (int e = dev::thread() / 32; e < experts; e += kWeighThreads / 32) {
      const float* row = gate + e * size;
      const float own = sum_of((size - lane + 31) / 32, [&](int i) {
        const int h = lane + 32 * i;
        return dev::load_shared(pooled + h) * dev::load_global(row + h);
      });
      const float logit = warp_sum(own) + dev::load_global(bias + e);
      if (lane == 0) {
        dev::store_shared(logits + e, present(e) ? logit : kAbsent);
      }
    }
    dev::barrier();
  }
  const int64_t at = (int64_t{of_task} * args.levels + args.level) * experts;
  SAK_ROLLED
  for (int e = dev::thread(); e < experts; e += kWeighThreads) {
    float weight = present(e) ? 1.0f : 0.0f;
    if (router != nullptr && weight != 0.0f) {
      // Every thread adds up all, in the same order. 1 / p_e = sum of exp(logit - logit of e).
      const float own = dev::load_shared(logits + e);
      float sum = 0.0f;
      SAK_ROLLED
      for (int other = 0; other < experts; ++other) {
        sum += dev::exp2((dev::load_shared(logits + other) - own) * 1.44269504f);
      }
      weight = 1.0f / sum;
    }
    dev::store_global(args.routing + at + e, weight);
    dev::store_global(args.mixing + at + e, e == 0 || weight >= args.min_weight ? weight : 0.0f);
  }
}

}  // namespace sakedge::cuda
