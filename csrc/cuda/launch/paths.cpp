#include "cuda/launch/paths.h"

#include <iterator>

#include "cuda/kernels/tiles.h"

namespace sakedge::cuda {
namespace {

std::string named(const char* op, const Runs& runs) {
  return std::string(op) + name_of(runs.arithmetic) + "_";
}

Index tiles_of(const Runs& runs) { return token_tiles(static_cast<int>(runs.tokens)); }

// Blocks of 32 tokens, each on a multiprocessor of its own, end sooner than half as many of 64;
// where they would take turns, the fewer read the weights less often.
AdapterTile adapter_tile(const Runs& runs, Index width, int multiprocessors) {
  const Index small = blocks_of(runs.tokens, 32) * runs.slots * runs.runs;
  return {small <= multiprocessors ? 32 : 64, width_for(kAdapterWidths, static_cast<int>(width))};
}

}  // namespace

Index widest_path() { return *(std::end(kAdapterWidths) - 1); }
Index widest_router() { return *(std::end(kRouterWidths) - 1); }

void add_adapters(Steps& steps, const Runs& runs, Index width, Index depth, Index level, Buffer x,
                  Buffer r, Buffer normed) {
  std::vector<Buffer> reads = {x};
  std::vector<Buffer> writes = {r};
  if (depth > 0) {
    reads.push_back(r);
  }
  if (level >= 0) {
    writes.push_back(normed);
  }
  const AdapterTile tile = adapter_tile(runs, width, steps.kernels().info().multiprocessors);
  const std::string name =
      named("adapter_path_", runs) + std::to_string(tile.tokens) + "x" + std::to_string(tile.width);
  const Grid grid{blocks_of(runs.tokens, tile.tokens), static_cast<int>(runs.slots),
                  static_cast<int>(runs.runs)};
  steps.launch<AdapterArgs>(name, kTokenThreads, tile.shared(), grid, reads, writes,
                            [=](const Addresses& at) {
                              AdapterArgs args{};
                              args.x = at(x);
                              args.r = at(r);
                              args.normed = optional(at, normed);
                              args.image = runs.image;
                              args.paths = runs.paths;
                              args.depth = static_cast<int>(depth);
                              args.level = static_cast<int>(level);
                              args.tokens = static_cast<int>(runs.tokens);
                              args.channels = static_cast<int>(runs.channels);
                              args.slots = static_cast<int>(runs.slots);
                              return args;
                            });
}

Index sums_count(const Runs& runs, Index width) {
  return runs.runs * runs.tasks * tiles_of(runs) * width;
}

void add_routers(Steps& steps, const Runs& runs, Index width, Index level, Buffer x, Buffer sums) {
  const int kernel_width = width_for(kRouterWidths, static_cast<int>(width));
  const Grid grid{static_cast<int>(tiles_of(runs)), static_cast<int>(runs.tasks),
                  static_cast<int>(runs.runs)};
  steps.launch<RouterArgs>(named("router_", runs) + std::to_string(kernel_width), kTokenThreads,
                           router_shared(kernel_width), grid, {x}, {sums},
                           [=](const Addresses& at) {
                             RouterArgs args{};
                             args.x = at(x);
                             args.sums = at(sums);
                             args.image = runs.image;
                             args.routers = runs.routers;
                             args.level = static_cast<int>(level);
                             args.tokens = static_cast<int>(runs.tokens);
                             args.channels = static_cast<int>(runs.channels);
                             args.tasks = static_cast<int>(runs.tasks);
                             args.width = static_cast<int>(width);
                             return args;
                           });
}

void add_weigh(Steps& steps, const Runs& runs, Index width, Index level, float min_weight,
               Buffer sums, Buffer routing, Buffer mixing) {
  const bool is_routed = sums.id >= 0;
  const Grid grid{static_cast<int>(runs.tasks), static_cast<int>(runs.runs)};
  steps.launch<WeighArgs>("weigh", kWeighThreads,
                          weigh_shared(static_cast<int>(width), static_cast<int>(1 + runs.slots)),
                          grid, is_routed ? std::vector<Buffer>{sums} : std::vector<Buffer>{},
                          {routing, mixing}, [=](const Addresses& at) {
                            WeighArgs args{};
                            args.sums = optional(at, sums);
                            args.routers = runs.routers;
                            args.paths = runs.paths;
                            args.routing = at(routing);
                            args.mixing = at(mixing);
                            args.level = static_cast<int>(level);
                            args.levels = static_cast<int>(runs.levels);
                            args.tokens = static_cast<int>(runs.tokens);
                            args.tiles = static_cast<int>(tiles_of(runs));
                            args.tasks = static_cast<int>(runs.tasks);
                            args.slots = static_cast<int>(runs.slots);
                            args.width = static_cast<int>(width);
                            args.min_weight = min_weight;
                            return args;
                          });
}

}  // namespace sakedge::cuda
