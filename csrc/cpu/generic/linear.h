#pragma once

#include "cpu/generic/float4.h"
#include "cpu/kernel_table.h"

// Matrix products over packed weights.
//
// Layout: columns in panels of 8, the last one filled with zeros; a panel is [k][8], so that the
// inner loop reads it from first to last.
namespace sakedge::cpu {
namespace {

constexpr Index kPanel = 8;
constexpr Index kRows = 4;  // 4 x 8 sums fill half of SSE2's 16 registers and leave room to load

Index packed_size_f32(Index k, Index n) { return (n + kPanel - 1) / kPanel * kPanel * k; }

void pack_f32(Index k, Index n, const float* source, Index k_stride, Index n_stride,
              float* packed) {
  for (Index first = 0; first < n; first += kPanel) {
    const Index width = n - first < kPanel ? n - first : kPanel;
    const float* column = source + first * n_stride;
    for (Index i = 0; i < k; ++i) {
      for (Index j = 0; j < kPanel; ++j) {
        packed[j] = j < width ? column[i * k_stride + j * n_stride] : 0.0f;
      }
      packed += kPanel;
    }
  }
}

// One panel for `Rows` rows.
template <Index Rows>
inline void linear_block(const LinearArgs& args, Index row, Index column, const float* panel) {
  const float* x = args.x + row * args.x_stride;
  Float4 left[Rows];
  Float4 right[Rows];
  for (Index i = 0; i < Rows; ++i) {
    left[i] = right[i] = splat(0.0f);
  }
  for (Index k = 0; k < args.k; ++k) {
    const Float4 w_left = load4(panel + k * kPanel);
    const Float4 w_right = load4(panel + k * kPanel + 4);
    for (Index i = 0; i < Rows; ++i) {
      const Float4 value = splat(x[i * args.x_stride + k]);
      left[i] = multiply_add(value, w_left, left[i]);
      right[i] = multiply_add(value, w_right, right[i]);
    }
  }
  const Index width = args.n - column < kPanel ? args.n - column : kPanel;
  for (Index i = 0; i < Rows; ++i) {
    float sum[kPanel];
    store4(sum, left[i]);
    store4(sum + 4, right[i]);
    float* y = args.y + (row + i) * args.y_stride + column;
    for (Index j = 0; j < width; ++j) {
      const float value = args.bias == nullptr ? sum[j] : sum[j] + args.bias[column + j];
      y[j] = args.accumulate ? y[j] + value : value;
    }
  }
}

// Panels outside: one stays in the first-level cache while all rows pass.
void linear_f32(const LinearArgs& args) {
  for (Index column = 0; column < args.n; column += kPanel) {
    const float* panel = args.packed + column * args.k;
    Index row = 0;
    for (; row + kRows <= args.m; row += kRows) {
      linear_block<kRows>(args, row, column, panel);
    }
    for (; row < args.m; ++row) {
      linear_block<1>(args, row, column, panel);
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
