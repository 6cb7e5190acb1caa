#include "cuda/student/geometry.h"

#include <string>

namespace sakedge::cuda {

Expected<Geometry> Geometry::make(StemShape stem, Index heads, Size grid, Size input) {
  if (heads < 1 || stem.channels != heads * kAttentionHead) {
    return Status(Code::kInvalid,
                  "geometry: CUDA computes attention heads of " + std::to_string(kAttentionHead) +
                      " channels, got " + std::to_string(stem.channels) + " channels in " +
                      std::to_string(heads) + " heads; run this student on another backend");
  }
  if (input.height != kPatch * grid.height || input.width != kPatch * grid.width) {
    return Status(Code::kInvalid, "geometry: CUDA cuts patches of " + std::to_string(kPatch) +
                                      " pixels, got a grid of " + grid.text() +
                                      " and an input of " + input.text() +
                                      "; run this student on another backend");
  }
  Expected<sakedge::Geometry> base = sakedge::Geometry::make(std::move(stem), grid, input);
  if (!base.ok()) {
    return base.status();
  }
  return Geometry{{std::move(base).take()}, heads};
}

}  // namespace sakedge::cuda
