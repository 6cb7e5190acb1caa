#pragma once

#include <math.h>

#include "core/index.h"

// The operations of vector/lanes.h that kinds.h asks for, on one lane.
#define UNROLL

namespace sakedge::cpu {
namespace {

typedef float Vec;
constexpr Index kLanes = 1;

inline Vec splat(float x) { return x; }
inline Vec add(Vec a, Vec b) { return a + b; }
inline Vec sub(Vec a, Vec b) { return a - b; }
inline Vec div(Vec a, Vec b) { return a / b; }
inline Vec multiply_add(Vec a, Vec b, Vec sum) { return a * b + sum; }
inline Vec square_root(Vec x) { return sqrtf(x); }
inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }
// Of two magnitudes; NaN if either is.
inline Vec larger_size(Vec a, Vec b) { return a >= b || a != a ? a : b; }
inline Vec if_greater(Vec a, Vec b, Vec yes, Vec no) { return a > b ? yes : no; }
inline Vec sigmoid(Vec x) { return 1.0f / (1.0f + expf(-x)); }
inline void store(float* out, Vec x) { *out = x; }
inline void put(float* out, Vec x, Index) { *out = x; }

}  // namespace
}  // namespace sakedge::cpu
