#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "decoder/pass/workspace.h"
#include "decoder/weights/adapter_path.h"
#include "decoder/weights/head.h"
#include "decoder/weights/router.h"

namespace sakedge {

// One task's weights.
struct TaskPart {
  Kind kind = Kind::kLabels;
  std::shared_ptr<const Head> head;
  std::shared_ptr<const Router> router;  // null: plain sum of all experts
};

// Adapter paths by expert; null where none is loaded.
using Slots = std::vector<std::shared_ptr<const AdapterPath>>;

// Where an output lies in the input: output pixel (y, x) is sampled at the input coordinate
// ((y + 0.5) * scale_y + top, (x + 0.5) * scale_x + left), with pixel edges at whole numbers.
struct Window {
  Index height = 0;
  Index width = 0;
  double top = 0.0;
  double left = 0.0;
  double scale_y = 1.0;
  double scale_x = 1.0;
};

// Where the results of one task on one image go; null for what is not wanted.
struct Output {
  void* values = nullptr;  // [height, width] of the image's window: uint8 labels (uint16 when there
                           // are more than 256 classes), else float; normals [height, width, 3]
  float* logits = nullptr;  // [classes, input height, input width]
};

// One call. Everything is borrowed for its duration.
struct Request {
  std::vector<const float*> features;  // x0 ... xD, each dense [batch, 1 + tokens, C]
  Index batch = 0;
  std::vector<Index> tasks;              // at most once each
  const std::uint8_t* wanted = nullptr;  // [batch, T]: adapters of each image
  std::vector<Window> windows;           // one per image
  float min_weight = 0.0f;      // a path below it contributes nothing to that task and level
  std::vector<Output> outputs;  // [batch, tasks]
  float* routing = nullptr;     // [batch, tasks, levels, 1 + T]; written
};

// The pass after the stem: routers, adapter paths, mixture, heads, final decoding.
//
// Tasks, kernels and their arithmetic never change; adapters are exchanged atomically. All
// functions are safe from any number of threads. Results do not depend on the number of threads,
// bit by bit.
class Decoder {
 public:
  // All parts, and all paths that come later, must have been packed for `arithmetic`.
  static Expected<std::unique_ptr<Decoder>> make(const cpu::KernelTable& kernels,
                                                 Arithmetic arithmetic, const Geometry& geometry,
                                                 std::vector<TaskPart> tasks, int threads);

  // Puts a path in an expert's place, or takes it away (null). Runs under way keep what they have.
  Status exchange(Index adapter, std::shared_ptr<const AdapterPath> path);

  // The slots as they are now.
  std::shared_ptr<const Slots> slots() const;

  // Works on one snapshot of the slots. Throws std::bad_alloc.
  Status run(const Request& request);

  const Geometry& geometry() const { return geometry_; }
  const cpu::KernelTable& kernels() const { return kernels_; }
  std::span<const TaskPart> tasks() const { return tasks_; }

 private:
  Decoder(const cpu::KernelTable& kernels, Arithmetic arithmetic, const Geometry& geometry,
          std::vector<TaskPart> tasks, int threads);

  Status validate(const Request& request, const Slots& slots) const;

  cpu::KernelTable kernels_;
  Arithmetic arithmetic_;
  Geometry geometry_;
  std::vector<TaskPart> tasks_;
  std::vector<cpu::Lerp> expand_rows_;
  std::vector<cpu::Lerp> expand_columns_;
  ThreadPool pool_;
  WorkspacePool workspaces_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Slots> slots_;  // guarded by mutex_
};

}  // namespace sakedge
