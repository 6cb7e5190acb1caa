#include "decoder/run.h"

#include <algorithm>

namespace sakedge {

void Run::image(Index index) {
  if (task_count() == 0) {
    return;
  }
  if (index == 0) {
    reserve();
  }
  route(index);
  const auto first = request.outputs.begin() + index * task_count();
  const bool routing_only = std::all_of(first, first + task_count(), [](const Output& output) {
    return output.values == nullptr && output.logits == nullptr;
  });
  if (routing_only) {
    return;
  }
  mix(index);
  for (Index task = 0; task < task_count(); ++task) {
    head(index, task);
  }
}

float* Run::level_map(Index task) const {
  Index offset = 0;
  for (Index earlier = 0; earlier < task; ++earlier) {
    offset += geometry.tokens() * part(earlier).head->width;
  }
  return workspace.levels.data() + offset;
}

// All memory of the run, before threads start: parallel bodies neither allocate nor throw.
void Run::reserve() {
  Index hidden = 0;  // the widest bottleneck or router
  Index router = 0;
  Index classes = 0;
  Index chunk = 0;
  Index levels = 0;
  for (Index task = 0; task < task_count(); ++task) {
    const TaskPart& p = part(task);
    router = std::max(router, p.router == nullptr ? 0 : p.router->hidden);
    classes = std::max(classes, p.head->classes);
    chunk = std::max(chunk, std::min(kHeadChunk, static_cast<Index>(p.head->fuse_bias.size())));
    levels += geometry.tokens() * p.head->width;
  }
  hidden = router;
  for (Index adapter = 0; adapter < geometry.adapters; ++adapter) {
    hidden = std::max(hidden, path(adapter) == nullptr ? 0 : path(adapter)->hidden);
  }
  Index map_width = geometry.map_width();
  const Index map = geometry.map_height() * map_width;
  workspace.router_sums.reserve(geometry.level_count() * task_count() * tiles() * router);
  workspace.levels.reserve(levels);
  workspace.taps.reserve(9 * geometry.tokens() * chunk);
  workspace.map.reserve(map * classes);

  // A slot serves one kernel at a time; see mix_tile for the first.
  const Index tile = aligned_floats(kTokenTile * geometry.channels);
  const Index mixing = (2 * geometry.adapters + 1) * tile + kTokenTile * hidden;
  const Index expanding = (3 * geometry.grid_width + map_width) * chunk;
  const Index sampling = (map_width + 1) * classes;
  workspace.reserve_scratch(std::max({mixing, expanding, sampling}));
}

}  // namespace sakedge
