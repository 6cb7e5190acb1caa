#include <algorithm>

#include "cpu/scratch.h"
#include "decoder/pass/run.h"

namespace sakedge {

// The paths that have to run for this image, and how far: one that contributes to no task at a
// level and all later ones is not run from there on.
std::vector<Run::Chain> Run::chains(Index image) const {
  std::vector<Chain> result;
  for (Index adapter = 0; adapter < geometry.adapters; ++adapter) {
    Index last_stage = -1;
    for (Index level = 0; level < geometry.level_count(); ++level) {
      for (Index task = 0; task < task_count(); ++task) {
        if (contributes(image, task, level, adapter)) {
          last_stage = stage(level);
        }
      }
    }
    if (last_stage >= 0) {
      result.push_back({adapter, path(adapter), last_stage});
    }
  }
  return result;
}

Run::MixScratch Run::mix_scratch(Carver& carver) const {
  const auto tile = [](Index channels) { return aligned_count<float>(kTokenTile * channels); };
  const Index channels = geometry.channels;
  const auto loaded =
      static_cast<Index>(slots.size()) - std::count(slots.begin(), slots.end(), nullptr);
  Index levels = 0;
  Index row = products.row_size(channels);
  for (Index task = 0; task < task_count(); ++task) {
    levels += tile(part(task).head->width);
    row = std::max(row, products.row_size(part(task).head->width));
  }
  Index adapter = 0;
  for (const auto& path : slots) {
    if (path != nullptr) {
      adapter =
          std::max(adapter, cpu::adapter_scratch(products, kTokenTile, channels, path->hidden));
    }
  }
  return {carver.take<float>(loaded * tile(channels)), carver.take<float>(loaded * tile(channels)),
          carver.take<float>(tile(channels)),          carver.take<float>(levels),
          carver.take<std::byte>(kTokenTile * row),    carver.take<std::byte>(adapter)};
}

void Run::mix(Index image) {
  const std::vector<Chain> running = chains(image);
  const Tiling tiles = tiling();
  pool.parallel_for(tiles.count, [&](Index tile, int worker) {
    mix_tile(image, tiles.first(tile), tiles.rows(tile), running, worker);
  });
}

// One tile of m tokens through the whole depth. From level to level, one adapter after the other:
// its residuals stay in the second-level cache while its weights pass.
void Run::mix_tile(Index image, Index first, Index m, const std::vector<Chain>& chains,
                   int worker) {
  Carver carver(workspace.scratch_of(worker));
  const MixScratch scratch = mix_scratch(carver);
  const Index channels = geometry.channels;
  const Index size = aligned_count<float>(kTokenTile * channels);
  std::fill_n(scratch.residuals, std::ssize(chains) * size, 0.0f);

  for (Index level = 0; level < geometry.level_count(); ++level) {
    float* r = scratch.residuals;
    float* normed = scratch.normed;
    for (const Chain& chain : chains) {
      if (chain.last_stage >= stage(level)) {
        for (Index i = level == 0 ? 0 : stage(level - 1) + 1; i <= stage(level); ++i) {
          const AdapterPath::Adapter& a = chain.path->blocks[static_cast<std::size_t>(i)];
          products.adapter({m, channels, a.down.out(), tokens(image, i, first), channels, r,
                            channels, a.down.weight.data.data(), a.down.bias.data(),
                            a.up.weight.data.data(), a.up.bias.data(), scratch.adapter});
        }
        const Norm& norm = chain.path->norms[static_cast<std::size_t>(level)];
        kernels.layer_norm_f32({m, channels, r, channels, norm.gamma.data(), norm.beta.data(),
                                kNormEpsilon, normed, channels});
      }
      r += size;
      normed += size;
    }
    project(image, first, m, level, chains, scratch);
  }

  // What the taps read: Z channels of a token are prepared together, once all levels are there.
  const float* levels = scratch.levels;
  for (Index task = 0; task < task_count(); ++task) {
    const Index width = part(task).head->width;
    products.prepare(
        {m, width, levels, width, level_rows(task) + first * products.row_size(width)});
    levels += aligned_count<float>(kTokenTile * width);
  }
}

// Mixtures and level linears of all tasks at one level, into scratch.levels.
void Run::project(Index image, Index first, Index m, Index level, const std::vector<Chain>& chains,
                  const MixScratch& scratch) {
  const Index channels = geometry.channels;
  // Expert lists of one mixture; the stem always comes first.
  const float* inputs[1 + kMaxAdapters];
  float expert_weights[1 + kMaxAdapters];
  Index strides[1 + kMaxAdapters];
  std::fill_n(strides, 1 + std::ssize(chains), channels);

  float* levels = scratch.levels;
  for (Index task = 0; task < task_count(); ++task) {
    const Head& head = *part(task).head;
    const float* normed = scratch.normed;
    inputs[0] = tokens(image, stage(level), first);
    expert_weights[0] = weights(image, task, level)[0];
    Index experts = 1;
    for (const Chain& chain : chains) {
      if (contributes(image, task, level, chain.adapter)) {
        inputs[experts] = normed;
        expert_weights[experts] = weights(image, task, level)[1 + chain.adapter];
        ++experts;
      }
      normed += aligned_count<float>(kTokenTile * channels);
    }
    kernels.mix_f32(
        {m, channels, experts, inputs, strides, expert_weights, scratch.mixed, channels});
    products.prepare({m, channels, scratch.mixed, channels, scratch.rows});
    Index column = 0;
    for (Index earlier = 0; earlier < level; ++earlier) {
      column += head.linears[static_cast<std::size_t>(earlier)].out();
    }
    const Linear& linear = head.linears[static_cast<std::size_t>(level)];
    products.linear({m, linear.out(), channels, scratch.rows, linear.weight.data.data(),
                     linear.bias.data(), false, levels + column, head.width});
    levels += aligned_count<float>(kTokenTile * head.width);
  }
}

}  // namespace sakedge
