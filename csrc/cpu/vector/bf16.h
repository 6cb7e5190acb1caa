#pragma once

#include <string.h>

#include "cpu/vector/layout.h"

namespace sakedge::cpu {
namespace {

// The upper half of a float, rounded to nearest even. No NaN.
inline std::uint16_t to_bf16(float x) {
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  bits += 0x7fff + (bits >> 16 & 1);
  return static_cast<std::uint16_t>(bits >> 16);
}

// Arithmetic on bfloat16. `Dot` provides kStep, Operand, load, broadcast and multiply_add, and
// store(out, x), which rounds a vector.
template <typename Dot>
struct Bf16 : Dot {
  using Dot::kStep;
  static constexpr Index kWord = kStep * sizeof(std::uint16_t);
  static constexpr Index kRowExtra = 0;
  static constexpr Index kColumnExtra = 0;
  typedef Vec Sum;

  static Sum zero() { return splat(0.0f); }
  static Vec value(Sum sum, const char*, Index, const char*, Index) { return sum; }

  static void prepare(Index k, const float* x, char* row) {
    std::uint16_t* out = reinterpret_cast<std::uint16_t*>(row);
    for_vectors(k, [&](Index i, auto lanes) { Dot::store(out + i, cpu::load(x + i, lanes)); });
  }

  static void pack_column(Index k, const float* source, Index stride, const float* scale,
                          Index depth, char* panel, Index column) {
    const float unit = scale == nullptr ? 1.0f : *scale;
    std::uint16_t* out = reinterpret_cast<std::uint16_t*>(panel) + kStep * column;
    for (Index i = 0; i < kStep * depth; ++i) {
      out[i / kStep * kStep * kPanel + i % kStep] =
          i < k ? to_bf16(source[i * stride] * unit) : std::uint16_t{0};
    }
  }
};

// For instruction sets without bfloat16: both halves widened and multiplied in float32, which is
// exact. Saves memory traffic, not arithmetic.
struct WidenedBf16 : WordOperands {
  static constexpr Index kStep = 2;

  static Vec multiply_add(Operand x, Operand column, Vec sum) {
    sum = cpu::multiply_add(lower_bf16(x), lower_bf16(column), sum);
    return cpu::multiply_add(upper_bf16(x), upper_bf16(column), sum);
  }
  static void store(std::uint16_t* out, Vec x) { store_bf16(out, x); }
};

}  // namespace
}  // namespace sakedge::cpu
