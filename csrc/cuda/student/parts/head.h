#pragma once

#include "cuda/kernels/args.h"
#include "cuda/student/parts/part.h"
#include "decoder/weights/sources.h"

namespace sakedge::cuda {

// One task's head in device memory. Immutable.
struct HeadPart : Part {
  const Head* head = nullptr;    // there
  const Linear* taps = nullptr;  // its taps, in int8 if `arithmetic` is kS8
  Index width = 0;               // Z, padded
  Index fused = 0;               // F, padded
  Index classes = 0;
  Index linears_width = 0;  // the widest level linear

  static Expected<std::shared_ptr<const HeadPart>> make(std::shared_ptr<Device> device,
                                                        const Geometry& geometry,
                                                        Arithmetic arithmetic,
                                                        const HeadSource& source);
  using Part::Part;
};

}  // namespace sakedge::cuda
