#include "cuda/student/call_tables.h"

#include <algorithm>

namespace sakedge::cuda {

CallTables::CallTables(const Shape& shape, Index levels, std::byte* block) {
  Carver carver(block);
  const Index tasks = shape.runs * shape.tasks;
  pictures = carver.take<Picture>(shape.images);
  image = carver.take<int>(shape.runs);
  paths = carver.take<const Path*>(shape.runs * shape.slots);
  routers = carver.take<const RouterLevel*>(tasks);
  heads = carver.take<const Head*>(tasks);
  wide_taps = carver.take<const Linear*>(tasks);
  int8_taps = carver.take<const Linear*>(tasks);
  decode = carver.take<DecodeJob>(tasks);
  upsample = carver.take<DecodeJob>(tasks);
  results = carver.used();
  finite = carver.take<int>(shape.runs);
  given = carver.used();
  routing = carver.take<float>(tasks * levels * (1 + shape.slots));
  size = carver.used();
}

void CallTables::fill(const Shape& shape, const Request& request) const {
  std::fill_n(paths, shape.runs * shape.slots, nullptr);
  for (auto* table : {wide_taps, int8_taps}) {
    std::fill_n(table, shape.runs * shape.tasks, nullptr);
  }
  std::fill_n(routers, shape.runs * shape.tasks, nullptr);
  std::fill_n(heads, shape.runs * shape.tasks, nullptr);
  std::fill_n(finite, shape.runs, 1);
  for (Index r = 0; r < shape.runs; ++r) {
    const Run& run = request.runs[static_cast<std::size_t>(r)];
    image[r] = static_cast<int>(run.row);
    for (Index s = 0; s < run.snapshot->slots(); ++s) {
      const auto& path = run.snapshot->paths[static_cast<std::size_t>(s)];
      paths[r * shape.slots + s] = path == nullptr ? nullptr : path->path;
    }
    for (Index t = 0; t < run.snapshot->task_count(); ++t) {
      const Snapshot::Task& task = run.snapshot->task(t);
      const Index at = r * shape.tasks + t;
      routers[at] = task.router == nullptr ? nullptr : task.router->levels;
      heads[at] = task.head->head;
      const bool is_int8 = task.head->arithmetic == Arithmetic::kS8;
      (is_int8 ? int8_taps : wide_taps)[at] = task.head->taps;
    }
  }
}

}  // namespace sakedge::cuda
