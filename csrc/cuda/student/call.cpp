#include "cuda/student/call.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cuda/student/results.h"

namespace sakedge::cuda {
namespace {

// Arrays of one call begin at a multiple of this: what one load takes, and a whole cache line.
constexpr Index kAlign = Results::kAlign;

// Takes `bytes` from `used`; where they begin.
Index take(Index& used, Index bytes) {
  const Index at = used;
  used = round_up(used + bytes, kAlign);
  return at;
}

Index values_bytes(const Run& run, const Snapshot::Task& task) {
  return run.window.height * run.window.width * task.decoder->pixel_size();
}
Index floats_bytes(Index classes, Size size) {
  return classes * size.area() * static_cast<Index>(sizeof(float));
}

// Along an axis: pixel i of an output lies at ((i + 0.5) * scale + offset) on an input of `extent`
// pixels that a map of `cells` spans.
void place_axis(double scale, double offset, Index cells, Index extent, float& out_scale,
                float& out_offset) {
  const double ratio = static_cast<double>(cells) / static_cast<double>(extent);
  out_scale = static_cast<float>(scale * ratio);
  out_offset = static_cast<float>(offset * ratio - 0.5);
}

DecodeJob job_of(const Window& window, const Geometry& geometry, const Snapshot::Task& task,
                 const float* map, void* out) {
  DecodeJob job{};
  job.map = map;
  job.out = out;
  job.decoder = row_of(*task.decoder);
  job.classes = static_cast<int>(task.head->classes);
  job.height = static_cast<int>(window.height);
  job.width = static_cast<int>(window.width);
  place_axis(window.scale_y, window.top, geometry.map().height, geometry.input.height,
             job.row_scale, job.row_offset);
  place_axis(window.scale_x, window.left, geometry.map().width, geometry.input.width,
             job.column_scale, job.column_offset);
  return job;
}

}  // namespace

Call::Call(const Request& request, const Geometry& geometry) : shape_(Shape::of(request)) {
  for (const PictureSource& picture : request.pictures) {
    if (!picture.on_device) {
      take(pixels_, picture.bytes());
    }
  }
  places_.resize(static_cast<std::size_t>(shape_.runs * shape_.tasks));
  const auto each = [&](const auto& visit) {
    for (Index r = 0; r < shape_.runs; ++r) {
      const Run& run = request.runs[static_cast<std::size_t>(r)];
      for (Index t = 0; t < run.snapshot->task_count(); ++t) {
        visit(run, run.snapshot->task(t), places_[static_cast<std::size_t>(r * shape_.tasks + t)]);
      }
    }
  };
  each([&](const Run& run, const Snapshot::Task& task, Place& place) {
    if (request.wanted.values) {
      place.values = take(results_, values_bytes(run, task));
    }
    if (request.wanted.logits) {
      place.logits = take(results_, floats_bytes(task.head->classes, geometry.input));
    }
  });
  sampled_ = results_;
  each([&](const Run&, const Snapshot::Task& task, Place& place) {
    if (request.wanted.maps) {
      place.map = take(results_, floats_bytes(task.head->classes, geometry.map()));
    }
  });
}

void Call::write(const Request& request, const Geometry& geometry, const Graphs& graphs,
                 const Mirror& pixels, std::byte* results) {
  const Index levels = geometry.level_count();
  const CallTables tables(shape_, levels, graphs.tables().host());
  const CallTables there(shape_, levels, graphs.tables().device());
  tables.fill(shape_, request);
  write_pictures(request, tables, pixels);
  const Size map = geometry.map();
  decode_ = {there.decode, 0, 0, 0, map.height, map.width};
  upsample_ = {there.upsample, 0, 0, 0, map.height, map.width};
  const Window whole{geometry.input.height, geometry.input.width};
  for (Index r = 0; r < shape_.runs; ++r) {
    const Run& run = request.runs[static_cast<std::size_t>(r)];
    for (Index t = 0; t < run.snapshot->task_count(); ++t) {
      const Snapshot::Task& task = run.snapshot->task(t);
      const float* from = graphs.maps() + (r * shape_.tasks + t) * map_stride(shape_, geometry);
      if (request.wanted.values) {
        tables.decode[decode_.count++] =
            job_of(run.window, geometry, task, from, results + place(r, t).values);
        decode_.height = std::max(decode_.height, run.window.height);
        decode_.width = std::max(decode_.width, run.window.width);
      }
      if (request.wanted.logits) {
        tables.upsample[upsample_.count++] =
            job_of(whole, geometry, task, from, results + place(r, t).logits);
        upsample_.height = whole.height;
        upsample_.width = whole.width;
      }
      if (request.wanted.maps) {
        maps_.push_back({from, place(r, t).map, floats_bytes(task.head->classes, map)});
      }
    }
  }
}

void Call::write_pictures(const Request& request, const CallTables& tables,
                          const Mirror& pixels) const {
  Index used = 0;
  for (std::size_t i = 0; i < request.pictures.size(); ++i) {
    const PictureSource& picture = request.pictures[i];
    const void* lies = picture.pixels;
    if (!picture.on_device) {
      const Index at = take(used, picture.bytes());
      std::memcpy(pixels.host() + at, picture.pixels, static_cast<std::size_t>(picture.bytes()));
      lies = pixels.device() + at;
    }
    tables.pictures[i] = {lies,
                          picture.type,
                          static_cast<int>(picture.height),
                          static_cast<int>(picture.width),
                          static_cast<int>(picture.top),
                          static_cast<int>(picture.left)};
  }
}

void Call::deliver(Request& request, const Geometry& geometry, const Graphs& graphs,
                   std::byte* results) const {
  const Index levels = geometry.level_count();
  const CallTables tables(shape_, levels, graphs.tables().host());
  for (Index r = 0; r < shape_.runs; ++r) {
    Run& run = request.runs[static_cast<std::size_t>(r)];
    const Index experts = run.snapshot->experts();
    run.outputs.clear();
    bool is_finite = tables.finite[r] != 0;
    for (Index t = 0; t < run.snapshot->task_count(); ++t) {
      const auto at = [&](bool wanted, Index begin) { return wanted ? results + begin : nullptr; };
      run.outputs.push_back({at(request.wanted.values, place(r, t).values),
                             at(request.wanted.logits, place(r, t).logits),
                             at(request.wanted.maps, place(r, t).map)});
      for (Index level = 0; level < levels; ++level) {
        const float* from =
            tables.routing + ((r * shape_.tasks + t) * levels + level) * (1 + shape_.slots);
        std::copy_n(from, experts, run.routing + (t * levels + level) * experts);
        is_finite = is_finite && std::all_of(from, from + experts,
                                             [](float weight) { return std::isfinite(weight); });
      }
    }
    *run.finite = is_finite;
  }
}

}  // namespace sakedge::cuda
