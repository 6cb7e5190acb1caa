#pragma once

#include "cpu/vector/layout.h"

// Products by instructions that sum more than 32 bits of elements along k. A register of words then
// covers fewer than four columns, and a register of sums belongs to a *tile* of
// kTileRows x kTileColumns results: 2 x 2 where the instruction multiplies small matrices, 1 x 1
// where it leaves four partial sums to be added at the end. A panel is processed in groups of
// columns whose sums take as many registers as the kRowBlock x kPanelVectors sums of vec.h.
namespace sakedge::cpu {
namespace {

// Arithmetics that provide
//   kTileRows, kTileColumns
//   rows(p, q)             one word of each row of a tile; only p's if a tile has one row
//   columns(p)             one word of each column of a tile
//   multiply_add(x, column, sum)
//   totals<R>(sums)        row R of as many neighbouring tiles as have kLanes columns
template <typename A>
concept ByTile = requires { A::kTileRows; };

template <typename A, Index Rows>
  requires ByTile<A>
[[gnu::noinline]] void multiply_block(const char* rows, Index row_size, const char* panel,
                                      Index depth, const char* ahead,
                                      typename A::Sum (*sums)[kPanelVectors]) {
  constexpr Index kTiles = (Rows + A::kTileRows - 1) / A::kTileRows;
  constexpr Index kGroup = kPanel * A::kTileRows * A::kTileColumns / kLanes;
  constexpr Index kAcross = kGroup / A::kTileColumns;
  for (Index first = 0; first < kPanel; first += kGroup) {
    typename A::Sum sum[kTiles][kAcross];
    UNROLL for (Index t = 0; t < kTiles; ++t) {
      UNROLL for (Index c = 0; c < kAcross; ++c) { sum[t][c] = A::zero(); }
    }
    for (Index word = 0; word < depth; ++word) {
      prefetch(ahead + (first / kGroup * depth + word) * kCacheLine);
      typename A::Operand x[kTiles];
      UNROLL for (Index t = 0; t < kTiles; ++t) {
        const Index second = A::kTileRows * t + 1 < Rows ? row_size : 0;  // else the last row twice
        const char* row = rows + A::kTileRows * t * row_size + word * A::kWord;
        x[t] = A::rows(row, row + second);
      }
      UNROLL for (Index c = 0; c < kAcross; ++c) {
        const Index column = first + c * A::kTileColumns;
        const auto columns = A::columns(panel + (word * kPanel + column) * A::kWord);
        UNROLL for (Index t = 0; t < kTiles; ++t) {
          sum[t][c] = A::multiply_add(x[t], columns, sum[t][c]);
        }
      }
    }
    UNROLL for (Index t = 0; t < kTiles; ++t) {
      UNROLL for (Index v = 0; v < kGroup / kLanes; ++v) {
        const typename A::Sum* tiles = sum[t] + v * kLanes / A::kTileColumns;
        const Index vector = first / kLanes + v;
        sums[A::kTileRows * t][vector] = A::template totals<0>(tiles);
        if constexpr (A::kTileRows == 2) {
          if (2 * t + 1 < Rows) {
            sums[2 * t + 1][vector] = A::template totals<1>(tiles);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
