#pragma once

#include "cuda/kernels/args.h"
#include "cuda/student/parts/part.h"
#include "decoder/weights/sources.h"

namespace sakedge::cuda {

// One adapter path in device memory. Immutable.
struct AdapterPath : Part {
  const Path* path = nullptr;  // there
  Index width = 0;             // of its bottlenecks, padded
  Index hidden = 0;            // not padded

  static Expected<std::shared_ptr<const AdapterPath>> make(std::shared_ptr<Device> device,
                                                           const Geometry& geometry,
                                                           Arithmetic arithmetic,
                                                           const PathSource& source);
  using Part::Part;
};

}  // namespace sakedge::cuda
