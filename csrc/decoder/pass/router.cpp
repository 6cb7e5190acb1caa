#include "decoder/pass/router.h"

#include <algorithm>

namespace sakedge {
namespace {

Index widest_router(const Pass& pass) {
  Index widest = 0;
  for (Index task = 0; task < pass.task_count(); ++task) {
    const Router* router = pass.router(task);
    widest = std::max(widest, router == nullptr ? 0 : router->hidden);
  }
  return aligned_count<float>(widest);
}

}  // namespace

RouterStage::RouterStage(const Pass& pass) : pass_(pass), width_(widest_router(pass)) {
  pass.workspace.router_sums.reserve(pass.geometry.level_count() * pass.task_count() *
                                     pass.fixed_tiles() * width_);
}

Index RouterStage::scratch_size() const {
  Carver carver;
  scratch(carver);
  return carver.used();
}

RouterStage::Scratch RouterStage::scratch(Carver& carver) const {
  Index row = 0;
  for (Index task = 0; task < pass_.task_count(); ++task) {
    const Router* router = pass_.router(task);
    row = std::max(
        row, router == nullptr ? 0 : pass_.products(*router).row_size(pass_.geometry.channels));
  }
  return {carver.take<std::byte>(kTokenTile * row), carver.take<float>(kTokenTile * width_)};
}

float* RouterStage::partial_sum(Index level, Index task, Index tile) const {
  return pass_.workspace.router_sums.data() +
         ((level * pass_.task_count() + task) * pass_.fixed_tiles() + tile) * width_;
}

// The routers of a level share their input: a tile is prepared once for all that are packed alike.
void RouterStage::tile(Index level, Index tile, int worker) const {
  Carver carver(pass_.workspace.scratch_of(worker));
  const Scratch memory = scratch(carver);
  const Index channels = pass_.geometry.channels;
  const Index first = tile * kTokenTile;
  const Index m = std::min(kTokenTile, pass_.geometry.tokens() - first);
  const float* x = pass_.tokens(pass_.geometry.stage(level), first);
  const cpu::PackedKernels* prepared = nullptr;
  for (Index task = 0; task < pass_.task_count(); ++task) {
    if (pass_.router(task) == nullptr) {
      continue;
    }
    const cpu::PackedKernels& products = pass_.products(*pass_.router(task));
    if (prepared != &products) {
      products.prepare({m, channels, x, channels, memory.rows});
      prepared = &products;
    }
    const Router::Hidden& layer =
        *pass_.router(task)->levels[static_cast<std::size_t>(level)].hidden;
    products.router({m, channels, layer.linear.out(), memory.rows, layer.linear.weight.data.data(),
                     layer.linear.bias.data(), layer.norm.gamma.data(), layer.norm.beta.data(),
                     kNormEpsilon, memory.hidden, partial_sum(level, task, tile)});
  }
}

void RouterStage::weigh(Index task, Index level) const {
  std::vector<bool> present(static_cast<std::size_t>(pass_.snapshot.experts()), true);
  for (std::size_t adapter = 0; adapter < pass_.snapshot.paths.size(); ++adapter) {
    present[1 + adapter] = pass_.snapshot.paths[adapter] != nullptr;
  }
  float* weights = pass_.weights(task, level);
  const Router* router = pass_.router(task);
  if (router == nullptr) {
    std::transform(present.begin(), present.end(), weights,
                   [](bool is_present) { return is_present ? 1.0f : 0.0f; });
    return;
  }
  const Index hidden = router->levels[static_cast<std::size_t>(level)].hidden->linear.out();
  std::vector<double> pooled(static_cast<std::size_t>(hidden), 0.0);
  for (Index tile = 0; tile < pass_.fixed_tiles(); ++tile) {  // in order: the same bits every time
    const float* partial = partial_sum(level, task, tile);
    for (std::size_t h = 0; h < pooled.size(); ++h) {
      pooled[h] += static_cast<double>(partial[h]);
    }
  }
  router->weigh(level, pooled.data(), pass_.geometry.tokens(), present, weights);
}

void RouterStage::run() const {
  const Index tiles = pass_.fixed_tiles();
  if (width_ > 0) {
    pass_.pool.parallel_for(pass_.geometry.level_count() * tiles, [&](Index item, int worker) {
      tile(item / tiles, item % tiles, worker);
    });
  }
  for (Index task = 0; task < pass_.task_count(); ++task) {
    for (Index level = 0; level < pass_.geometry.level_count(); ++level) {
      weigh(task, level);
    }
  }
}

}  // namespace sakedge
