#pragma once

#include <memory>
#include <vector>

#include "decoder/geometry.h"
#include "decoder/weights/linear.h"

namespace sakedge {

// The routers of one task, one per level, packed. Immutable.
struct Router {
  // What it computes of each token: nearly all of its weights.
  struct Hidden {
    Linear linear;
    Norm norm;
  };
  struct Level {
    std::shared_ptr<const Hidden> hidden;  // shared by routers that differ in their gates alone
    std::vector<float> gate;               // [R, 1 + T]; runs once per image, so it stays as it is
    std::vector<float> gate_bias;
  };

  Arithmetic arithmetic = Arithmetic::kF32;
  StemShape stem;
  std::vector<Level> levels;
  Index hidden = 0;  // the widest R

  Index experts() const { return static_cast<Index>(levels.front().gate_bias.size()); }

  static Expected<std::shared_ptr<const Router>> pack(const cpu::KernelTable& kernels,
                                                      Arithmetic arithmetic,
                                                      const Geometry& geometry,
                                                      const std::vector<RouterLevelSource>& source);

  // The same router with another gate at each level, which may weigh another number of experts.
  static Expected<std::shared_ptr<const Router>> regated(const Router& base,
                                                         const std::vector<GateSource>& gates);

  // Expert weights [1 + T] of `level` from the sum over all tokens of its hidden layer: the last
  // linear commutes with the mean over tokens. Softmax over the experts that are `present` (the
  // stem, number 0, always is); the others get 0.
  void weigh(Index level, const double* hidden_sum, Index tokens, const std::vector<bool>& present,
             float* weights) const;
};

// kInvalid unless the sizes fit each other and the geometry; gates, hidden layers of these widths.
Status check(const std::vector<RouterLevelSource>& source, const Geometry& geometry);
Status check(const std::vector<GateSource>& gates, const std::vector<Index>& hidden);

}  // namespace sakedge
