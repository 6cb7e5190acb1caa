#pragma once

#include <utility>

#include "core/status.h"
#include "decoder/geometry.h"

namespace sakedge::cuda {

// Edge of a patch in pixels, channels of an attention head: what the kernels are written for.
inline constexpr Index kPatch = 16;
inline constexpr Index kAttentionHead = 64;

// Sizes of a whole student.
struct Geometry : sakedge::Geometry {
  Index heads = 0;  // of the stem's attention

  // Fails with kInvalid as the decoder's does, and for what the kernels do not compute.
  static Expected<Geometry> make(StemShape stem, Index heads, Size grid, Size input);

  Index pixels() const { return 3 * kPatch * kPatch; }  // of a patch
  // The last stage that anything reads: later blocks are not computed.
  Index last_stage() const { return stage(level_count() - 1); }
};

}  // namespace sakedge::cuda
