#include <algorithm>

#include "decoder/pass/run.h"

namespace sakedge {

// Floats of one partial sum: the widest router's, in whole cache lines.
Index Run::router_width() const {
  Index widest = 0;
  for (Index task = 0; task < task_count(); ++task) {
    widest = std::max(widest, part(task).router == nullptr ? 0 : part(task).router->hidden);
  }
  return aligned_count<float>(widest);
}

float* Run::router_sum(Index level, Index task, Index tile) const {
  return workspace.router_sums.data() +
         ((level * task_count() + task) * fixed_tiles() + tile) * router_width();
}

Run::RouteScratch Run::route_scratch(Carver& carver) const {
  return {carver.take<std::byte>(kTokenTile * products.row_size(geometry.channels)),
          carver.take<float>(kTokenTile * router_width())};
}

// The routers of a level share their input: a tile is prepared once, for all tasks.
void Run::route_tile(Index image, Index level, Index tile, int worker) {
  Carver carver(workspace.scratch_of(worker));
  const RouteScratch scratch = route_scratch(carver);
  const Index channels = geometry.channels;
  const Index first = tile * kTokenTile;
  const Index m = std::min(kTokenTile, geometry.tokens() - first);
  products.prepare({m, channels, tokens(image, stage(level), first), channels, scratch.rows});
  for (Index task = 0; task < task_count(); ++task) {
    if (part(task).router == nullptr) {
      continue;
    }
    const Router::Level& layer = part(task).router->levels[static_cast<std::size_t>(level)];
    products.router({m, channels, layer.hidden.out(), scratch.rows, layer.hidden.weight.data.data(),
                     layer.hidden.bias.data(), layer.norm.gamma.data(), layer.norm.beta.data(),
                     kNormEpsilon, scratch.hidden, router_sum(level, task, tile)});
  }
}

void Run::route(Index image) {
  if (router_width() > 0) {
    pool.parallel_for(geometry.level_count() * fixed_tiles(), [&](Index item, int worker) {
      route_tile(image, item / fixed_tiles(), item % fixed_tiles(), worker);
    });
  }
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
      for (Index tile = 0; tile < fixed_tiles(); ++tile) {  // in order: the same bits every time
        const float* partial = router_sum(level, task, tile);
        for (std::size_t h = 0; h < pooled.size(); ++h) {
          pooled[h] += static_cast<double>(partial[h]);
        }
      }
      router->weigh(level, pooled.data(), geometry.tokens(), present, out);
    }
  }
}

}  // namespace sakedge
