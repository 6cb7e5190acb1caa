#pragma once

#include "cpu/kernel_table.h"
#include "cpu/vector/lanes.h"

// Bilinear samples of a map, kLanes output columns at a time.
//
// The two rows of the map around an output row are transposed once to planes, [classes][width], and
// kept for the following output rows; interpolation along y is then a contiguous loop. Along x, the
// low neighbours of kLanes columns lie within kLanes of each other wherever the output is no
// smaller than the map, and so do the high ones: each takes one load and a permutation, no gather.
//
// Scratch: three sets of planes (low, high, between), then the columns' lerps. A load of kLanes may
// read past a plane, into the next or into the lerps, but never uses what it finds there.
namespace sakedge::cpu {
namespace {

// kLanes lerps, at most 5 words for each. `low` and `high` are relative to the bases.
struct Columns {
  float low_weight[kLanes];
  float high_weight[kLanes];
  std::int32_t low[kLanes];
  std::int32_t high[kLanes];
  std::int32_t low_base;  // < 0: too far apart for one load; low and high are absolute
  std::int32_t high_base;
};
static_assert(sizeof(Columns) <= 5 * sizeof(float) * kLanes);

// kLanes columns from `lerps` on; if fewer remain, the last one is repeated.
inline Columns columns(const Lerp* lerps, Index count) {
  Columns result;
  std::int32_t low = lerps[0].low;
  std::int32_t high = lerps[0].high;
  for (Index i = 0; i < kLanes; ++i) {
    const Lerp lerp = lerps[i < count ? i : count - 1];
    result.low_weight[i] = lerp.low_weight;
    result.high_weight[i] = lerp.high_weight;
    result.low[i] = lerp.low;
    result.high[i] = lerp.high;
    low = lerp.low < low ? lerp.low : low;
    high = lerp.high < high ? lerp.high : high;
  }
  bool near = true;
  for (Index i = 0; i < kLanes; ++i) {
    near = near && result.low[i] - low < kLanes && result.high[i] - high < kLanes;
  }
  result.low_base = near ? low : -1;
  result.high_base = near ? high : -1;
  for (Index i = 0; near && i < kLanes; ++i) {
    result.low[i] -= low;
    result.high[i] -= high;
  }
  return result;
}

// Samples at kLanes columns of one output row.
struct Sampler {
  const float* planes;
  Index width;
  const Columns& columns;

  Vec at(Index c) const {
    const float* plane = planes + c * width;
    Vec low, high;
    if (columns.low_base >= 0) {
      low = lookup(load(plane + columns.low_base), load_ints(columns.low));
      high = lookup(load(plane + columns.high_base), load_ints(columns.high));
    } else {
      low = gather(plane, columns.low);
      high = gather(plane, columns.high);
    }
    return multiply_add(load(columns.high_weight), high, mul(load(columns.low_weight), low));
  }

 private:
  static Vec gather(const float* plane, const std::int32_t* places) {
    float lanes[kLanes];
    for (Index i = 0; i < kLanes; ++i) {
      lanes[i] = plane[places[i]];
    }
    return load(lanes);
  }
};

// Rows of the map as planes; keeps the last two.
struct PlaneCache {
  const SampleArgs& args;
  Index held[2];

  // The planes of `row`. Does not evict `other`.
  const float* get(Index row, Index other) {
    const Index size = args.width * args.classes;
    if (held[0] == row || held[1] == row) {
      return args.scratch + (held[0] == row ? 0 : size);
    }
    const Index place = held[0] == other ? 1 : 0;
    float* planes = args.scratch + place * size;
    const float* from = args.map + row * size;
    for (Index c = 0; c < args.classes; ++c) {
      for (Index x = 0; x < args.width; ++x) {
        planes[c * args.width + x] = from[x * args.classes + c];
      }
    }
    held[place] = row;
    return planes;
  }
};

inline void sample_along_y(const Lerp& row, const float* low, const float* high, Index size,
                           float* out) {
  const Vec low_weight = splat(row.low_weight);
  const Vec high_weight = splat(row.high_weight);
  for_vectors(size, [&](Index i, auto lanes) {
    const Vec total = mul(low_weight, load(low + i, lanes));
    store(out + i, multiply_add(high_weight, load(high + i, lanes), total), lanes);
  });
}

// Calls visit(y, x, sampler, count) for every output row and every kLanes columns from x on, of
// which the first `count` exist.
template <typename Visit>
inline void for_samples(const SampleArgs& args, const Visit& visit) {
  const Index size = args.width * args.classes;
  float* const planes = args.scratch + 2 * size;
  Columns* const all = reinterpret_cast<Columns*>(planes + size);
  for (Index x = 0; x < args.out_width; x += kLanes) {
    all[x / kLanes] = columns(args.columns + x, args.out_width - x);
  }
  PlaneCache cache = {args, {-1, -1}};
  for (Index y = args.begin; y < args.end; ++y) {
    const Lerp row = args.rows[y];
    const float* low = cache.get(row.low, row.high);
    const float* high = cache.get(row.high, row.low);
    sample_along_y(row, low, high, size, planes);
    for (Index x = 0; x < args.out_width; x += kLanes) {
      const Index count = args.out_width - x < kLanes ? args.out_width - x : kLanes;
      visit(y, x, Sampler{planes, args.width, all[x / kLanes]}, count);
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
