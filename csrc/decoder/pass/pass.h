#pragma once

#include <atomic>
#include <vector>

#include "core/carver.h"
#include "decoder/decoder.h"

namespace sakedge {

// What every stage of the pass over one image sees. Borrows everything.
//
// The stages, each with a file: router, then for tiles of tokens adapter and mix, then head and
// decode. A stage lays out its part of a worker's scratch memory with a Carver and says how much it
// needs, so that all memory is there before threads start: parallel bodies neither allocate nor
// throw.
struct Pass {
  const cpu::KernelTable& kernels;
  const Geometry& geometry;
  const ImageRequest& image;
  const Snapshot& snapshot;
  const std::vector<cpu::Lerp>& expand_rows;
  const std::vector<cpu::Lerp>& expand_columns;
  ThreadPool& pool;
  Workspace& workspace;
  std::atomic<bool>& finite;

  // The matrix kernels that a part was packed for: parts of one snapshot may differ.
  template <typename Part>
  const cpu::PackedKernels& products(const Part& part) const {
    return select(kernels, part.arithmetic);
  }
  Index task_count() const { return snapshot.task_count(); }
  const Head& head(Index task) const { return *snapshot.task(task).head; }
  const Router* router(Index task) const { return snapshot.task(task).router.get(); }
  const Output& output(Index task) const { return image.outputs[static_cast<std::size_t>(task)]; }

  // Patch tokens of x[stage] from `first` on; the class token is skipped.
  const float* tokens(Index stage, Index first) const {
    return image.stem[static_cast<std::size_t>(stage)] + (1 + first) * geometry.channels;
  }
  // [experts] of a task at a level.
  float* weights(Index task, Index level) const {
    return image.routing + (task * geometry.level_count() + level) * snapshot.experts();
  }
  // Whether an adapter contributes to a task at a level. One of weight 0 does not: a task that has
  // no gate for a new adapter is computed as if it were not there, bit by bit.
  bool contributes(Index task, Index level, Index adapter) const {
    const float weight = weights(task, level)[1 + adapter];
    return snapshot.path(adapter) != nullptr && weight != 0.0f && !(weight < image.min_weight);
  }

  // Tiles of tokens whose results are added up, the same for any number of threads.
  Index fixed_tiles() const { return tile_count(geometry.tokens(), kTokenTile); }
  // Tiles of tokens that each stand alone.
  Tiling tiling() const { return even_tiles(geometry.tokens(), kTokenTile, pool.threads()); }
  // The prepared rows [tokens] of Z of one task: what mix leaves and head reads.
  Index level_rows_offset(Index task) const;
  std::byte* level_rows(Index task) const {
    return workspace.levels.data() + level_rows_offset(task);
  }
};

// Everything for one image. Throws std::bad_alloc.
void run_pass(const Pass& pass);

}  // namespace sakedge
