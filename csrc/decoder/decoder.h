#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "decoder/pass/workspace.h"
#include "decoder/snapshot.h"
#include "image/window.h"

namespace sakedge {

// Where the results of one task of one image go; null for what is not wanted.
struct Output {
  void* values = nullptr;   // [height, width] pixels of the image's window, as its decoder writes
  float* logits = nullptr;  // [classes, input height, input width]
  float* map = nullptr;     // [map height * map width, classes]: what both are sampled from
};

// One image of a call.
struct ImageRequest {
  std::vector<const float*> stem;  // x0 ... xD, each dense [1 + tokens, C]
  const Snapshot* snapshot = nullptr;
  Window window;
  std::vector<Output> outputs;  // one per task of the snapshot
  float* routing = nullptr;     // [tasks, levels, experts]; written
  bool* finite = nullptr;       // written: false if NaN, infinity or overflow is in the results
  float min_weight = 0.0f;      // a path below it contributes nothing to that task and level
};

// The pass after the stem: routers, adapter paths, mixture, heads, final decoding.
//
// Holds no weights: every image brings the snapshot that it is computed with. All functions are
// safe from any number of threads. Results do not depend on the number of threads, bit by bit.
class Decoder {
 public:
  // All snapshots must have been packed with these kernels.
  static Expected<std::unique_ptr<Decoder>> make(const cpu::KernelTable& kernels,
                                                 const Geometry& geometry,
                                                 std::shared_ptr<ThreadPool> pool);

  // Whether `run` takes an image, whatever is wanted of it.
  Status check(const ImageRequest& image) const;

  // Runs the images one after the other. Everything is borrowed for the duration of the call.
  // Fails with kInvalid, before anything is computed. Throws std::bad_alloc.
  Status run(std::span<const ImageRequest> images);

  const Geometry& geometry() const { return geometry_; }

 private:
  Decoder(const cpu::KernelTable& kernels, const Geometry& geometry,
          std::shared_ptr<ThreadPool> pool);

  cpu::KernelTable kernels_;
  Geometry geometry_;
  std::vector<cpu::Lerp> expand_rows_;
  std::vector<cpu::Lerp> expand_columns_;
  std::shared_ptr<ThreadPool> pool_;
  WorkspacePool workspaces_;
};

}  // namespace sakedge
