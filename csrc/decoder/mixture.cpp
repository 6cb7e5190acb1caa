#include <algorithm>

#include "decoder/run.h"

namespace sakedge {

// For each adapter, the last stage (index of x) that it has to run for this image; -1 for none. A
// path that contributes to no task at a level and all later ones is not run from there on.
std::vector<Index> Run::last_stages(Index image) const {
  std::vector<Index> last(static_cast<std::size_t>(geometry.adapters), -1);
  for (Index adapter = 0; adapter < geometry.adapters; ++adapter) {
    for (Index level = 0; level < geometry.level_count(); ++level) {
      for (Index task = 0; task < task_count(); ++task) {
        if (contributes(image, task, level, adapter)) {
          last[static_cast<std::size_t>(adapter)] =
              geometry.levels[static_cast<std::size_t>(level)] + 1;
        }
      }
    }
  }
  return last;
}

void Run::mix(Index image) {
  const std::vector<Index> last = last_stages(image);
  pool.parallel_for(tiles(), [&](Index tile, int slot) { mix_tile(image, tile, slot, last); });
}

// One tile through the whole depth, so that the residuals never leave the cache. Scratch:
// T residuals, T normed residuals and one mixture, each [tile, C]; a bottleneck [tile, h].
void Run::mix_tile(Index image, Index tile, int slot, const std::vector<Index>& last_stage) {
  const Index channels = geometry.channels;
  const Index m = tile_rows(tile);
  const Index size = aligned_floats(kTokenTile * channels);
  float* const residuals = workspace.slot(slot);
  float* const normed = residuals + geometry.adapters * size;
  float* const mixed = normed + geometry.adapters * size;
  float* const bottleneck = mixed + size;
  std::fill(residuals, residuals + geometry.adapters * size, 0.0f);

  // Expert lists of one mixture; the stem always comes first.
  const float* inputs[1 + kMaxAdapters];
  float expert_weights[1 + kMaxAdapters];
  Index strides[1 + kMaxAdapters];
  std::fill(strides, strides + 1 + kMaxAdapters, channels);

  Index level = 0;
  for (Index stage = 0; level < geometry.level_count(); ++stage) {
    const float* x = tokens(image, stage, tile);
    for (Index adapter = 0; adapter < geometry.adapters; ++adapter) {
      if (last_stage[static_cast<std::size_t>(adapter)] < stage) {
        continue;
      }
      const AdapterPath::Adapter& a = path(adapter)->blocks[static_cast<std::size_t>(stage)];
      kernels.adapter_f32({m, channels, a.down.out(), x, channels, residuals + adapter * size,
                           channels, a.down.weight.data.data(), a.down.bias.data(),
                           a.up.weight.data.data(), a.up.bias.data(), bottleneck});
    }
    if (geometry.levels[static_cast<std::size_t>(level)] + 1 != stage) {
      continue;
    }
    for (Index adapter = 0; adapter < geometry.adapters; ++adapter) {
      if (last_stage[static_cast<std::size_t>(adapter)] < stage) {
        continue;
      }
      const Norm& norm = path(adapter)->norms[static_cast<std::size_t>(level)];
      kernels.layer_norm_f32({m, channels, residuals + adapter * size, channels, norm.gamma.data(),
                              norm.beta.data(), kNormEpsilon, normed + adapter * size, channels});
    }
    for (Index task = 0; task < task_count(); ++task) {
      const Head& head = *part(task).head;
      inputs[0] = x;
      expert_weights[0] = weights(image, task, level)[0];
      Index experts = 1;
      for (Index adapter = 0; adapter < geometry.adapters; ++adapter) {
        if (contributes(image, task, level, adapter)) {
          inputs[experts] = normed + adapter * size;
          expert_weights[experts] = weights(image, task, level)[1 + adapter];
          ++experts;
        }
      }
      kernels.mix_f32({m, channels, experts, inputs, strides, expert_weights, mixed, channels});
      Index column = 0;
      for (Index earlier = 0; earlier < level; ++earlier) {
        column += head.linears[static_cast<std::size_t>(earlier)].out();
      }
      apply(kernels, head.linears[static_cast<std::size_t>(level)], m, mixed, channels,
            level_map(task) + tile * kTokenTile * head.width + column, head.width);
    }
    ++level;
  }
}

}  // namespace sakedge
