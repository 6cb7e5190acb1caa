#pragma once

#include <math.h>

#include "core/index.h"

namespace sakedge::cpu {
namespace {

inline float larger_size(float most, float x) {
  const float size = fabsf(x);
  return most >= size || most != most ? most : size;  // NaN stays
}

float magnitude_f32(Index count, const float* values) {
  float most = 0.0f;
  for (Index i = 0; i < count; ++i) {
    most = larger_size(most, values[i]);
  }
  return most;
}

}  // namespace
}  // namespace sakedge::cpu
