#include "decoder/decoder.h"

#include <atomic>
#include <utility>

#include "core/limits.h"
#include "decoder/pass/pass.h"
#include "decoder/work.h"
#include "image/interpolation.h"

namespace sakedge {
namespace {

Status lacking(const std::string& what) {
  return {Code::kInvalid, "run: an image lacks its " + what};
}

}  // namespace

Expected<std::unique_ptr<Decoder>> Decoder::make(const cpu::KernelTable& kernels,
                                                 const Geometry& geometry,
                                                 std::shared_ptr<ThreadPool> pool) {
  if (pool == nullptr) {
    return Status(Code::kInvalid, "decoder: expected a pool of threads");
  }
  return std::unique_ptr<Decoder>(new Decoder(kernels, geometry, std::move(pool)));
}

Decoder::Decoder(const cpu::KernelTable& kernels, const Geometry& geometry,
                 std::shared_ptr<ThreadPool> pool)
    : kernels_(kernels),
      geometry_(geometry),
      expand_rows_(expansion_lerps(geometry.grid_height, geometry.map().height)),
      expand_columns_(expansion_lerps(geometry.grid_width, geometry.map().width)),
      pool_(std::move(pool)),
      workspaces_(pool_->threads()) {}

Status Decoder::check(const ImageRequest& image) const {
  if (image.snapshot == nullptr) {
    return lacking("snapshot");
  }
  if (static_cast<Index>(image.stem.size()) != geometry_.blocks + 1) {
    return lacking(std::to_string(geometry_.blocks + 1) + " stem outputs");
  }
  if (Status status = sakedge::check(image.window); !status.ok()) {
    return status;
  }
  if (!(image.min_weight >= 0.0f)) {
    return {Code::kInvalid, "run: expected a min_weight of at least 0"};
  }
  return sakedge::check(*image.snapshot, geometry_);
}

Status Decoder::run(std::span<const ImageRequest> images) {
  double work = 0.0;
  for (const ImageRequest& image : images) {
    if (Status status = check(image); !status.ok()) {
      return status;
    }
    if (static_cast<Index>(image.outputs.size()) != image.snapshot->task_count() ||
        image.routing == nullptr || image.finite == nullptr) {
      return lacking("results");
    }
    work += work_of(image, geometry_);
  }
  if (Status status = check_work(work); !status.ok()) {
    return status;
  }
  const WorkspacePool::Lease workspace = workspaces_.acquire();
  const ThreadPool::Burst burst(*pool_);
  for (const ImageRequest& image : images) {
    std::atomic<bool> finite = true;
    run_pass({kernels_, geometry_, image, *image.snapshot, expand_rows_, expand_columns_, *pool_,
              *workspace, finite});
    *image.finite = finite;
  }
  return {};
}

}  // namespace sakedge
