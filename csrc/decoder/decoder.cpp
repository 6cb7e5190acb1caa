#include "decoder/decoder.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "decoder/pass/pass.h"
#include "image/interpolation.h"

namespace sakedge {
namespace {

bool sane(const Geometry& g) {
  return g.channels > 0 && g.blocks > 0 && g.grid_height > 0 && g.grid_width > 0 &&
         g.input.height > 0 && g.input.width > 0 && !g.levels.empty() &&
         std::is_sorted(g.levels.begin(), g.levels.end()) && g.levels.front() >= 0 &&
         g.levels.back() < g.blocks;
}

Status check(const ImageRequest& image, const Geometry& geometry, Arithmetic arithmetic) {
  if (image.snapshot == nullptr || static_cast<Index>(image.stem.size()) != geometry.blocks + 1 ||
      static_cast<Index>(image.outputs.size()) != image.snapshot->task_count() ||
      image.routing == nullptr || image.finite == nullptr) {
    return {Code::kInvalid, "run: an image lacks its snapshot, stem outputs or results"};
  }
  return check(*image.snapshot, geometry, arithmetic);
}

}  // namespace

Expected<std::unique_ptr<Decoder>> Decoder::make(const cpu::KernelTable& kernels,
                                                 Arithmetic arithmetic, const Geometry& geometry,
                                                 std::shared_ptr<ThreadPool> pool) {
  if (pool == nullptr || !sane(geometry)) {
    return Status(Code::kInvalid, "decoder: sizes that contradict each other");
  }
  return std::unique_ptr<Decoder>(new Decoder(kernels, arithmetic, geometry, std::move(pool)));
}

Decoder::Decoder(const cpu::KernelTable& kernels, Arithmetic arithmetic, const Geometry& geometry,
                 std::shared_ptr<ThreadPool> pool)
    : kernels_(kernels),
      arithmetic_(arithmetic),
      geometry_(geometry),
      expand_rows_(expansion_lerps(geometry.grid_height, geometry.map().height)),
      expand_columns_(expansion_lerps(geometry.grid_width, geometry.map().width)),
      pool_(std::move(pool)),
      workspaces_(pool_->threads()) {}

Status Decoder::run(std::span<const ImageRequest> images) {
  for (const ImageRequest& image : images) {
    if (Status status = check(image, geometry_, arithmetic_); !status.ok()) {
      return status;
    }
  }
  const WorkspacePool::Lease workspace = workspaces_.acquire();
  const ThreadPool::Burst burst(*pool_);
  for (const ImageRequest& image : images) {
    std::atomic<bool> finite = true;
    run_pass({kernels_, select(kernels_, arithmetic_), geometry_, image, *image.snapshot,
              expand_rows_, expand_columns_, *pool_, *workspace, finite});
    *image.finite = finite;
  }
  return {};
}

}  // namespace sakedge
