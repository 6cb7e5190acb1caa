#pragma once

#include "decoder/pass/pass.h"

namespace sakedge {

// Expert weights of every task and level, from the stem alone (docs/algebra.md, section 3).
class RouterStage {
 public:
  // Reserves the memory for the partial sums.
  explicit RouterStage(const Pass& pass);

  Index scratch_size() const;  // bytes
  void run() const;

 private:
  struct Scratch {
    std::byte* rows;  // x, prepared
    float* hidden;
  };

  Scratch scratch(Carver& carver) const;
  void tile(Index level, Index tile, int worker) const;
  float* partial_sum(Index level, Index task, Index tile) const;
  void weigh(Index task, Index level) const;

  const Pass& pass_;
  Index width_;  // floats of one partial sum: the widest router's, in whole cache lines
};

}  // namespace sakedge
