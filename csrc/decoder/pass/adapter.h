#pragma once

#include <vector>

#include "decoder/pass/pass.h"

namespace sakedge {

// An adapter path that has to run for an image, and how far.
struct Chain {
  Index adapter;
  const AdapterPath* path;
  Index last_stage;  // index of the x where it ends

  // Carries m tokens from the level before `level` to it: their residuals r [m, C], and these
  // normalised. Neither changes once the chain has ended. `scratch` is adapter_scratch() bytes.
  void advance(const Pass& pass, Index level, Index first, Index m, float* r, float* normed,
               std::byte* scratch) const;
};

// The paths that contribute: one that adds nothing to any task at a level and all later ones is not
// run from there on (docs/algebra.md, section 4).
std::vector<Chain> chains(const Pass& pass);

// Bytes that advancing a tile takes, whichever of the snapshot's paths it is.
Index chain_scratch(const Pass& pass);

}  // namespace sakedge
