#include "decoder/pass/mix.h"

#include <algorithm>

namespace sakedge {
namespace {

// Floats of a tile of tokens, in whole cache lines.
Index tile_size(Index channels) { return aligned_count<float>(kTokenTile * channels); }

// First column of a level's linear in the joined map.
Index level_column(const Head& head, Index level) {
  Index column = 0;
  for (Index earlier = 0; earlier < level; ++earlier) {
    column += head.linears[static_cast<std::size_t>(earlier)].out();
  }
  return column;
}

}  // namespace

MixStage::MixStage(const Pass& pass) : pass_(pass) {
  pass.workspace.levels.reserve(pass.level_rows_offset(pass.task_count()));
}

Index MixStage::scratch_size() const {
  Carver carver;
  scratch(carver);
  return carver.used();
}

MixStage::Scratch MixStage::scratch(Carver& carver) const {
  const Index channels = pass_.geometry.channels;
  const auto& paths = pass_.snapshot.paths;
  const auto present =
      static_cast<Index>(paths.size()) - std::count(paths.begin(), paths.end(), nullptr);
  Index levels = 0;
  Index row = 0;
  for (Index task = 0; task < pass_.task_count(); ++task) {
    levels += tile_size(pass_.head(task).width);
    row = std::max(row, pass_.products(pass_.head(task)).row_size(channels));
  }
  return {carver.take<float>(present * tile_size(channels)),
          carver.take<float>(present * tile_size(channels)),
          carver.take<float>(tile_size(channels)),
          carver.take<float>(levels),
          carver.take<std::byte>(kTokenTile * row),
          carver.take<std::byte>(chain_scratch(pass_))};
}

void MixStage::run() const {
  const std::vector<Chain> running = chains(pass_);
  const Tiling tiles = pass_.tiling();
  pass_.pool.parallel_for(tiles.count, [&](Index item, int worker) {
    tile(tiles.first(item), tiles.rows(item), running, worker);
  });
}

// One tile of m tokens. From level to level, one adapter after the other: its residuals stay in the
// second-level cache while its weights pass.
void MixStage::tile(Index first, Index m, const std::vector<Chain>& running, int worker) const {
  Carver carver(pass_.workspace.scratch_of(worker));
  const Scratch memory = scratch(carver);
  const Index size = tile_size(pass_.geometry.channels);
  std::fill_n(memory.residuals, std::ssize(running) * size, 0.0f);
  for (Index level = 0; level < pass_.geometry.level_count(); ++level) {
    for (Index i = 0; i < std::ssize(running); ++i) {
      running[static_cast<std::size_t>(i)].advance(pass_, level, first, m,
                                                   memory.residuals + i * size,
                                                   memory.normed + i * size, memory.adapter);
    }
    project(first, m, level, running, memory);
  }

  // What the taps read: Z channels of a token are prepared together, once all levels are there.
  const float* levels = memory.levels;
  for (Index task = 0; task < pass_.task_count(); ++task) {
    const Index width = pass_.head(task).width;
    const cpu::PackedKernels& products = pass_.products(pass_.head(task));
    products.prepare(
        {m, width, levels, width, pass_.level_rows(task) + first * products.row_size(width)});
    levels += tile_size(width);
  }
}

// Mixtures and level linears of all tasks at one level, into memory.levels.
void MixStage::project(Index first, Index m, Index level, const std::vector<Chain>& running,
                       const Scratch& memory) const {
  const Index channels = pass_.geometry.channels;
  // Expert lists of one mixture; the stem always comes first.
  const float* inputs[1 + kMaxAdapters];
  float expert_weights[1 + kMaxAdapters];
  Index strides[1 + kMaxAdapters];
  std::fill_n(strides, 1 + std::ssize(running), channels);

  float* levels = memory.levels;
  for (Index task = 0; task < pass_.task_count(); ++task) {
    const Head& head = pass_.head(task);
    const float* weights = pass_.weights(task, level);
    const float* normed = memory.normed;
    inputs[0] = pass_.tokens(pass_.geometry.stage(level), first);
    expert_weights[0] = weights[0];
    Index experts = 1;
    for (const Chain& chain : running) {
      if (pass_.contributes(task, level, chain.adapter)) {
        inputs[experts] = normed;
        expert_weights[experts] = weights[1 + chain.adapter];
        ++experts;
      }
      normed += tile_size(channels);
    }
    pass_.kernels.mix_f32(
        {m, channels, experts, inputs, strides, expert_weights, memory.mixed, channels});
    const cpu::PackedKernels& products = pass_.products(head);
    products.prepare({m, channels, memory.mixed, channels, memory.rows});
    const Linear& linear = head.linears[static_cast<std::size_t>(level)];
    products.linear({m, linear.out(), channels, memory.rows, linear.weight.data.data(),
                     linear.bias.data(), false, levels + level_column(head, level), head.width});
    levels += tile_size(head.width);
  }
}

}  // namespace sakedge
