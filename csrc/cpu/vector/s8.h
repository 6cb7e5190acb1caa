#pragma once

#include <float.h>
#include <math.h>

#include "cpu/vector/layout.h"
#include "cpu/vector/magnitude.h"

namespace sakedge::cpu {
namespace {

// Symmetric int8 with one scale per row and column; kernel_table.h gives the rule, which no
// instruction set may round differently.
//
// `Dot` provides Cell (the type that stores a quantised number of a row), Weight (likewise of the
// matrix), kStep, kOffset (added to the numbers of a row), Operand, load, broadcast, multiply_add
// on Ints, and store(out, x), which stores a vector of integers as cells.
template <typename Dot>
struct S8 : Dot {
  typedef typename Dot::Cell Cell;
  typedef Ints Sum;
  using Dot::kOffset;
  using Dot::kStep;
  static constexpr Index kWord = kStep * sizeof(Cell);
  static constexpr Index kRowExtra = sizeof(float);
  static constexpr Index kColumnExtra = sizeof(float) + sizeof(std::int32_t);

  static Sum zero() { return to_nearest(splat(0.0f)); }

  // scales: [kPanel] column scales, then [kPanel] excesses that the row's offset added to the sums.
  static Vec value(Sum sum, const char* row, Index depth, const char* scales, Index column) {
    const float row_scale = *reinterpret_cast<const float*>(row + row_tail<S8>(depth));
    const float* column_scales = reinterpret_cast<const float*>(scales) + column;
    const Ints excess = load_ints(column_scales + kPanel);
    return mul(to_float(sub_ints(sum, excess)), mul(splat(row_scale), cpu::load(column_scales)));
  }

  static void prepare(Index k, const float* x, char* row) {
    const float range = magnitude_f32(k, x);
    const Vec factor = splat(range < kSmallest ? 0.0f : 127.0f / range);
    Cell* out = reinterpret_cast<Cell*>(row);
    for_vectors(k, [&](Index i, auto lanes) {
      Dot::store(out + i, to_nearest(mul(cpu::load(x + i, lanes), factor)));
    });
    const Index depth = words<S8>(k);
    *reinterpret_cast<float*>(row + row_tail<S8>(depth)) =
        range < kSmallest ? 0.0f : range / 127.0f;
  }

  static void pack_column(Index k, const float* source, Index stride, const float* scale,
                          Index depth, char* panel, Index column) {
    float range = scale == nullptr ? 0.0f : 127.0f;
    for (Index i = 0; i < k && scale == nullptr; ++i) {
      const float size = fabsf(source[i * stride]);
      range = range >= size || range != range ? range : size;  // NaN stays
    }
    // NaN and infinity are in the scale; the cells beside it must only be numbers.
    const bool counts = range >= kSmallest && range <= FLT_MAX;
    const float factor = 127.0f / range;
    const float unit = range < kSmallest ? 0.0f : range / 127.0f;
    typename Dot::Weight* cells = reinterpret_cast<typename Dot::Weight*>(panel) + kStep * column;
    std::int32_t total = 0;
    for (Index i = 0; i < kStep * depth; ++i) {
      const float rounded = counts && i < k ? nearbyintf(source[i * stride] * factor) : 0.0f;
      const auto q = static_cast<typename Dot::Weight>(rounded);
      cells[i / kStep * kStep * kPanel + i % kStep] = q;
      total += q;
    }
    float* scales = reinterpret_cast<float*>(panel + depth * kPanel * kWord) + column;
    scales[0] = scale == nullptr ? unit : *scale;
    *reinterpret_cast<std::int32_t*>(scales + kPanel) = kOffset * total;
  }

 private:
  static constexpr float kSmallest = 0x1p-100f;
};

}  // namespace
}  // namespace sakedge::cpu
