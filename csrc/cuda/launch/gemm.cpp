#include "cuda/launch/gemm.h"

#include <algorithm>
#include <iterator>

namespace sakedge::cuda {
namespace {

// How long a tile takes, in products that a tensor core could do meanwhile: of a warp's fragments
// 16 / warp_m + 16 / warp_n are loaded for each product (tiles.def), half of it beside them.
double tile_cost(const GemmTile& tile) {
  const double load = 16.0 / tile.warp_m + 16.0 / tile.warp_n;
  return tile.m * tile.n * (1.0 + load / 2);
}

// The multiprocessor with most tiles is the last to be done.
const GemmTile& fastest(Index m, Index n, Index batches, int multiprocessors) {
  const auto cost = [&](const GemmTile& tile) {
    const Index blocks = batches * tile.blocks_for(static_cast<int>(m), static_cast<int>(n));
    return static_cast<double>(blocks_of(blocks, multiprocessors)) * tile_cost(tile);
  };
  return *std::min_element(std::begin(kGemmTiles), std::end(kGemmTiles),
                           [&](const GemmTile& a, const GemmTile& b) { return cost(a) < cost(b); });
}

}  // namespace

const GemmTile* find_tile(const std::string& name) {
  const auto* found = std::find_if(std::begin(kGemmTiles), std::end(kGemmTiles),
                                   [&](const GemmTile& tile) { return name == tile.name; });
  return found == std::end(kGemmTiles) ? nullptr : found;
}

void add_gemm(Steps& steps, const GemmStep& step) {
  const int m = static_cast<int>(step.m);
  const std::string name = std::string("gemm_") + name_of(step.arithmetic);
  const std::string product = name + " " + std::to_string(m) + "x" +
                              std::to_string(step.linear.out) + "x" +
                              std::to_string(step.linear.in);
  const std::string* measured = steps.kernels().tile(product);
  const GemmTile* named = measured == nullptr ? nullptr : find_tile(*measured);
  const GemmTile& tile = named != nullptr ? *named
                                          : fastest(step.m, step.linear.out, step.batches,
                                                    steps.kernels().info().multiprocessors);
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
                           args.a = at(step.a);
                           args.a_scale = optional(at, step.a_scale);
                           args.linear = step.linear;
                           args.linears = step.linears;
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
