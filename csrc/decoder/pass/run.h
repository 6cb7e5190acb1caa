#pragma once

#include <vector>

#include "core/carver.h"
#include "decoder/decoder.h"

namespace sakedge {

// The passes over one image, in order: route, mix, heads. Holds references for one Decoder::run.
//
// Each pass lays out its part of a worker's scratch memory with a Carver; `reserve` measures them
// all.
class Run {
 public:
  const cpu::KernelTable& kernels;
  const cpu::PackedKernels& products;
  const Geometry& geometry;
  const std::vector<TaskPart>& parts;
  const Slots& slots;
  const std::vector<cpu::Lerp>& expand_rows;
  const std::vector<cpu::Lerp>& expand_columns;
  const Request& request;
  ThreadPool& pool;
  Workspace& workspace;

  // Everything for image number `index` of the batch.
  void image(Index index);

 private:
  // Expert weights of every task and level into request.routing.  (route.cpp)
  struct RouteScratch {
    std::byte* rows;  // x, prepared
    float* hidden;
  };
  void route(Index image);
  void route_tile(Index image, Index level, Index tile, int worker);
  float* router_sum(Index level, Index task, Index tile) const;
  RouteScratch route_scratch(Carver& carver) const;
  Index router_width() const;

  // Adapter chains, norms, mixtures and level linears into workspace.levels.  (mixture.cpp)
  struct Chain {
    Index adapter;
    const AdapterPath* path;
    Index last_stage;  // index of x where it ends
  };
  struct MixScratch {
    float* residuals;    // [chains][tile, C]
    float* normed;       // [chains][tile, C]
    float* mixed;        // [tile, C]
    float* levels;       // [tasks][tile, Z]
    std::byte* rows;     // [tile] of C or Z, prepared
    std::byte* adapter;  // the kernel's own
  };
  void mix(Index image);
  void mix_tile(Index image, Index first, Index m, const std::vector<Chain>& chains, int worker);
  void project(Index image, Index first, Index m, Index level, const std::vector<Chain>& chains,
               const MixScratch& scratch);
  std::vector<Chain> chains(Index image) const;
  MixScratch mix_scratch(Carver& carver) const;

  // Taps, expansion and final decoding of all tasks.  (heads.cpp, decode.cpp)
  struct Step {
    Index task;
    const Head* head;
    const Head::Chunk* chunk;
    const std::byte* levels;
    float* taps;
    float* map;
    const Output* output;
    bool is_last() const { return chunk == &head->chunks.back(); }
  };
  struct Samples {  // where the pixels of an output lie on a map
    Index height, width;
    std::vector<cpu::Lerp> rows, columns;
  };
  void heads(Index image);
  std::vector<Step> steps(Index image) const;
  Samples samples(const Window& window) const;
  void tap_tile(const Step& step, Index first, Index m);
  void expand_band(const Step& step, Index item, int worker);
  cpu::SampleArgs sample_args(const Step& step, const Samples& samples, Index item,
                              int worker) const;
  void decode_band(const Step& step, const Samples& samples, Index item, int worker);
  void upsample_band(const Step& step, const Samples& samples, Index item, int worker);

  // Output rows that one call of a kernel handles: enough calls to keep many threads busy.
  static constexpr Index kExpandRows = 4;
  static constexpr Index kDecodeRows = 16;

  void reserve();

  Index task_count() const { return static_cast<Index>(request.tasks.size()); }
  // Tiles of tokens whose results are added up, the same for any number of threads.
  Index fixed_tiles() const { return tile_count(geometry.tokens(), kTokenTile); }
  // Tiles of tokens that each stand alone.
  Tiling tiling() const { return even_tiles(geometry.tokens(), kTokenTile, pool.threads()); }
  const TaskPart& part(Index task) const {
    return parts[static_cast<std::size_t>(request.tasks[static_cast<std::size_t>(task)])];
  }
  const AdapterPath* path(Index adapter) const {
    return slots[static_cast<std::size_t>(adapter)].get();
  }
  // The last stage, an index of x, that a level reads.
  Index stage(Index level) const { return geometry.levels[static_cast<std::size_t>(level)] + 1; }
  bool wanted(Index image, Index adapter) const {
    return request.wanted[image * geometry.adapters + adapter] != 0;
  }
  // Patch tokens of x[stage] from `first` on; the class token is skipped.
  const float* tokens(Index image, Index stage, Index first) const {
    const Index row = image * (1 + geometry.tokens()) + 1 + first;
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
  // A worker's memory as one array.
  float* float_scratch(int worker) const {
    return Carver(workspace.scratch_of(worker)).take<float>(0);
  }
  // The prepared rows [tokens] of Z of one task.
  std::byte* level_rows(Index task) const;
};

}  // namespace sakedge
