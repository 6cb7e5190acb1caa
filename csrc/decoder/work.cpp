#include "decoder/work.h"

#include "image/interpolation.h"

namespace sakedge {
namespace {

double product(Index a, Index b, Index c = 1) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

// Router, mixtures, level linears and taps of a task, for each token.
double token_work(const TaskParts& task, const Geometry& geometry, Index experts) {
  const Index routed = task.router == nullptr ? 0 : task.router->hidden;
  return product(geometry.level_count(), geometry.channels, routed + experts) +
         product(geometry.channels, task.head->width) +
         product(kTaps, task.head->width, task.head->fused);
}

}  // namespace

double work_of(const ImageRequest& image, const Geometry& geometry) {
  const Snapshot& snapshot = *image.snapshot;
  const Size map = geometry.map();
  double of_token = 0.0;
  double of_map = 0.0;
  for (const auto& path : snapshot.paths) {
    of_token +=
        path == nullptr ? 0.0 : product(2 * (geometry.blocks + 1), geometry.channels, path->hidden);
  }
  for (Index i = 0; i < snapshot.task_count(); ++i) {
    const TaskParts& task = snapshot.task(i);
    const Output& output = image.outputs[static_cast<std::size_t>(i)];
    const Index classes = task.head->classes;
    of_token += token_work(task, geometry, snapshot.experts());
    of_map += product(map.area(), task.head->fused, classes);
    if (output.values != nullptr) {
      of_map += sampling_work({image.window.height, image.window.width}, map, classes);
    }
    if (output.logits != nullptr) {
      of_map += sampling_work(geometry.input, map, classes);
    }
  }
  return static_cast<double>(geometry.tokens()) * of_token + of_map;
}

}  // namespace sakedge
