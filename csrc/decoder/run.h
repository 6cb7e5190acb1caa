#pragma once

#include <span>
#include <vector>

#include "decoder/decoder.h"

namespace sakedge {

// The passes over one image, in order: route, mix, heads. Holds references for one Decoder::run.
class Run {
 public:
  const cpu::KernelTable& kernels;
  const Geometry& geometry;
  const std::vector<TaskPart>& parts;
  const Slots& slots;
  const std::vector<cpu::Tap>& expand_rows;
  const std::vector<cpu::Tap>& expand_columns;
  const Request& request;
  ThreadPool& pool;
  Workspace& workspace;

  // Everything for image number `index` of the batch.
  void image(Index index);

 private:
  // Expert weights of every task and level into request.routing.  (route.cpp)
  void route(Index image);

  // Adapter chains, norms, mixtures and level linears into workspace.levels.  (mixture.cpp)
  void mix(Index image);
  void mix_tile(Index image, Index tile, int slot, const std::vector<Index>& last_stage);
  std::vector<Index> last_stages(Index image) const;

  // Taps, expansion and final decoding of one task.  (heads.cpp)
  void head(Index image, Index task);
  void taps(const Head& head, const Head::Chunk& chunk, const float* levels);
  void expand(const Head& head, const Head::Chunk& chunk, bool first);
  void decode(Index image, Index task);
  void upsample(const Head& head, float* logits);

  void reserve();

  Index task_count() const { return static_cast<Index>(request.tasks.size()); }
  Index tiles() const { return tile_count(geometry.tokens(), kTokenTile); }
  Index tile_rows(Index tile) const {
    const Index left = geometry.tokens() - tile * kTokenTile;
    return left < kTokenTile ? left : kTokenTile;
  }
  const TaskPart& part(Index task) const {
    return parts[static_cast<std::size_t>(request.tasks[static_cast<std::size_t>(task)])];
  }
  const AdapterPath* path(Index adapter) const {
    return slots[static_cast<std::size_t>(adapter)].get();
  }
  bool wanted(Index image, Index adapter) const {
    return request.wanted[image * geometry.adapters + adapter] != 0;
  }
  // Patch tokens of tile `tile` of x[stage]; the class token is skipped.
  const float* tokens(Index image, Index stage, Index tile) const {
    const Index row = image * (1 + geometry.tokens()) + 1 + tile * kTokenTile;
    return request.features[static_cast<std::size_t>(stage)] + row * geometry.channels;
  }
  // [1 + T] expert weights.
  float* weights(Index image, Index task, Index level) const {
    const Index row = (image * task_count() + task) * geometry.level_count() + level;
    return request.routing + row * geometry.experts();
  }
  // Whether an adapter contributes to a task at a level.
  bool contributes(Index image, Index task, Index level, Index adapter) const {
    return wanted(image, adapter) &&
           !(weights(image, task, level)[1 + adapter] < request.min_weight);
  }
  // [tokens, Z] of one task.
  float* level_map(Index task) const;
};

}  // namespace sakedge
