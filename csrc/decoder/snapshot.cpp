#include "decoder/snapshot.h"

namespace sakedge {
namespace {

Status invalid(const std::string& problem) { return {Code::kInvalid, "snapshot: " + problem}; }

// What every kind of part must have in common with the student.
template <typename Part>
Status check_part(const Part& part, const Geometry& geometry, const std::string& name) {
  const StemShape& stem = geometry;
  if (part.stem != stem) {
    return invalid(name + " for " + part.stem.text() + ", not for " + stem.text());
  }
  return {};
}

}  // namespace

Status check(const Snapshot& snapshot, const Geometry& geometry) {
  if (static_cast<Index>(snapshot.paths.size()) > kMaxAdapters) {
    return invalid("more than " + std::to_string(kMaxAdapters) + " adapters");
  }
  if (snapshot.task_count() > kMaxTasks) {
    return invalid("more than " + std::to_string(kMaxTasks) + " tasks");
  }
  for (const auto& path : snapshot.paths) {
    if (path == nullptr) {
      continue;
    }
    if (Status status = check_part(*path, geometry, "an adapter"); !status.ok()) {
      return status;
    }
  }
  for (const TaskParts& task : snapshot.tasks) {
    if (task.head == nullptr || task.decoder == nullptr ||
        task.head->classes < task.decoder->fewest || task.head->classes > task.decoder->most) {
      return invalid("a head's classes do not fit its decoder");
    }
    if (Status status = check_part(*task.head, geometry, "a head"); !status.ok()) {
      return status;
    }
    if (task.router == nullptr) {
      continue;
    }
    if (Status status = check_part(*task.router, geometry, "a router"); !status.ok()) {
      return status;
    }
    if (task.router->experts() != snapshot.experts()) {
      return invalid("a router of " + std::to_string(task.router->experts()) + " experts among " +
                     std::to_string(snapshot.experts()));
    }
  }
  return {};
}

}  // namespace sakedge
