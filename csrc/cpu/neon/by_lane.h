#pragma once

#include "cpu/vector/layout.h"

// Products by instructions that multiply a vector by one lane of another: four words of a row are
// loaded at once and need no broadcasting, which would occupy a vector pipe (Cortex-A76 and A78:
// LD1R uses one).
//
// A step of four words, on a full block of 6 x 16 sums: 6 loads of rows, 16 of columns, 96
// multiply-adds.
namespace sakedge::cpu {
namespace {

// Arithmetics that provide
//   kParts                           operands that a vector of words is split into
//   part<P>(words)                   operand P of a vector of words
//   multiply_add<Lane>(x, column, sum)
template <typename A>
concept ByLane = requires { A::kParts; };

// One word of each row, lane `Lane` of x. `next` is the following column, loaded ahead of its
// use for in-order cores, and so that the compiler can pair two loads; the last word has none.
template <typename A, Index Rows, Index Part, Index Lane, bool Last>
inline void add_word(const typename A::Operand* x, const char* panel, typename A::Operand& next,
                     typename A::Sum (*sum)[kPanelVectors]) {
  UNROLL for (Index v = 0; v < kPanelVectors; ++v) {
    const auto column = next;
    if (!Last || v + 1 < kPanelVectors) {
      next = A::template part<Part>(load_ints(panel + (v + 1) * kLanes * A::kWord));
    }
    UNROLL for (Index r = 0; r < Rows; ++r) {
      sum[r][v] = A::template multiply_add<Lane>(x[r], column, sum[r][v]);
    }
  }
}

template <typename A, Index Rows, Index Part>
inline void add_four_words(const char* rows, Index row_size, const char* panel,
                           typename A::Sum (*sum)[kPanelVectors]) {
  constexpr Index kLine = kPanel * A::kWord;
  typename A::Operand x[Rows];
  typename A::Operand next = A::template part<Part>(load_ints(panel));
  UNROLL for (Index r = 0; r < Rows; ++r) {
    x[r] = A::template part<Part>(load_ints(rows + r * row_size));
  }
  add_word<A, Rows, Part, 0, false>(x, panel, next, sum);
  add_word<A, Rows, Part, 1, false>(x, panel + kLine, next, sum);
  add_word<A, Rows, Part, 2, false>(x, panel + 2 * kLine, next, sum);
  add_word<A, Rows, Part, 3, true>(x, panel + 3 * kLine, next, sum);
}

template <typename A, Index Rows, Index Part>
inline void add_one_word(const char* rows, Index row_size, const char* panel,
                         typename A::Sum (*sum)[kPanelVectors]) {
  typename A::Operand x[Rows];
  UNROLL for (Index r = 0; r < Rows; ++r) {
    x[r] = A::template part<Part>(splat_ints(rows + r * row_size));
  }
  typename A::Operand next = A::template part<Part>(load_ints(panel));
  add_word<A, Rows, Part, 0, true>(x, panel, next, sum);
}

template <typename A, Index Rows>
  requires ByLane<A>
[[gnu::noinline]] void multiply_block(const char* rows, Index row_size, const char* panel,
                                      Index depth, const char* ahead,
                                      typename A::Sum (*sums)[kPanelVectors]) {
  typename A::Sum sum[Rows][kPanelVectors];
  UNROLL for (Index r = 0; r < Rows; ++r) {
    UNROLL for (Index v = 0; v < kPanelVectors; ++v) { sum[r][v] = A::zero(); }
  }
  const Index whole = depth / 4 * 4;
  for (Index word = 0; word < whole; word += 4) {
    UNROLL for (Index i = 0; i < 4; ++i) { prefetch(ahead + (word + i) * kCacheLine); }
    const char* x = rows + word * A::kWord;
    const char* columns = panel + word * kPanel * A::kWord;
    add_four_words<A, Rows, 0>(x, row_size, columns, sum);
    if constexpr (A::kParts == 2) {
      add_four_words<A, Rows, 1>(x, row_size, columns, sum);
    }
  }
  for (Index word = whole; word < depth; ++word) {
    const char* x = rows + word * A::kWord;
    const char* columns = panel + word * kPanel * A::kWord;
    add_one_word<A, Rows, 0>(x, row_size, columns, sum);
    if constexpr (A::kParts == 2) {
      add_one_word<A, Rows, 1>(x, row_size, columns, sum);
    }
  }
  UNROLL for (Index r = 0; r < Rows; ++r) {
    UNROLL for (Index v = 0; v < kPanelVectors; ++v) { sums[r][v] = sum[r][v]; }
  }
}

}  // namespace
}  // namespace sakedge::cpu
