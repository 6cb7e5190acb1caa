#pragma once

#include <float.h>
#include <math.h>
#include <string.h>

#include "cpu/generic/scalar.h"
#include "cpu/kernel_table.h"

// The three arithmetics of kernel_table.h, element by element.
//
//   Cell                 the type that stores a number, in rows and in matrices
//   Sum                  the type that products are added in
//   kScaled              whether cells are in units of a scale
//   range(k, x, stride)  largest magnitude of k numbers, if cells are scaled by it, else 0
//   cell(x, range)       a number as it is stored
//   scale(range)         what a cell of 1 stands for
//   product(a, b)        of two cells
//   value(sum, a, b)     the sum as a float, from the scales of its row and column
namespace sakedge::cpu {
namespace {

struct F32 {
  typedef float Cell;
  typedef float Sum;
  static constexpr bool kScaled = false;

  static float range(Index, const float*, Index) { return 0.0f; }
  static Cell cell(float x, float) { return x; }
  static float scale(float) { return 1.0f; }
  static Sum product(Cell a, Cell b) { return a * b; }
  static float value(Sum sum, float, float) { return sum; }
};

struct Bf16 {
  typedef std::uint16_t Cell;
  typedef float Sum;
  static constexpr bool kScaled = false;

  static float range(Index, const float*, Index) { return 0.0f; }

  // The upper half of a float, rounded to nearest even.
  static Cell cell(float x, float) {
    std::uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    bits += 0x7fffu + (bits >> 16 & 1u);
    return static_cast<Cell>(bits >> 16);
  }
  static float scale(float) { return 1.0f; }
  static Sum product(Cell a, Cell b) { return widen(a) * widen(b); }
  static float value(Sum sum, float, float) { return sum; }

 private:
  static float widen(Cell a) {
    const std::uint32_t bits = static_cast<std::uint32_t>(a) << 16;
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
  }
};

struct S8 {
  typedef std::int8_t Cell;
  typedef std::int32_t Sum;
  static constexpr bool kScaled = true;

  // 0 for numbers that count as zero.
  static float range(Index k, const float* x, Index stride) {
    float most = 0.0f;
    for (Index i = 0; i < k; ++i) {
      most = larger_size(most, fabsf(x[i * stride]));
    }
    return most < 0x1p-100f ? 0.0f : most;
  }
  static Cell cell(float x, float range) {
    // NaN and infinity are in the range; the cells beside it must only be numbers.
    const bool counts = range > 0.0f && range <= FLT_MAX;
    return counts ? static_cast<Cell>(nearbyintf(x * (127.0f / range))) : Cell{0};
  }
  static float scale(float range) { return range / 127.0f; }
  static Sum product(Cell a, Cell b) { return Sum{a} * Sum{b}; }
  static float value(Sum sum, float row_scale, float column_scale) {
    return static_cast<float>(sum) * (row_scale * column_scale);
  }
};

}  // namespace
}  // namespace sakedge::cpu
