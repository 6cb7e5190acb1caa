#include "cuda/launch/gemm.h"

#include <algorithm>
#include <span>

namespace sakedge::cuda {
namespace {

// How long a tile takes, up to a factor. Of warpgroups it takes as long as the second-level cache
// needs to deliver m + n rows: on an H100 all tiles reach 5 to 6 TB/s of it, and none its tensor
// cores' rate. Else what counts are products, half of a warp's loads of fragments beside them, 16 /
// warp_m + 16 / warp_n for each (tiles.def).
double tile_cost(const GemmTile& tile, bool of_warpgroups) {
  if (of_warpgroups) {
    return tile.m + tile.n;
  }
  const double load = 16.0 / tile.warp_m + 16.0 / tile.warp_n;
  return tile.m * tile.n * (1.0 + load / 2);
}

// The multiprocessor with most tiles is the last to be done.
const GemmTile& fastest(const GemmStep& step, const Kernels& kernels) {
  const bool of_warpgroups = kernels.has_warpgroups();
  const std::span<const GemmTile> tiles =
      of_warpgroups ? std::span<const GemmTile>(kWarpgroupTiles) : kGemmTiles;
  const auto cost = [&](const GemmTile& tile) {
    const Index batches = step.batches + step.beside;
    const Index blocks = batches * tile.blocks_for(static_cast<int>(step.m), step.linear.out);
    return static_cast<double>(blocks_of(blocks, kernels.info().multiprocessors)) *
           tile_cost(tile, of_warpgroups);
  };
  return *std::min_element(tiles.begin(), tiles.end(),
                           [&](const GemmTile& a, const GemmTile& b) { return cost(a) < cost(b); });
}

const GemmTile* find_among(std::span<const GemmTile> tiles, const std::string& name) {
  const auto found = std::find_if(tiles.begin(), tiles.end(),
                                  [&](const GemmTile& tile) { return name == tile.name; });
  return found == tiles.end() ? nullptr : &*found;
}

// What was measured to be best on this device, if this build has it.
const GemmTile* measured(const std::string& product, const Kernels& kernels) {
  const std::string* name = kernels.tile(product);
  if (name == nullptr) {
    return nullptr;
  }
  const GemmTile* tile = find_among(kGemmTiles, *name);
  return tile != nullptr || !kernels.has_warpgroups() ? tile : find_among(kWarpgroupTiles, *name);
}

}  // namespace

bool is_tile(const std::string& name) {
  return find_among(kGemmTiles, name) != nullptr || find_among(kWarpgroupTiles, name) != nullptr;
}

void add_gemm(Steps& steps, const GemmStep& step) {
  const int m = static_cast<int>(step.m);
  const std::string name = std::string("gemm_") + name_of(step.arithmetic);
  const std::string product = name + " " + std::to_string(m) + "x" +
                              std::to_string(step.linear.out) + "x" +
                              std::to_string(step.linear.in);
  const GemmTile* best = measured(product, steps.kernels());
  const GemmTile& tile = best != nullptr ? *best : fastest(step, steps.kernels());
  std::vector<Buffer> reads = {step.a};
  for (const Buffer buffer : {step.a_scale, step.residual}) {
    if (buffer.id >= 0) {
      reads.push_back(buffer);
    }
  }
  const Grid grid{tile.blocks_for(m, step.linear.out), 1, static_cast<int>(step.batches)};
  steps.launch<GemmArgs>(name + "_" + tile.name, tile.threads(), tile.shared(), grid, reads,
                         {step.out}, [step, m](const Addresses& at) {
                           GemmArgs args{};
                           const Index row = step.first * step.m;
                           args.a = at(step.a) + row * step.a_width * size_of(step.arithmetic);
                           if (step.a_scale.id >= 0) {
                             args.a_scale = at(step.a_scale) + row * Index{sizeof(float)};
                           }
                           args.linear = step.linear;
                           if (step.linears != nullptr) {
                             args.linears = step.linears + step.first;
                           }
                           args.residual = step.shared_residual;
                           if (step.residual.id >= 0) {
                             args.residual = at(step.residual);
                           }
                           args.out = at(step.out);
                           args.m = m;
                           args.gelu = step.gelu ? 1 : 0;
                           args.float_out = step.float_out ? 1 : 0;
                           args.patch_tokens = static_cast<int>(step.patch_tokens);
                           args.a_width = static_cast<int>(step.a_width);
                           args.out_width = static_cast<int>(step.out_width);
                           args.a_stride = step.m * step.a_width;
                           args.out_stride = step.m * step.out_width;
                           return args;
                         });
}

}  // namespace sakedge::cuda
