#include "cuda/student/snapshot.h"

#include <string>

namespace sakedge::cuda {
namespace {

Status invalid(const std::string& problem) { return {Code::kInvalid, "snapshot: " + problem}; }

Status check_part(const Part& part, const Part& stem, const std::string& name) {
  const StemShape& wanted = stem.geometry;
  const StemShape& got = part.geometry;
  if (got != wanted) {
    return invalid(name + " for " + got.text() + ", not for " + wanted.text());
  }
  if (wide(part.arithmetic) != wide(stem.arithmetic)) {
    return invalid(name + " in " + name_of(wide(part.arithmetic)) + ", the stem is in " +
                   name_of(wide(stem.arithmetic)));
  }
  if (part.device->context() != stem.device->context()) {
    return invalid(name + " on another device");
  }
  return {};
}

Status check_task(const Snapshot::Task& task, const Part& stem, Index experts) {
  if (task.head == nullptr || task.decoder == nullptr ||
      task.head->classes < task.decoder->fewest || task.head->classes > task.decoder->most) {
    return invalid("a head's classes do not fit its decoder");
  }
  if (Status status = check_part(*task.head, stem, "a head"); !status.ok()) {
    return status;
  }
  if (task.router == nullptr) {
    return {};
  }
  if (task.router->experts != experts) {
    return invalid("a router of " + std::to_string(task.router->experts) + " experts among " +
                   std::to_string(experts));
  }
  return check_part(*task.router, stem, "a router");
}

}  // namespace

Status check(const Snapshot& snapshot, const Part& stem) {
  if (snapshot.slots() > kMaxAdapters) {
    return invalid("more than " + std::to_string(kMaxAdapters) + " adapters");
  }
  if (snapshot.task_count() > kMaxTasks) {
    return invalid("more than " + std::to_string(kMaxTasks) + " tasks");
  }
  for (const auto& path : snapshot.paths) {
    if (path == nullptr) {
      continue;
    }
    if (Status status = check_part(*path, stem, "an adapter"); !status.ok()) {
      return status;
    }
  }
  for (const Snapshot::Task& task : snapshot.tasks) {
    if (Status status = check_task(task, stem, snapshot.experts()); !status.ok()) {
      return status;
    }
  }
  return {};
}

}  // namespace sakedge::cuda
