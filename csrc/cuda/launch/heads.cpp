#include "cuda/launch/heads.h"

#include <algorithm>
#include <iterator>

#include "cuda/kernels/heads_shape.h"

namespace sakedge::cuda {
namespace {

// The narrowest kernel that holds `width` at once, else the widest.
template <int kCount>
int kernel_for(const int (&widths)[kCount], Index width) {
  const int found = width_for(widths, static_cast<int>(width));
  return found == 0 ? *(std::end(widths) - 1) : found;
}

std::string named(const char* op, const Runs& runs, int width) {
  return std::string(op) + name_of(runs.arithmetic) + "_" + std::to_string(width);
}

Grid expand_grid(const ExpandStep& step) {
  return {blocks_of(step.grid_width, kExpandTokens), blocks_of(step.grid_height, kExpandTokens),
          static_cast<int>(step.pairs)};
}

}  // namespace

void add_mix(Steps& steps, const Runs& runs, const MixStep& step) {
  const int width = kernel_for(kMixWidths, step.width);
  const Grid grid{blocks_of(runs.tokens, kMixTokens), static_cast<int>(runs.tasks),
                  static_cast<int>(runs.runs)};
  std::vector<Buffer> reads = {step.x, step.mixing};
  if (step.normed.id >= 0) {
    reads.push_back(step.normed);
  }
  steps.launch<MixArgs>(named("mix_", runs, width), kMixThreads, mix_shared(width), grid, reads,
                        {step.z}, [=](const Addresses& at) {
                          MixArgs args{};
                          args.x = at(step.x);
                          args.normed = optional(at, step.normed);
                          args.mixing = at(step.mixing);
                          args.image = runs.image;
                          args.heads = runs.heads;
                          args.z = at(step.z);
                          args.level = static_cast<int>(step.level);
                          args.levels = static_cast<int>(runs.levels);
                          args.tokens = static_cast<int>(runs.tokens);
                          args.channels = static_cast<int>(runs.channels);
                          args.slots = static_cast<int>(runs.slots);
                          args.tasks = static_cast<int>(runs.tasks);
                          args.z_width = static_cast<int>(step.z_width);
                          return args;
                        });
}

Index pairs_side_by_side(const Kernels& kernels, const ExpandStep& step) {
  const Index blocks = Index{kernels.info().multiprocessors} *
                       expand_blocks(kernel_for(kExpandClasses, step.classes));
  const Grid grid = expand_grid(step);
  return std::max(Index{1}, blocks / (Index{grid.x} * grid.y));
}

void add_expand(Steps& steps, const Runs& runs, const ExpandStep& step) {
  const int classes = kernel_for(kExpandClasses, step.classes);
  steps.launch<ExpandArgs>(named("head_expand_", runs, classes), expand_threads(classes),
                           expand_shared(classes), expand_grid(step), {step.taps}, {step.maps},
                           [=](const Addresses& at) {
                             ExpandArgs args{};
                             args.taps = at(step.taps);
                             args.heads = runs.heads + step.first;
                             args.maps = at(step.maps);
                             args.finite = step.finite;
                             args.first_pair = static_cast<int>(step.first);
                             args.map_stride = step.map_stride;
                             args.grid_height = static_cast<int>(step.grid_height);
                             args.grid_width = static_cast<int>(step.grid_width);
                             args.tasks = static_cast<int>(runs.tasks);
                             args.taps_width = static_cast<int>(step.taps_width);
                             return args;
                           });
}

Status launch_sampling(const Kernels& kernels, Stream& stream, const char* op,
                       const Sampling& sampling) {
  if (sampling.count == 0 || sampling.height == 0 || sampling.width == 0) {
    return {};
  }
  Expected<Kernel> kernel = kernels.find(op, kDecodeThreads, kDecodeShared);
  if (!kernel.ok()) {
    return kernel.status();
  }
  const DecodeArgs args{sampling.jobs, static_cast<int>(sampling.map_height),
                        static_cast<int>(sampling.map_width)};
  const Grid grid{blocks_of(sampling.width, kDecodeThreads),
                  blocks_of(sampling.height, kDecodeBlockRows), static_cast<int>(sampling.count)};
  return stream.launch(kernel.value(), grid, &args);
}

}  // namespace sakedge::cuda
