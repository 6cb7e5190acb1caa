#include "cuda/student/request.h"

#include <string>

#include "core/limits.h"
#include "decoder/weights/head.h"
#include "image/interpolation.h"

namespace sakedge::cuda {
namespace {

Status invalid(const std::string& problem) { return {Code::kInvalid, "run: " + problem}; }

Status check_picture(const PictureSource& picture, const Geometry& geometry) {
  const Size size{picture.height, picture.width};
  if (Status status = sakedge::check(size, 1, "a picture"); !status.ok()) {
    return status;
  }
  if (picture.type == PictureSource::kPlanes &&
      (size.height != geometry.input.height || size.width != geometry.input.width)) {
    return invalid("expected a normalised input of " + geometry.input.text() + ", got " +
                   size.text());
  }
  for (const Index offset : {picture.top, picture.left}) {
    if (offset < -kMostSide || offset > kMostSide) {
      return invalid("a picture's place is beyond " + std::to_string(kMostSide) + " pixels");
    }
  }
  return {};
}

double product(Index a, Index b, Index c = 1) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

double stem_work(const Geometry& geometry, Index mlp) {
  const Index tokens = 1 + geometry.tokens();
  const Index c = geometry.channels;
  const double block = product(tokens, c, 4 * c + 2 * mlp) + 2 * product(tokens, tokens, c);
  return product(geometry.tokens(), geometry.pixels(), c) +
         static_cast<double>(geometry.blocks) * block;
}

double run_work(const Run& run, Wanted wanted, const Geometry& geometry) {
  const Snapshot& snapshot = *run.snapshot;
  const Size map = geometry.map();
  double of_token = 0.0;
  double of_map = 0.0;
  for (const auto& path : snapshot.paths) {
    of_token +=
        path == nullptr ? 0.0 : product(2 * (geometry.blocks + 1), geometry.channels, path->width);
  }
  for (const Snapshot::Task& task : snapshot.tasks) {
    const Index routed = task.router == nullptr ? 0 : task.router->hidden->width;
    const HeadPart& head = *task.head;
    of_token += product(geometry.level_count(), geometry.channels, routed + snapshot.experts()) +
                product(geometry.channels, head.width) + product(kTaps, head.width, head.fused);
    of_map += product(map.area(), head.fused, head.classes);
    if (wanted.values) {
      of_map += sampling_work({run.window.height, run.window.width}, map, head.classes);
    }
    if (wanted.logits) {
      of_map += sampling_work(geometry.input, map, head.classes);
    }
  }
  return static_cast<double>(geometry.tokens()) * of_token + of_map;
}

}  // namespace

Status check(const Request& request, const Part& stem) {
  const auto images = static_cast<Index>(request.pictures.size());
  if (images > kMostImages || static_cast<Index>(request.runs.size()) > kMostImages) {
    return invalid("expected at most " + std::to_string(kMostImages) + " images in a call");
  }
  if (!(request.min_weight >= 0.0f)) {
    return invalid("expected a min_weight of at least 0");
  }
  for (const PictureSource& picture : request.pictures) {
    if (Status status = check_picture(picture, stem.geometry); !status.ok()) {
      return status;
    }
  }
  for (const Run& run : request.runs) {
    if (run.snapshot == nullptr) {
      return invalid("a run lacks its snapshot");
    }
    if (run.row < 0 || run.row >= images) {
      return invalid("a row that the pictures do not have");
    }
    if (Status status = sakedge::check(run.window); !status.ok()) {
      return status;
    }
    if (Status status = check(*run.snapshot, stem); !status.ok()) {
      return status;
    }
  }
  return {};
}

double work_of(const Request& request, const Part& stem, Index mlp) {
  double work = static_cast<double>(request.pictures.size()) * stem_work(stem.geometry, mlp);
  for (const Run& run : request.runs) {
    work += run_work(run, request.wanted, stem.geometry);
  }
  return work;
}

}  // namespace sakedge::cuda
