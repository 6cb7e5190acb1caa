#pragma once

#include "cpu/vector/layout.h"

// The matrix product that all arithmetics share.
//
// A panel of `kPanel` columns stays in the first-level cache while it is multiplied with blocks of
// `kRowBlock` rows; a block's sums stay in registers over the whole depth. With 14 x 32 sums
// (AVX-512) a step issues 28 multiply-adds for 14 broadcasts and 2 loads, so loads never limit it
// and prepared rows need no further packing. The outer loops need no blocking: a tile of rows and
// the panel in use fit the second-level cache at every depth that students have.
namespace sakedge::cpu {
namespace {

// What is stored of a product: y = value + bias, its GELU, or y += value + bias.
enum class Finish { kStore, kGelu, kAccumulate };

struct Epilogue {
  const float* bias;  // or null
  float* y;
  Index y_stride;
};

template <Finish F, typename Lanes>
inline void write(const Epilogue& e, float* y, Index column, Vec value, Lanes lanes) {
  if (e.bias != nullptr) {
    value = add(value, load(e.bias + column, lanes));
  }
  if constexpr (F == Finish::kGelu) {
    value = gelu(value);
  } else if constexpr (F == Finish::kAccumulate) {
    value = add(load(y + column, lanes), value);
  }
  store(y + column, value, lanes);
}

// Arithmetics for the innermost loop below. An instruction set may declare, before this file is
// included, a multiply_block for arithmetics that need no broadcast.
template <typename A>
concept ByBroadcast = requires(const char* p) { A::broadcast(p); };

// `Rows` rows times one panel. From `ahead` one cache line is prefetched per step.
template <typename A, Index Rows>
  requires ByBroadcast<A>
inline void multiply_block(const char* rows, Index row_size, const char* panel, Index depth,
                           const char* ahead, typename A::Sum (*sums)[kPanelVectors]) {
  typename A::Sum sum[Rows][kPanelVectors];
  UNROLL for (Index r = 0; r < Rows; ++r) {
    UNROLL for (Index v = 0; v < kPanelVectors; ++v) { sum[r][v] = A::zero(); }
  }
  for (Index word = 0; word < depth; ++word) {
    prefetch(ahead + word * kCacheLine);
    typename A::Operand column[kPanelVectors];
    UNROLL for (Index v = 0; v < kPanelVectors; ++v) {
      column[v] = A::load(panel + (word * kPanel + v * kLanes) * A::kWord);
    }
    UNROLL for (Index r = 0; r < Rows; ++r) {
      const typename A::Operand x = A::broadcast(rows + r * row_size + word * A::kWord);
      UNROLL for (Index v = 0; v < kPanelVectors; ++v) {
        sum[r][v] = A::multiply_add(x, column[v], sum[r][v]);
      }
    }
  }
  UNROLL for (Index r = 0; r < Rows; ++r) {
    UNROLL for (Index v = 0; v < kPanelVectors; ++v) { sums[r][v] = sum[r][v]; }
  }
}

// multiply_block for a number of rows that is known only at run time.
template <typename A, Index Most>
inline void multiply_rows(Index count, const char* rows, Index row_size, const char* panel,
                          Index depth, const char* ahead, typename A::Sum (*sums)[kPanelVectors]) {
  if constexpr (Most > 0) {
    if (count == Most) {
      multiply_block<A, Most>(rows, row_size, panel, depth, ahead, sums);
    } else {
      multiply_rows<A, Most - 1>(count, rows, row_size, panel, depth, ahead, sums);
    }
  }
}

// The results of one block: `count` rows of the panel that begins at column `first` of n.
template <typename A, Finish F>
inline void finish_block(const Epilogue& e, Index row, Index count, Index first, Index n,
                         const char* rows, Index row_size, const char* panel, Index depth,
                         const typename A::Sum (*sums)[kPanelVectors]) {
  const char* scales = panel + depth * kPanel * A::kWord;
  for (Index r = 0; r < count; ++r) {
    float* y = e.y + (row + r) * e.y_stride;
    for (Index v = 0; v < kPanelVectors; ++v) {
      const Index column = first + v * kLanes;
      const Vec value = A::value(sums[r][v], rows + r * row_size, depth, scales, v * kLanes);
      if (column + kLanes <= n) {
        write<F>(e, y, column, value, All{});
      } else if (column < n) {
        write<F>(e, y, column, value, First{n - column});
      }
    }
  }
}

template <typename A, Finish F>
inline void multiply(Index m, Index n, Index k, const void* prepared, const void* packed,
                     const Epilogue& epilogue) {
  const Index depth = words<A>(k);
  const Index row_bytes = row_size<A>(k);
  const Index panel_bytes = panel_size<A>(k);
  const Index blocks = (m + kRowBlock - 1) / kRowBlock;
  for (Index first = 0; first < n; first += kPanel) {
    const char* panel = static_cast<const char*>(packed) + first / kPanel * panel_bytes;
    Index row = 0;
    for (Index block = 0; block < blocks; ++block) {
      // Blocks whose sizes differ by at most one row, rather than full ones and a small last one.
      const Index count = (m - row + blocks - block - 1) / (blocks - block);
      const char* rows = static_cast<const char*>(prepared) + row * row_bytes;
      // A step reads two cache lines of the panel, so two blocks prefetch all of the next panel.
      const char* ahead = panel + panel_bytes + (block & 1) * depth * kCacheLine;
      typename A::Sum sums[kRowBlock][kPanelVectors];
      multiply_rows<A, kRowBlock>(count, rows, row_bytes, panel, depth, ahead, sums);
      finish_block<A, F>(epilogue, row, count, first, n, rows, row_bytes, panel, depth, sums);
      row += count;
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
