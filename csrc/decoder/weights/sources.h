#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/view.h"

// Weights as they lie in a student file: borrowed, dense, only while they are packed.
namespace sakedge {

using Vector = std::span<const float>;

// A matrix of floats, or of integers from -127 to 127 in units of a scale for each output channel.
struct WeightSource {
  Index rows = 0;
  Index columns = 0;
  const float* floats = nullptr;
  const std::int8_t* integers = nullptr;  // where there are no floats
  Vector scales;                          // with integers: one for each output channel

  bool is_quantised() const { return integers != nullptr; }
  float at(Index i) const { return is_quantised() ? static_cast<float>(integers[i]) : floats[i]; }
};

struct LinearSource {
  WeightSource weight;  // [in, out]
  Vector bias;          // [out]
};

struct NormSource {
  Vector gamma;
  Vector beta;
};

struct AdapterSource {
  LinearSource down;
  LinearSource up;
};

struct PathSource {
  std::vector<AdapterSource> blocks;  // D + 1
  std::vector<NormSource> norms;      // one per level
};

struct GateSource {
  View<const float> weight;  // [R, 1 + T]
  Vector bias;               // [1 + T]
};

struct RouterLevelSource {
  LinearSource hidden;  // [C, R]
  NormSource norm;      // [R]
  GateSource gate;
};

struct HeadSource {
  std::vector<LinearSource> linears;  // one per level, [C, Cq]
  WeightSource fuse;                  // [F, sum of Cq * 9]: kernels of 3 x 3; scales [F]
  Vector fuse_bias;                   // [F]
  View<const float> last;             // [classes, F]
  Vector last_bias;                   // [classes]
};

}  // namespace sakedge
