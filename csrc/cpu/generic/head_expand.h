#pragma once

#include "cpu/generic/gelu.h"
#include "cpu/kernel_table.h"

namespace sakedge::cpu {
namespace {

// mixed[dx][x][f] = sum over dy of tap map 3 dy + dx, interpolated between two rows by row[dy].
// Along y first: the result, three rows at low width, fits the first-level cache.
inline void expand_along_y(const ExpandArgs& args, const Lerp* row, float* mixed) {
  for (Index dx = 0; dx < 3; ++dx) {
    for (Index x = 0; x < args.width; ++x) {
      const float* low[3];
      const float* high[3];
      for (Index dy = 0; dy < 3; ++dy) {
        const float* map = args.taps + (3 * dy + dx) * args.tap_stride;
        low[dy] = map + (row[dy].low * args.width + x) * args.token_stride;
        high[dy] = map + (row[dy].high * args.width + x) * args.token_stride;
      }
      for (Index c = 0; c < args.channels; ++c) {
        mixed[c] = row[0].low_weight * low[0][c] + row[0].high_weight * high[0][c] +
                   row[1].low_weight * low[1][c] + row[1].high_weight * high[1][c] +
                   row[2].low_weight * low[2][c] + row[2].high_weight * high[2][c];
      }
      mixed += args.channels;
    }
  }
}

// One output row before its activation, [out_width, channels].
inline void expand_along_x(const ExpandArgs& args, const float* mixed, float* out) {
  const Index plane = args.width * args.channels;
  for (Index x = 0; x < args.out_width; ++x) {
    const Lerp* column = args.columns + 3 * x;
    const float* low[3];
    const float* high[3];
    for (Index dx = 0; dx < 3; ++dx) {
      low[dx] = mixed + dx * plane + column[dx].low * args.channels;
      high[dx] = mixed + dx * plane + column[dx].high * args.channels;
    }
    for (Index c = 0; c < args.channels; ++c) {
      out[c] = args.bias[c] + column[0].low_weight * low[0][c] +
               column[0].high_weight * high[0][c] + column[1].low_weight * low[1][c] +
               column[1].high_weight * high[1][c] + column[2].low_weight * low[2][c] +
               column[2].high_weight * high[2][c];
    }
    out += args.channels;
  }
}

void head_expand_f32(const ExpandArgs& args) {
  float* mixed = args.scratch;
  float* activations = args.scratch + 3 * args.width * args.channels;
  for (Index y = args.begin; y < args.end; ++y) {
    expand_along_y(args, args.rows + 3 * y, mixed);
    expand_along_x(args, mixed, activations);
    gelu_f32(args.out_width * args.channels, activations);
    for (Index x = 0; x < args.out_width; ++x) {
      float* logits = args.logits + (y * args.out_width + x) * args.classes;
      for (Index j = 0; j < args.classes; ++j) {
        float total = args.last_bias == nullptr ? 0.0f : args.last_bias[j];
        for (Index c = 0; c < args.channels; ++c) {
          total += activations[x * args.channels + c] * args.last[j * args.last_stride + c];
        }
        logits[j] = args.accumulate ? logits[j] + total : total;
      }
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
