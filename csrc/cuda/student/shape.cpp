#include "cuda/student/shape.h"

#include <algorithm>

namespace sakedge::cuda {
namespace {

void widen(Index& width, Index by) { width = std::max(width, by); }

}  // namespace

Shape Shape::of(const Request& request) {
  Shape shape;
  shape.images = std::ssize(request.pictures);
  shape.runs = std::ssize(request.runs);
  shape.maps = request.wanted.anything();
  shape.min_weight = request.min_weight;
  for (const Run& run : request.runs) {
    widen(shape.slots, run.snapshot->slots());
    widen(shape.tasks, run.snapshot->task_count());
    for (const auto& path : run.snapshot->paths) {
      widen(shape.path_width, path == nullptr ? 0 : path->width);
    }
    for (const Snapshot::Task& task : run.snapshot->tasks) {
      widen(shape.router_width, task.router == nullptr ? 0 : task.router->hidden->width);
      widen(shape.z_width, task.head->width);
      widen(shape.linears_width, task.head->linears_width);
      widen(shape.fused, task.head->fused);
      widen(shape.classes, task.head->classes);
      const bool is_int8 = task.head->arithmetic == Arithmetic::kS8;
      shape.int8_taps = shape.int8_taps || is_int8;
      shape.wide_taps = shape.wide_taps || !is_int8;
    }
  }
  return shape;
}

}  // namespace sakedge::cuda
