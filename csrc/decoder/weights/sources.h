#pragma once

#include <span>
#include <vector>

#include "core/view.h"

// Weights as they lie in a student file: borrowed float32, dense, only while they are packed.
namespace sakedge {

using Vector = std::span<const float>;

struct LinearSource {
  View<const float> weight;  // [in, out]
  Vector bias;               // [out]
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

struct RouterLevelSource {
  LinearSource hidden;  // [C, R]
  NormSource norm;      // [R]
  LinearSource gate;    // [R, 1 + T]
};

struct HeadSource {
  std::vector<LinearSource> linears;  // one per level, [C, Cq]
  View<const float> fuse;             // [F, sum of Cq * 9]: kernels of 3 x 3, dense
  Vector fuse_bias;                   // [F]
  View<const float> last;             // [classes, F]
  Vector last_bias;                   // [classes]
};

}  // namespace sakedge
