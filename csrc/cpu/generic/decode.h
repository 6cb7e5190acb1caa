#pragma once

#include "cpu/generic/scalar.h"
#include "cpu/kernel_table.h"
// scalar.h before what is written in its terms.
#include "cpu/kinds.h"

// From logits to values, from a map at (H/4, W/4) or from planes at full size.
namespace sakedge::cpu {
namespace {

// The map's row at output row `y`, interpolated along y: [width, classes].
inline void sample_line(const SampleArgs& args, Index y, float* line) {
  const Lerp row = args.rows[y];
  const Index length = args.width * args.classes;
  const float* low = args.map + row.low * length;
  const float* high = args.map + row.high * length;
  for (Index i = 0; i < length; ++i) {
    line[i] = row.low_weight * low[i] + row.high_weight * high[i];
  }
}

// One column of an interpolated row.
struct Sample {
  const float* line;
  Index classes;
  const Lerp& column;

  float at(Index c) const {
    return column.low_weight * line[column.low * classes + c] +
           column.high_weight * line[column.high * classes + c];
  }
};

// Calls visit(y, x, sample) for every pixel.
template <typename Visit>
inline void for_samples(const SampleArgs& args, const Visit& visit) {
  for (Index y = args.begin; y < args.end; ++y) {
    sample_line(args, y, args.scratch);
    for (Index x = 0; x < args.out_width; ++x) {
      visit(y, x, Sample{args.scratch, args.classes, args.columns[x]});
    }
  }
}

// One pixel of planes.
struct Pixel {
  const float* planes;
  Index stride;

  float at(Index c) const { return planes[c * stride]; }
};

#define DECODER(family, name, fewest, most, Value, values)                                      \
  void decode_##name##_f32(const SampleArgs& args, Value* out) {                                \
    for_samples(args, [&](Index y, Index x, const Sample& sample) {                             \
      decoders::name(sample, args.classes, out + (y * args.out_width + x) * (values), 1);       \
    });                                                                                         \
  }                                                                                             \
  void decode_planes_##name##_f32(const PlaneArgs& args, Value* out) {                          \
    for (Index i = 0; i < args.count; ++i) {                                                    \
      decoders::name(Pixel{args.planes + i, args.stride}, args.classes, out + i * (values), 1); \
    }                                                                                           \
  }
#include "cpu/kinds.def"

// Class by class, so that every output row is written from first to last.
void upsample_f32(const SampleArgs& args, Index plane, float* out) {
  for (Index y = args.begin; y < args.end; ++y) {
    sample_line(args, y, args.scratch);
    for (Index c = 0; c < args.classes; ++c) {
      float* row = out + c * plane + y * args.out_width;
      for (Index x = 0; x < args.out_width; ++x) {
        row[x] = Sample{args.scratch, args.classes, args.columns[x]}.at(c);
      }
    }
  }
}

void blend_f32(const BlendArgs& args) {
  for_samples(args.samples, [&](Index y, Index x, const Sample& sample) {
    const float weight = args.row_weights[y] * args.column_weights[x];
    float* out = args.out + (y - args.samples.begin) * args.row_stride + x;
    for (Index c = 0; c < args.samples.classes; ++c) {
      out[c * args.plane_stride] += weight * sample.at(c);
    }
  });
}

}  // namespace
}  // namespace sakedge::cpu
