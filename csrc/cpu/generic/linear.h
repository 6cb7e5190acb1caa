#pragma once

#include "cpu/generic/arithmetic.h"
#include "cpu/generic/float4.h"

// Matrix products over packed weights.
//
// Layout: a prepared row is its scale, alone in a cache line, then its cells. A packed matrix is
// the columns' scales, then columns in panels of 8, the last one padded with zeros; a panel is
// [k][8], so that the inner loop reads it from first to last.
namespace sakedge::cpu {
namespace {

constexpr Index kPanel = 8;
constexpr Index kRows = 4;  // 4 x 8 sums fill half of SSE2's 16 registers and leave room to load
constexpr Index kLine = 64;

constexpr Index whole_lines(Index bytes) { return (bytes + kLine - 1) / kLine * kLine; }

constexpr Index whole_panels(Index n) { return (n + kPanel - 1) / kPanel * kPanel; }

inline Index scales_size(Index n) {
  return whole_lines(whole_panels(n) * static_cast<Index>(sizeof(float)));
}

template <typename A>
Index packed_size(Index k, Index n) {
  return scales_size(n) +
         whole_lines(whole_panels(n) * k * static_cast<Index>(sizeof(typename A::Cell)));
}

// A source that is quantised already has whole numbers, whose cells are what they are times `unit`
// in floats, and themselves in integers.
template <typename A>
void pack(const PackArgs& args) {
  typedef typename A::Cell Cell;
  float* scales = static_cast<float*>(args.packed);
  Cell* cells = reinterpret_cast<Cell*>(static_cast<char*>(args.packed) + scales_size(args.n));
  for (Index column = 0; column < whole_panels(args.n); ++column) {
    const bool inside = column < args.n;
    const bool quantised = inside && args.scales != nullptr;
    const float* source = args.source + (inside ? column * args.n_stride : 0);
    const float range = quantised ? 127.0f
                        : inside  ? A::range(args.k, source, args.k_stride)
                                  : 0.0f;
    const float unit = quantised && !A::kScaled ? args.scales[column] : 1.0f;
    Cell* panel = cells + column / kPanel * kPanel * args.k + column % kPanel;
    for (Index i = 0; i < args.k; ++i) {
      panel[i * kPanel] = inside ? A::cell(source[i * args.k_stride] * unit, range) : Cell{0};
    }
    scales[column] = quantised ? args.scales[column] : A::scale(range);
  }
}

template <typename A>
Index row_size(Index k) {
  return kLine + whole_lines(k * static_cast<Index>(sizeof(typename A::Cell)));
}

template <typename A>
void prepare(const PrepareArgs& args) {
  for (Index row = 0; row < args.m; ++row) {
    const float* x = args.x + row * args.x_stride;
    char* out = static_cast<char*>(args.rows) + row * row_size<A>(args.k);
    const float range = A::range(args.k, x, 1);
    *reinterpret_cast<float*>(out) = A::scale(range);
    typename A::Cell* cells = reinterpret_cast<typename A::Cell*>(out + kLine);
    for (Index i = 0; i < args.k; ++i) {
      cells[i] = A::cell(x[i], range);
    }
  }
}

// sums[r][j] of `Rows` rows and one panel.
template <typename A, Index Rows>
inline void multiply(Index k, const char* rows, const typename A::Cell* panel,
                     typename A::Sum (*sums)[kPanel]) {
  for (Index r = 0; r < Rows; ++r) {
    const auto* x = reinterpret_cast<const typename A::Cell*>(rows + r * row_size<A>(k) + kLine);
    typename A::Sum total[kPanel] = {};
    for (Index i = 0; i < k; ++i) {
      for (Index j = 0; j < kPanel; ++j) {
        total[j] += A::product(x[i], panel[i * kPanel + j]);
      }
    }
    for (Index j = 0; j < kPanel; ++j) {
      sums[r][j] = total[j];
    }
  }
}

// float32 with explicit vectors: these kernels also run on CPUs without a better instruction set.
template <Index Rows>
inline void multiply_f32(Index k, const char* rows, const float* panel, float (*sums)[kPanel]) {
  const Index stride = row_size<F32>(k) / static_cast<Index>(sizeof(float));
  const float* x = reinterpret_cast<const float*>(rows + kLine);
  Float4 left[Rows];
  Float4 right[Rows];
  for (Index r = 0; r < Rows; ++r) {
    left[r] = right[r] = splat4(0.0f);
  }
  for (Index i = 0; i < k; ++i) {
    const Float4 w_left = load4(panel + i * kPanel);
    const Float4 w_right = load4(panel + i * kPanel + 4);
    for (Index r = 0; r < Rows; ++r) {
      const Float4 value = splat4(x[r * stride + i]);
      left[r] = multiply_add(value, w_left, left[r]);
      right[r] = multiply_add(value, w_right, right[r]);
    }
  }
  for (Index r = 0; r < Rows; ++r) {
    store4(sums[r], left[r]);
    store4(sums[r] + 4, right[r]);
  }
}

template <>
inline void multiply<F32, 1>(Index k, const char* rows, const float* panel, float (*sums)[kPanel]) {
  multiply_f32<1>(k, rows, panel, sums);
}

template <>
inline void multiply<F32, kRows>(Index k, const char* rows, const float* panel,
                                 float (*sums)[kPanel]) {
  multiply_f32<kRows>(k, rows, panel, sums);
}

// y of `Rows` rows and one panel.
template <typename A, Index Rows>
inline void linear_block(const LinearArgs& args, Index row, Index column) {
  const char* rows = static_cast<const char*>(args.rows) + row * row_size<A>(args.k);
  const float* scales = static_cast<const float*>(args.packed) + column;
  const auto* cells = reinterpret_cast<const typename A::Cell*>(
      static_cast<const char*>(args.packed) + scales_size(args.n));
  typename A::Sum sums[Rows][kPanel];
  multiply<A, Rows>(args.k, rows, cells + column * args.k, sums);
  const Index width = args.n - column < kPanel ? args.n - column : kPanel;
  for (Index r = 0; r < Rows; ++r) {
    const float scale = *reinterpret_cast<const float*>(rows + r * row_size<A>(args.k));
    float* y = args.y + (row + r) * args.y_stride + column;
    for (Index j = 0; j < width; ++j) {
      float value = A::value(sums[r][j], scale, scales[j]);
      value = args.bias == nullptr ? value : value + args.bias[column + j];
      y[j] = args.accumulate ? y[j] + value : value;
    }
  }
}

// Panels in the outer loop: one stays in the first-level cache while all rows are multiplied.
template <typename A>
void linear(const LinearArgs& args) {
  for (Index column = 0; column < args.n; column += kPanel) {
    Index row = 0;
    for (; row + kRows <= args.m; row += kRows) {
      linear_block<A, kRows>(args, row, column);
    }
    for (; row < args.m; ++row) {
      linear_block<A, 1>(args, row, column);
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
