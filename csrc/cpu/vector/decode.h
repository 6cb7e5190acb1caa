#pragma once

#include "cpu/kernel_table.h"
#include "cpu/vector/samples.h"
#include "cpu/vector/sigmoid.h"
// sigmoid before the decoders, which use it.
#include "cpu/kinds.h"

// From logits to values, from a map at (H/4, W/4) or from planes at full size. A sample of a map
// exists only in registers.
namespace sakedge::cpu {
namespace {

// Neighbouring pixels of planes.
template <typename Lanes>
struct Pixels {
  const float* planes;
  Index stride;
  Lanes lanes;

  Vec at(Index c) const { return load(planes + c * stride, lanes); }
};

inline Index lane_count(All) { return kLanes; }
inline Index lane_count(First lanes) { return lanes.count; }

#define DECODER(family, name, fewest, most, Value, values)                                     \
  void decode_##name##_f32(const SampleArgs& args, Value* out) {                               \
    for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {             \
      decoders::name(sampler, args.classes, out + (y * args.out_width + x) * (values), count); \
    });                                                                                        \
  }                                                                                            \
  void decode_planes_##name##_f32(const PlaneArgs& args, Value* out) {                         \
    for_vectors(args.count, [&](Index i, auto lanes) {                                         \
      const Pixels<decltype(lanes)> pixels{args.planes + i, args.stride, lanes};               \
      decoders::name(pixels, args.classes, out + i * (values), lane_count(lanes));             \
    });                                                                                        \
  }
#include "cpu/kinds.def"

void upsample_f32(const SampleArgs& args, Index plane, float* out) {
  for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {
    for (Index c = 0; c < args.classes; ++c) {
      put(out + c * plane + y * args.out_width + x, sampler.at(c), count);
    }
  });
}

void blend_f32(const BlendArgs& args) {
  const SampleArgs& samples = args.samples;
  for_samples(samples, [&](Index y, Index x, const Sampler& sampler, Index count) {
    const Vec row_weight = splat(args.row_weights[y]);
    const bool whole = count == kLanes;
    const float* columns = args.column_weights + x;
    const Vec weight = mul(row_weight, whole ? load(columns) : load_first(columns, count));
    float* out = args.out + (y - samples.begin) * args.row_stride + x;
    for (Index c = 0; c < samples.classes; ++c) {
      float* place = out + c * args.plane_stride;
      const Vec before = whole ? load(place) : load_first(place, count);
      put(place, multiply_add(weight, sampler.at(c), before), count);
    }
  });
}

}  // namespace
}  // namespace sakedge::cpu
