#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cuda/kernels/args.h"
#include "cuda/student/snapshot.h"
#include "image/window.h"

namespace sakedge::cuda {

// An image: pixels [height, width, 3] of a type of args.h's Picture, or [3, height, width] for
// kPlanes. `type`, `top` and `left` as there.
struct PictureSource {
  static constexpr int kUint8 = 0;
  static constexpr int kUint16 = 1;
  static constexpr int kFloat = 2;
  static constexpr int kPlanes = 3;  // float, normalised already

  const void* pixels = nullptr;
  bool on_device = false;
  int type = kUint8;
  Index height = 0;
  Index width = 0;
  Index top = 0;
  Index left = 0;

  Index bytes() const {
    return 3 * height * width * (type == kUint8 ? 1 : type == kUint16 ? 2 : 4);
  }
};

// Where the results of a task lie, on the host; null for what is not wanted.
struct Output {
  void* values = nullptr;  // [height, width] pixels of the window
  void* logits = nullptr;  // float [classes, input height, input width]
  void* map = nullptr;     // float [map height, map width, classes]
};

// A snapshot on an image of the call.
struct Run {
  Index row = 0;  // the image's number
  std::shared_ptr<const Snapshot> snapshot;
  Window window;
  std::vector<Output> outputs;  // by task; written
  float* routing = nullptr;     // [tasks, levels, experts]; what is there is written
  bool* finite = nullptr;       // likewise: false if NaN or infinity is in the results
};

// What is wanted of all runs.
struct Wanted {
  bool values = false;
  bool logits = false;
  bool maps = false;

  bool anything() const { return values || logits || maps; }
};

// A call.
struct Request {
  std::vector<PictureSource> pictures;
  std::vector<Run> runs;
  Wanted wanted;
  float min_weight = 0.0f;
};

// Whether a student takes a call, but for where results go. Fails with kInvalid.
Status check(const Request& request, const Part& stem);

// Multiplications that a call takes, at most, for check_work.
double work_of(const Request& request, const Part& stem, Index mlp);

}  // namespace sakedge::cuda
