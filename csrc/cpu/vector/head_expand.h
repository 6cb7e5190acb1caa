#pragma once

#include "cpu/kernel_table.h"
#include "cpu/vector/lanes.h"

namespace sakedge::cpu {
namespace {

// The three taps of an axis as six weights and source positions.
struct Stencil {
  Vec weight[6];
  Index place[6];
};

inline Stencil stencil(const Lerp* lerps) {
  Stencil s;
  for (Index i = 0; i < 3; ++i) {
    s.weight[2 * i] = splat(lerps[i].low_weight);
    s.weight[2 * i + 1] = splat(lerps[i].high_weight);
    s.place[2 * i] = lerps[i].low;
    s.place[2 * i + 1] = lerps[i].high;
  }
  return s;
}

// mixed[dx][x][f] = sum over dy of tap map 3 dy + dx, interpolated between two rows by row[dy].
// Along y first: the result, three rows at low width, fits the first-level cache.
inline void expand_along_y(const ExpandArgs& args, const Lerp* row, float* mixed) {
  const Stencil s = stencil(row);
  for (Index dx = 0; dx < 3; ++dx) {
    for (Index x = 0; x < args.width; ++x) {
      const float* from[6];
      UNROLL for (Index i = 0; i < 6; ++i) {
        from[i] = args.taps + (s.place[i] * args.width + x) * args.token_stride +
                  (i / 2 * 3 + dx) * args.tap_stride;
      }
      for_vectors(args.channels, [&](Index c, auto lanes) {
        Vec total = mul(s.weight[0], load(from[0] + c, lanes));
        UNROLL for (Index i = 1; i < 6; ++i) {
          total = multiply_add(s.weight[i], load(from[i] + c, lanes), total);
        }
        store(mixed + c, total, lanes);
      });
      mixed += args.channels;
    }
  }
}

// One output position after its activation, [channels].
inline void activate(const ExpandArgs& args, const Lerp* column, const float* mixed, float* out) {
  const Stencil s = stencil(column);
  const float* from[6];
  UNROLL for (Index i = 0; i < 6; ++i) {
    from[i] = mixed + (i / 2 * args.width + s.place[i]) * args.channels;
  }
  for_vectors(args.channels, [&](Index c, auto lanes) {
    Vec total = load(args.bias + c, lanes);
    UNROLL for (Index i = 0; i < 6; ++i) {
      total = multiply_add(s.weight[i], load(from[i] + c, lanes), total);
    }
    store(out + c, gelu(total), lanes);
  });
}

// `Classes` logits of kLanes / Classes positions: as many sums as a register has lanes, which are
// then added up together.
template <Index Classes>
inline void project(const ExpandArgs& args, const float* activations, Index positions, Index first,
                    float* logits) {
  constexpr Index kPositions = kLanes / Classes;
  Vec products[kLanes];
  UNROLL for (Index i = 0; i < kLanes; ++i) { products[i] = splat(0.0f); }
  const float* from[kPositions];  // positions that do not exist repeat the first
  for (Index p = 0; p < kPositions; ++p) {
    from[p] = activations + (p < positions ? p : 0) * args.channels;
  }
  for_vectors(args.channels, [&](Index c, auto lanes) {
    Vec weight[Classes];
    UNROLL for (Index j = 0; j < Classes; ++j) {
      weight[j] = load(args.last + (first + j) * args.last_stride + c, lanes);
    }
    UNROLL for (Index p = 0; p < kPositions; ++p) {
      const Vec a = load(from[p] + c, lanes);
      UNROLL for (Index j = 0; j < Classes; ++j) {
        products[p * Classes + j] = multiply_add(a, weight[j], products[p * Classes + j]);
      }
    }
  });
  float total[kLanes];
  store(total, sums(products));
  const Index count = positions < kPositions ? positions : kPositions;
  for (Index p = 0; p < count; ++p) {
    UNROLL for (Index j = 0; j < Classes; ++j) {
      logits[p * args.classes + first + j] += total[p * Classes + j];
    }
  }
}

template <Index Classes>
inline void project_all(const ExpandArgs& args, const float* activations, Index positions,
                        Index first, float* logits) {
  constexpr Index kPositions = kLanes / Classes;
  for (Index p = 0; p < positions; p += kPositions) {
    project<Classes>(args, activations + p * args.channels, positions - p, first,
                     logits + p * args.classes);
  }
}

// Initialises the logits that the products are added to.
inline void begin_logits(const ExpandArgs& args, Index positions, float* logits) {
  for (Index p = 0; p < positions; ++p) {
    for (Index j = 0; j < args.classes; ++j) {
      const float bias = args.last_bias == nullptr ? 0.0f : args.last_bias[j];
      float& logit = logits[p * args.classes + j];
      logit = args.accumulate ? logit + bias : bias;
    }
  }
}

void head_expand_f32(const ExpandArgs& args) {
  float* const mixed = args.scratch;
  float* const activations = args.scratch + 3 * args.width * args.channels;
  for (Index y = args.begin; y < args.end; ++y) {
    expand_along_y(args, args.rows + 3 * y, mixed);
    // A few positions at a time, so that their activations are still in the first-level cache.
    for (Index x = 0; x < args.out_width; x += kLanes) {
      const Index positions = args.out_width - x < kLanes ? args.out_width - x : kLanes;
      for (Index p = 0; p < positions; ++p) {
        activate(args, args.columns + 3 * (x + p), mixed, activations + p * args.channels);
      }
      float* logits = args.logits + (y * args.out_width + x) * args.classes;
      if (!args.accumulate || args.last_bias != nullptr) {
        begin_logits(args, positions, logits);
      }
      Index first = 0;
      for (; first + 4 <= args.classes; first += 4) {
        project_all<4>(args, activations, positions, first, logits);
      }
      if (first + 2 <= args.classes) {
        project_all<2>(args, activations, positions, first, logits);
        first += 2;
      }
      if (first < args.classes) {
        project_all<1>(args, activations, positions, first, logits);
      }
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
