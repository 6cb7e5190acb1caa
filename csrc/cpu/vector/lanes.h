#pragma once

#include "core/index.h"

// The kernels of this folder are written once, in terms of a vector of floats. An instruction set
// provides, in <isa>/vec.h, which its dot.h includes before anything of this folder:
//
//   UNROLL             before a loop of a constant number of steps
//   Vec, Ints          kLanes floats; as many int32
//   kPanelVectors, kRowBlock   sums of a product that stay in registers: rows x vectors
//   splat, load, store, load_first, store_first, keep_first
//   add, sub, mul, div, square_root, multiply_add, absolute
//   larger, smaller    if the second is NaN, so is the result
//   larger_size        of two magnitudes; NaN if either is
//   if_greater, lookup (lanes by their numbers), power_of_two
//   sum, largest_size  of all lanes;  sums: of kLanes vectors, one lane each
//   prefetch
//   load_ints, splat_ints, add_ints, sub_ints, to_float, to_nearest (ties to even)
//   lower_bf16, upper_bf16, store_bf16
// and, in <isa>/dot.h, which comes before the kernels of this folder:
//
//   gelu(Vec)          its own or that of rational_gelu.h
//   Own                the products that it has (products.h): its instructions for bfloat16 or
//                      int8, with an innermost loop of their own where that of multiply.h does not
//                      fit; otherwise bf16.h and madd.h, which requires add_pairs and store_s16
// Everything is in an unnamed namespace: each instruction set compiles its own copy.
namespace sakedge::cpu {
namespace {

// The lanes of a vector that a loop's step works on: all, or the first `count` < kLanes.
struct All {};
struct First {
  Index count;
};

inline Vec load(const float* p, All) { return load(p); }
inline Vec load(const float* p, First lanes) { return load_first(p, lanes.count); }
inline void store(float* p, Vec x, All) { store(p, x); }
inline void store(float* p, Vec x, First lanes) { store_first(p, x, lanes.count); }

// A masked store of all lanes takes AMD's AVX2 units 20 times as long as a plain one.
inline void put(float* out, Vec x, Index count) {
  if (count == kLanes) {
    store(out, x);
  } else {
    store_first(out, x, count);
  }
}

inline Vec keep(Vec x, All) { return x; }
inline Vec keep(Vec x, First lanes) { return keep_first(x, lanes.count); }

// Calls body(i, lanes) for every vector of `count` floats; the last one may be partial.
template <typename Body>
inline void for_vectors(Index count, const Body& body) {
  Index i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    body(i, All{});
  }
  if (i < count) {
    body(i, First{count - i});
  }
}

}  // namespace
}  // namespace sakedge::cpu
