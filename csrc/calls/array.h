#pragma once

#include <initializer_list>
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

// Elements of an array of this shape.
inline Index count(const std::vector<Index>& shape) {
  Index result = 1;
  for (const Index size : shape) {
    result *= size;
  }
  return result;
}

inline bool is_none(const Array& array) { return array.values.empty(); }

inline bool has_shape(const Array& array, std::initializer_list<Index> shape) {
  return array.shape == std::vector<Index>(shape);
}

inline const float* data_or_null(const Array& array) {
  return is_none(array) ? nullptr : array.values.data();
}

}  // namespace sakedge::calls
