#pragma once

#include "cpu/vector/lanes.h"

namespace sakedge::cpu {
namespace {

float magnitude_f32(Index count, const float* values) {
  Vec most = splat(0.0f);
  for_vectors(count, [&](Index i, auto lanes) {
    most = larger_size(most, absolute(load(values + i, lanes)));
  });
  return largest_size(most);
}

}  // namespace
}  // namespace sakedge::cpu
