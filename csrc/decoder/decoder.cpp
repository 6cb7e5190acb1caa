#include "decoder/decoder.h"

#include <algorithm>
#include <utility>

#include "decoder/pass/run.h"
#include "image/interpolation.h"

namespace sakedge {

Expected<std::unique_ptr<Decoder>> Decoder::make(const cpu::KernelTable& kernels,
                                                 Arithmetic arithmetic, const Geometry& geometry,
                                                 std::vector<TaskPart> tasks, int threads) {
  const Geometry& g = geometry;
  const bool sane = g.channels > 0 && g.blocks > 0 && g.tokens() > 0 && g.grid_height > 0 &&
                    g.input_height > 0 && g.input_width > 0 && g.adapters >= 0 &&
                    g.adapters <= kMaxAdapters && threads > 0 && !g.levels.empty() &&
                    std::is_sorted(g.levels.begin(), g.levels.end()) && g.levels.front() >= 0 &&
                    g.levels.back() < g.blocks;
  if (!sane) {
    return Status(Code::kInvalid, "decoder: sizes that contradict each other");
  }
  for (const TaskPart& task : tasks) {
    const Index required = required_classes(task.kind);
    if (task.head == nullptr || (required != 0 && task.head->classes != required) ||
        task.head->classes > 65536) {
      return Status(Code::kInvalid, "decoder: a head's classes do not fit its kind");
    }
    if (task.head->arithmetic != arithmetic ||
        (task.router != nullptr && task.router->arithmetic != arithmetic)) {
      return Status(Code::kInvalid, std::string("decoder: a head or router is not packed for ") +
                                        cpu::name_of(arithmetic));
    }
  }
  return std::unique_ptr<Decoder>(
      new Decoder(kernels, arithmetic, geometry, std::move(tasks), threads));
}

Decoder::Decoder(const cpu::KernelTable& kernels, Arithmetic arithmetic, const Geometry& geometry,
                 std::vector<TaskPart> tasks, int threads)
    : kernels_(kernels),
      arithmetic_(arithmetic),
      geometry_(geometry),
      tasks_(std::move(tasks)),
      expand_rows_(expansion_lerps(geometry.grid_height, geometry.map_height())),
      expand_columns_(expansion_lerps(geometry.grid_width, geometry.map_width())),
      pool_(threads),
      workspaces_(threads),
      slots_(std::make_shared<Slots>(static_cast<std::size_t>(geometry.adapters))) {}

Status Decoder::exchange(Index adapter, std::shared_ptr<const AdapterPath> path) {
  if (adapter < 0 || adapter >= geometry_.adapters) {
    return {Code::kInvalid, "exchange: no adapter number " + std::to_string(adapter)};
  }
  if (path != nullptr && path->arithmetic != arithmetic_) {
    return {Code::kInvalid,
            std::string("exchange: the path is not packed for ") + cpu::name_of(arithmetic_)};
  }
  std::shared_ptr<const Slots> old;  // freed after the lock is
  const std::lock_guard lock(mutex_);
  auto slots = std::make_shared<Slots>(*slots_);
  (*slots)[static_cast<std::size_t>(adapter)] = std::move(path);
  old = std::exchange(slots_, std::move(slots));
  return {};
}

std::shared_ptr<const Slots> Decoder::slots() const {
  const std::lock_guard lock(mutex_);
  return slots_;
}

Status Decoder::validate(const Request& request, const Slots& slots) const {
  const Index outputs = request.batch * static_cast<Index>(request.tasks.size());
  if (request.batch < 0 || static_cast<Index>(request.features.size()) != geometry_.blocks + 1 ||
      static_cast<Index>(request.windows.size()) != request.batch ||
      static_cast<Index>(request.outputs.size()) != outputs) {
    return {Code::kInvalid, "run: features, windows or outputs do not fit the batch"};
  }
  for (const Index task : request.tasks) {
    if (task < 0 || task >= static_cast<Index>(tasks_.size())) {
      return {Code::kInvalid, "run: no task number " + std::to_string(task)};
    }
  }
  for (Index i = 0; i < request.batch * geometry_.adapters; ++i) {
    const Index adapter = i % geometry_.adapters;
    if (request.wanted[i] != 0 && slots[static_cast<std::size_t>(adapter)] == nullptr) {
      return {Code::kAdapterAbsent, std::to_string(adapter)};
    }
  }
  return {};
}

Status Decoder::run(const Request& request) {
  const std::shared_ptr<const Slots> snapshot = slots();
  if (Status status = validate(request, *snapshot); !status.ok()) {
    return status;
  }
  const WorkspacePool::Lease workspace = workspaces_.acquire();
  const ThreadPool::Burst burst(pool_);
  Run run{kernels_,        select(kernels_, arithmetic_),
          geometry_,       tasks_,
          *snapshot,       expand_rows_,
          expand_columns_, request,
          pool_,           *workspace};
  for (Index image = 0; image < request.batch; ++image) {
    run.image(image);
  }
  return {};
}

}  // namespace sakedge
