#pragma once

#include <vector>

#include "decoder/pass/adapter.h"

namespace sakedge {

// Adapter paths, mixtures and the heads' level linears, into the workspace's level rows: a tile of
// tokens goes through the whole depth at once (docs/algebra.md, section 2).
class MixStage {
 public:
  // Reserves the memory for the level rows.
  explicit MixStage(const Pass& pass);

  Index scratch_size() const;  // bytes
  void run() const;

 private:
  struct Scratch {
    float* residuals;    // [chains][tile, C]
    float* normed;       // [chains][tile, C]
    float* mixed;        // [tile, C]
    float* levels;       // [tasks][tile, Z]
    std::byte* rows;     // [tile] of C or Z, prepared
    std::byte* adapter;  // the kernel's own
  };

  Scratch scratch(Carver& carver) const;
  void tile(Index first, Index m, const std::vector<Chain>& running, int worker) const;
  void project(Index first, Index m, Index level, const std::vector<Chain>& running,
               const Scratch& memory) const;

  const Pass& pass_;
};

}  // namespace sakedge
