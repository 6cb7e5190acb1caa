#pragma once

#include <math.h>

#include "cpu/generic/scalar.h"

namespace sakedge::cpu {
namespace {

float magnitude_f32(Index count, const float* values) {
  float most = 0.0f;
  for (Index i = 0; i < count; ++i) {
    most = larger_size(most, fabsf(values[i]));
  }
  return most;
}

}  // namespace
}  // namespace sakedge::cpu
