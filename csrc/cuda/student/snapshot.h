#pragma once

#include <memory>
#include <vector>

#include "cuda/student/parts/adapter_path.h"
#include "cuda/student/parts/head.h"
#include "cuda/student/parts/router.h"
#include "image/pixel_decoder.h"

namespace sakedge::cuda {

// Every exchangeable part that one image is computed with, as the decoder's (decoder/snapshot.h).
struct Snapshot {
  struct Task {
    const PixelDecoder* decoder = nullptr;
    std::shared_ptr<const HeadPart> head;
    std::shared_ptr<const Router> router;  // null: the plain sum of all experts
  };

  std::vector<std::shared_ptr<const AdapterPath>> paths;  // null takes no part
  std::vector<Task> tasks;

  Index slots() const { return static_cast<Index>(paths.size()); }
  Index experts() const { return 1 + slots(); }
  Index task_count() const { return static_cast<Index>(tasks.size()); }
  const Task& task(Index index) const { return tasks[static_cast<std::size_t>(index)]; }
};

// Checks that parts fit together, a student of these sizes on that device, and what it computes
// in: a task's taps may be in int8 or not, the 16-bit type is one for all. Fails with kInvalid.
Status check(const Snapshot& snapshot, const Part& stem);

}  // namespace sakedge::cuda
