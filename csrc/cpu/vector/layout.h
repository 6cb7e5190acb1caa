#pragma once

#include <string.h>

#include "cpu/kernel_table.h"
#include "cpu/vector/lanes.h"

// Layouts of prepared rows and packed matrices.
//
// Both consist of *words*, each of `A::kStep` neighbouring elements along k. A word usually has 32
// bits (one float, two bfloat16, two int16 or four int8), and a product multiplies a broadcast word
// of a row with a vector of words, one of each column. Instructions that sum more than 32 bits of
// elements along k into one result take longer words.
//
//   row     words of one row, the last one padded with zeros; from the next cache line on
//           A::kRowExtra bytes (the row's scale). An odd number of cache lines, so that the rows
//           of a block do not compete for the same set of the first-level cache.
//   packed  panels of kPanel columns, the last one padded with zeros: [words][kPanel] words, then
//           A::kColumnExtra bytes for each column (its scale).
//
// An arithmetic `A` is F32, Bf16 or S8 of this folder over an instruction set's dot product:
//   kStep, kWord (bytes of a word), kRowExtra, kColumnExtra
//   Operand, Sum, zero(), load(p), broadcast(p), multiply_add(x, column, sum); others where the
//   instruction set has its own multiply_block (gemm.h)
//   value(sum, row, depth, scales, column)                 the product as a float
//   prepare(k, x, row)                                     a row
//   pack_column(k, source, stride, scale, depth, panel, column)   a column of a panel; scale is
//                                                          null for a source of plain numbers
namespace sakedge::cpu {
namespace {

constexpr Index kCacheLine = 64;
constexpr Index kPanel = kPanelVectors * kLanes;

constexpr Index round_up(Index value, Index step) { return (value + step - 1) / step * step; }

// Loads 32-bit words; base of the dot products that take them a vector at a time.
struct WordOperands {
  typedef Ints Operand;

  static Operand load(const char* p) { return load_ints(p); }
  static Operand broadcast(const char* p) { return splat_ints(p); }
};

template <typename A>
constexpr Index words(Index k) {
  return (k + A::kStep - 1) / A::kStep;
}

template <typename A>
constexpr Index panel_size(Index k) {
  return round_up(words<A>(k) * kPanel * A::kWord + kPanel * A::kColumnExtra, kCacheLine);
}

template <typename A>
Index packed_size(Index k, Index n) {
  return (n + kPanel - 1) / kPanel * panel_size<A>(k);
}

// Offset of the bytes that follow the words of a row.
template <typename A>
constexpr Index row_tail(Index depth) {
  return round_up(depth * A::kWord, kCacheLine);
}

template <typename A>
Index row_size(Index k) {
  const Index bytes = round_up(row_tail<A>(words<A>(k)) + A::kRowExtra, kCacheLine);
  return bytes / kCacheLine % 2 == 0 ? bytes + kCacheLine : bytes;
}

template <typename A>
void prepare(const PrepareArgs& args) {
  char* row = static_cast<char*>(args.rows);
  for (Index i = 0; i < args.m; ++i) {
    if constexpr (A::kStep > kLanes) {  // the last vector may not reach the end of the last word
      const Index whole = args.k / A::kStep;
      memset(row + whole * A::kWord, 0, args.k % A::kStep == 0 ? 0 : A::kWord);
    }
    A::prepare(args.k, args.x + i * args.x_stride, row);
    row += row_size<A>(args.k);
  }
}

template <typename A>
void pack(const PackArgs& args) {
  char* panel = static_cast<char*>(args.packed);
  const Index depth = words<A>(args.k);
  for (Index first = 0; first < args.n; first += kPanel) {
    for (Index j = 0; j < kPanel; ++j) {
      const bool inside = first + j < args.n;
      const Index n = inside ? first + j : 0;
      const float* scale = args.scales == nullptr ? nullptr : args.scales + n;
      A::pack_column(inside ? args.k : 0, args.source + n * args.n_stride, args.k_stride, scale,
                     depth, panel, j);
    }
    panel += panel_size<A>(args.k);
  }
}

}  // namespace
}  // namespace sakedge::cpu
