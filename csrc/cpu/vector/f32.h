#pragma once

#include "cpu/vector/layout.h"

namespace sakedge::cpu {
namespace {

// Arithmetic on float32 as it is. `Dot` provides Operand, load, broadcast and multiply_add.
template <typename Dot>
struct F32 : Dot {
  static constexpr Index kStep = 1;
  static constexpr Index kWord = kStep * sizeof(float);
  static constexpr Index kRowExtra = 0;
  static constexpr Index kColumnExtra = 0;
  typedef Vec Sum;

  static Sum zero() { return splat(0.0f); }
  static Vec value(Sum sum, const char*, Index, const char*, Index) { return sum; }

  static void prepare(Index k, const float* x, char* row) {
    float* out = reinterpret_cast<float*>(row);
    for_vectors(k, [&](Index i, auto lanes) { store(out + i, cpu::load(x + i, lanes)); });
  }

  static void pack_column(Index k, const float* source, Index stride, const float* scale,
                          Index depth, char* panel, Index column) {
    const float unit = scale == nullptr ? 1.0f : *scale;
    float* out = reinterpret_cast<float*>(panel) + column;
    for (Index i = 0; i < depth; ++i) {
      out[i * kPanel] = i < k ? source[i * stride] * unit : 0.0f;
    }
  }
};

struct BroadcastF32 {
  typedef Vec Operand;

  static Vec load(const char* p) { return cpu::load(reinterpret_cast<const float*>(p)); }
  static Vec broadcast(const char* p) { return splat(*reinterpret_cast<const float*>(p)); }
  static Vec multiply_add(Vec x, Vec column, Vec sum) { return cpu::multiply_add(x, column, sum); }
};

}  // namespace
}  // namespace sakedge::cpu
