#pragma once

#include "cpu/vector/layout.h"

namespace sakedge::cpu {
namespace {

// Arithmetic on float32 as it is.
struct F32 {
  static constexpr Index kStep = 1;
  static constexpr Index kRowExtra = 0;
  static constexpr Index kColumnExtra = 0;
  typedef Vec Operand;
  typedef Vec Sum;

  static Sum zero() { return splat(0.0f); }
  static Operand load(const char* p) { return cpu::load(reinterpret_cast<const float*>(p)); }
  static Operand broadcast(const char* p) { return splat(*reinterpret_cast<const float*>(p)); }
  static Sum multiply_add(Operand x, Operand column, Sum sum) {
    return cpu::multiply_add(x, column, sum);
  }
  static Vec value(Sum sum, const char*, Index, const char*, Index) { return sum; }

  static void prepare(Index k, const float* x, char* row) {
    float* out = reinterpret_cast<float*>(row);
    for_vectors(k, [&](Index i, auto lanes) { store(out + i, cpu::load(x + i, lanes)); });
  }

  static void pack_column(Index k, const float* source, Index stride, Index depth, char* panel,
                          Index column) {
    float* out = reinterpret_cast<float*>(panel) + column;
    for (Index i = 0; i < depth; ++i) {
      out[i * kPanel] = i < k ? source[i * stride] : 0.0f;
    }
  }
};

}  // namespace
}  // namespace sakedge::cpu
