#pragma once

#include "cpu/vector/lanes.h"

namespace sakedge::cpu {
namespace {

void gelu_f32(Index count, float* values) {
  for_vectors(
      count, [&](Index i, auto lanes) { store(values + i, gelu(load(values + i, lanes)), lanes); });
}

}  // namespace
}  // namespace sakedge::cpu
