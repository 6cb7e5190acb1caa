#pragma once

#include <math.h>

#include "cpu/kernel_table.h"

// From a head's logits at (H/4, W/4) straight to the result: a sample's classes exist only in
// scratch.
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

// Calls visit(x, sample) with the `classes` interpolated values of each column of output row `y`.
template <typename Visit>
inline void sample_row(const SampleArgs& args, Index y, const Visit& visit) {
  float* line = args.scratch;
  float* sample = args.scratch + args.width * args.classes;
  sample_line(args, y, line);
  for (Index x = 0; x < args.out_width; ++x) {
    const Lerp column = args.columns[x];
    const float* left = line + column.low * args.classes;
    const float* right = line + column.high * args.classes;
    for (Index c = 0; c < args.classes; ++c) {
      sample[c] = column.low_weight * left[c] + column.high_weight * right[c];
    }
    visit(x, sample);
  }
}

inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

template <typename Label>
inline void decode_labels(const SampleArgs& args, Label* out) {
  for (Index y = args.begin; y < args.end; ++y) {
    Label* row = out + y * args.out_width;
    sample_row(args, y, [&](Index x, const float* sample) {
      Index best = 0;
      for (Index c = 1; c < args.classes; ++c) {
        best = sample[c] > sample[best] ? c : best;
      }
      row[x] = static_cast<Label>(best);
    });
  }
}

void decode_labels_u8_f32(const SampleArgs& args, std::uint8_t* out) { decode_labels(args, out); }
void decode_labels_u16_f32(const SampleArgs& args, std::uint16_t* out) { decode_labels(args, out); }

void decode_probability_f32(const SampleArgs& args, float* out) {
  for (Index y = args.begin; y < args.end; ++y) {
    float* row = out + y * args.out_width;
    sample_row(args, y, [&](Index x, const float* sample) { row[x] = sigmoid(sample[0]); });
  }
}

void decode_two_class_f32(const SampleArgs& args, float* out) {
  for (Index y = args.begin; y < args.end; ++y) {
    float* row = out + y * args.out_width;
    sample_row(args, y,
               [&](Index x, const float* sample) { row[x] = sigmoid(sample[1] - sample[0]); });
  }
}

void decode_normals_f32(const SampleArgs& args, float* out) {
  for (Index y = args.begin; y < args.end; ++y) {
    float* row = out + y * args.out_width * 3;
    sample_row(args, y, [&](Index x, const float* v) {
      const float norm = sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
      const float divisor = norm > 1e-12f ? norm : 1e-12f;
      for (Index c = 0; c < 3; ++c) {
        row[3 * x + c] = v[c] / divisor;
      }
    });
  }
}

void decode_scalar_f32(const SampleArgs& args, float* out) {
  for (Index y = args.begin; y < args.end; ++y) {
    float* row = out + y * args.out_width;
    sample_row(args, y,
               [&](Index x, const float* sample) { row[x] = sample[0] > 0.0f ? sample[0] : 0.0f; });
  }
}

// Class by class, so that every output row is written from first to last.
void upsample_f32(const SampleArgs& args, Index plane, float* out) {
  const float* line = args.scratch;
  for (Index y = args.begin; y < args.end; ++y) {
    sample_line(args, y, args.scratch);
    for (Index c = 0; c < args.classes; ++c) {
      float* row = out + c * plane + y * args.out_width;
      for (Index x = 0; x < args.out_width; ++x) {
        const Lerp column = args.columns[x];
        row[x] = column.low_weight * line[column.low * args.classes + c] +
                 column.high_weight * line[column.high * args.classes + c];
      }
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
