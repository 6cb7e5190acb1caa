#include <algorithm>

#include "decoder/run.h"

namespace sakedge {

void Run::route(Index image) {
  const Index width = [&] {
    Index widest = 0;
    for (Index task = 0; task < task_count(); ++task) {
      widest = std::max(widest, part(task).router == nullptr ? 0 : part(task).router->hidden);
    }
    return widest;
  }();
  const auto sums = [&](Index level, Index task, Index tile) {
    return workspace.router_sums.data() + ((level * task_count() + task) * tiles() + tile) * width;
  };

  // The routers of a level share their input: a tile is read once, for all tasks.
  pool.parallel_for(geometry.level_count() * tiles(), [&](Index item, int slot) {
    const Index level = item / tiles();
    const Index tile = item % tiles();
    const Index stage = geometry.levels[static_cast<std::size_t>(level)] + 1;
    for (Index task = 0; task < task_count(); ++task) {
      if (part(task).router == nullptr) {
        continue;
      }
      const Router::Level& layer = part(task).router->levels[static_cast<std::size_t>(level)];
      kernels.router_f32({tile_rows(tile), geometry.channels, layer.hidden.out(),
                          tokens(image, stage, tile), geometry.channels,
                          layer.hidden.weight.data.data(), layer.hidden.bias.data(),
                          layer.norm.gamma.data(), layer.norm.beta.data(), kNormEpsilon,
                          workspace.slot(slot), sums(level, task, tile)});
    }
  });

  std::vector<bool> present(static_cast<std::size_t>(geometry.experts()), true);
  for (Index adapter = 0; adapter < geometry.adapters; ++adapter) {
    present[static_cast<std::size_t>(1 + adapter)] = wanted(image, adapter);
  }
  for (Index task = 0; task < task_count(); ++task) {
    for (Index level = 0; level < geometry.level_count(); ++level) {
      const Router* router = part(task).router.get();
      float* out = weights(image, task, level);
      if (router == nullptr) {
        std::transform(present.begin(), present.end(), out,
                       [](bool is_present) { return is_present ? 1.0f : 0.0f; });
        continue;
      }
      const Index hidden = router->levels[static_cast<std::size_t>(level)].hidden.out();
      std::vector<double> pooled(static_cast<std::size_t>(hidden), 0.0);
      for (Index tile = 0; tile < tiles(); ++tile) {  // in order: the same bits on any thread count
        const float* partial = sums(level, task, tile);
        for (std::size_t h = 0; h < pooled.size(); ++h) {
          pooled[h] += static_cast<double>(partial[h]);
        }
      }
      router->weigh(level, pooled.data(), geometry.tokens(), present, out);
    }
  }
}

}  // namespace sakedge
