#pragma once

#include "cuda/kernels/args.h"
#include "cuda/launch/steps.h"

// What runs beside the stem, of all runs at once; see AdapterArgs, RouterArgs, WeighArgs.
namespace sakedge::cuda {

// Sizes and tables that the steps of a call's decoder have in common.
struct Runs {
  Arithmetic arithmetic = Arithmetic::kF16;  // a 16-bit one
  Index runs = 0;
  Index slots = 0;
  Index tasks = 0;
  Index levels = 0;
  Index tokens = 0;
  Index channels = 0;
  const int* image = nullptr;
  const Path* const* paths = nullptr;
  const RouterLevel* const* routers = nullptr;
  const Head* const* heads = nullptr;
};

// The widest bottleneck and hidden layer that there are kernels for.
Index widest_path();
Index widest_router();

// The adapters of a depth; `level` is that which reads them, or -1. `width` is the widest path's.
void add_adapters(Steps& steps, const Runs& runs, Index width, Index depth, Index level, Buffer x,
                  Buffer r, Buffer normed);

// The routers' hidden layers of a level, and elements of `sums`. `width` is the widest's.
Index sums_count(const Runs& runs, Index width);
void add_routers(Steps& steps, const Runs& runs, Index width, Index level, Buffer x, Buffer sums);

// Weights of the experts; `sums` is not set where no run has a router.
void add_weigh(Steps& steps, const Runs& runs, Index width, Index level, float min_weight,
               Buffer sums, Buffer routing, Buffer mixing);

}  // namespace sakedge::cuda
