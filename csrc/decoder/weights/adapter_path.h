#pragma once

#include <memory>
#include <vector>

#include "decoder/geometry.h"
#include "decoder/weights/linear.h"

namespace sakedge {

// One adapter path, packed: a chain of D + 1 adapters and one norm per level. Immutable, so that
// any number of runs may share it while it is exchanged.
struct AdapterPath {
  struct Adapter {
    Linear down;
    Linear up;
  };

  Arithmetic arithmetic = Arithmetic::kF32;
  StemShape stem;
  std::vector<Adapter> blocks;
  std::vector<Norm> norms;
  Index hidden = 0;  // the widest bottleneck

  static Expected<std::shared_ptr<const AdapterPath>> pack(const cpu::KernelTable& kernels,
                                                           Arithmetic arithmetic,
                                                           const Geometry& geometry,
                                                           const PathSource& source);
};

// kInvalid unless the sizes fit each other and the geometry.
Status check(const PathSource& source, const Geometry& geometry);

}  // namespace sakedge
