#pragma once

#include <memory>
#include <string>
#include <vector>

#include "decoder/weights/adapter_path.h"
#include "decoder/weights/head.h"
#include "decoder/weights/router.h"
#include "image/pixel_decoder.h"

namespace sakedge {

// What one task of an image is computed with.
struct TaskParts {
  const PixelDecoder* decoder = nullptr;
  std::shared_ptr<const Head> head;
  std::shared_ptr<const Router> router;  // null: the plain sum of all experts
};

// Every exchangeable part that one image is computed with. Immutable: whoever exchanges a part
// makes another snapshot, and who still holds this one keeps its parts alive.
//
// The expert count is the snapshot's, not the student's: expert 0 is the stem, expert 1 + i the
// path paths[i], which is null where it takes no part. Tasks come in the order of the results.
struct Snapshot {
  std::vector<std::shared_ptr<const AdapterPath>> paths;
  std::vector<TaskParts> tasks;

  Index experts() const { return 1 + static_cast<Index>(paths.size()); }
  Index task_count() const { return static_cast<Index>(tasks.size()); }
  const TaskParts& task(Index index) const { return tasks[static_cast<std::size_t>(index)]; }
  const AdapterPath* path(Index adapter) const {
    return paths[static_cast<std::size_t>(adapter)].get();
  }
};

// Checks that parts fit together and a student of these sizes. Fails with kInvalid.
Status check(const Snapshot& snapshot, const Geometry& geometry);

}  // namespace sakedge
