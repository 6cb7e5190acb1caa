#pragma once

#include "cuda/kernels/args.h"
#include "cuda/launch/paths.h"

// The tasks' part of a plan, and what follows it; see MixArgs, ExpandArgs, DecodeArgs.
namespace sakedge::cuda {

// The mixture and level linears of a level, `width` the widest of them. `normed` is not set where
// no run has a path.
struct MixStep {
  Index level = 0;
  Index width = 0;
  Index z_width = 0;
  Buffer x;
  Buffer normed;
  Buffer mixing;
  Buffer z;
};
void add_mix(Steps& steps, const Runs& runs, const MixStep& step);

// Taps, [runs][tasks][tokens, taps_width], to maps; `classes` are the most of any head.
struct ExpandStep {
  Index grid_height = 0;
  Index grid_width = 0;
  Index taps_width = 0;
  Index classes = 0;
  Index map_stride = 0;
  Buffer taps;
  Buffer maps;
  Buffer finite;
};
void add_expand(Steps& steps, const Runs& runs, const ExpandStep& step);

// Jobs that lie in device memory; `pixels` are those of the largest.
struct Sampling {
  const DecodeJob* jobs = nullptr;
  Index count = 0;
  Index pixels = 0;
  Index map_height = 0;
  Index map_width = 0;
};
// `op` is decode or upsample. Nothing to do is no launch.
Status launch_sampling(const Kernels& kernels, Stream& stream, const char* op,
                       const Sampling& sampling);

}  // namespace sakedge::cuda
