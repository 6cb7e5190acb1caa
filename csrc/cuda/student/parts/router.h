#pragma once

#include <vector>

#include "cuda/kernels/args.h"
#include "cuda/student/parts/part.h"
#include "decoder/weights/sources.h"

namespace sakedge::cuda {

// The routers of one task, one per level, in device memory. Immutable. Its own memory holds the
// gates; the hidden layers, nearly all of the weights, are shared by routers that differ in their
// gates alone.
struct Router : Part {
  struct Hidden {
    DeviceMemory memory;
    std::vector<RouterLevel> levels;  // without gates
    Index width = 0;                  // the widest
    std::vector<Index> widths;
  };

  const RouterLevel* levels = nullptr;  // in device memory, as many as the geometry has
  std::shared_ptr<const Hidden> hidden;
  Index experts = 0;

  static Expected<std::shared_ptr<const Router>> make(std::shared_ptr<Device> device,
                                                      const Geometry& geometry,
                                                      Arithmetic arithmetic,
                                                      const std::vector<RouterLevelSource>& source);

  // The same router with another gate at each level, which may weigh another number of experts.
  static Expected<std::shared_ptr<const Router>> regated(const Router& base,
                                                         const std::vector<GateSource>& gates);
  using Part::Part;
};

}  // namespace sakedge::cuda
