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

// Taps, [pairs][tokens, taps_width], to maps, of pairs of a run and a task that follow each other;
// `classes` are the most of any head. Steps of other pairs set the same flags, so that these are no
// buffer: a step need not wait for another.
struct ExpandStep {
  Index first = 0;  // of the pairs
  Index pairs = 0;
  Index grid_height = 0;
  Index grid_width = 0;
  Index taps_width = 0;
  Index classes = 0;
  Index map_stride = 0;
  Buffer taps;
  Buffer maps;  // of these pairs
  int* finite = nullptr;
};
// The most pairs whose blocks all run side by side on the device, but at least one.
Index pairs_side_by_side(const Kernels& kernels, const ExpandStep& step);
void add_expand(Steps& steps, const Runs& runs, const ExpandStep& step);

// Jobs that lie in device memory; `height` and `width` are the largest of an output.
struct Sampling {
  const DecodeJob* jobs = nullptr;
  Index count = 0;
  Index height = 0;
  Index width = 0;
  Index map_height = 0;
  Index map_width = 0;
};
// `op` is decode or upsample. Nothing to do is no launch.
Status launch_sampling(const Kernels& kernels, Stream& stream, const char* op,
                       const Sampling& sampling);

}  // namespace sakedge::cuda
