#pragma once

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <vector>

#include "core/index.h"

namespace sakedge::calls {

// Floats in row-major order, owned. Sizes and bytes are passed as floats too: all that occur are
// whole numbers below 2^24.
struct Array {
  std::vector<Index> shape;
  std::vector<float> values;
};

using Arrays = std::vector<Array>;

// Bounds of a call, far beyond what tests and measurements need: sizes of an axis, elements of an
// array, rounds; bytes of a kernel's memory; and the multiplications of a call, which take seconds.
inline constexpr Index kMostElements = Index{1} << 24;
inline constexpr Index kMostBytes = Index{1} << 30;
inline constexpr double kMostWork = 0x1p36;

// Inputs of a product, at most (kernel_table.h).
inline constexpr Index kMostInputs = 65536;

// Elements of an array of this shape.
inline Index count(const std::vector<Index>& shape) {
  Index result = 1;
  for (const Index size : shape) {
    result *= size;
  }
  return result;
}

// Whether an array is within the bounds; one without elements may still have long axes.
inline bool is_bounded(const Array& array) {
  return std::all_of(array.shape.begin(), array.shape.end(),
                     [](Index size) { return size <= kMostElements; }) &&
         std::ssize(array.values) <= kMostElements;
}

// Whether so many multiplications are within the bounds.
inline bool is_bounded(std::initializer_list<Index> factors) {
  double work = 1.0;
  for (const Index factor : factors) {
    work *= static_cast<double>(factor);
  }
  return work <= kMostWork;
}

inline bool is_none(const Array& array) { return array.values.empty(); }

inline bool has_shape(const Array& array, std::initializer_list<Index> shape) {
  return array.shape == std::vector<Index>(shape);
}

inline const float* data_or_null(const Array& array) {
  return is_none(array) ? nullptr : array.values.data();
}

}  // namespace sakedge::calls
