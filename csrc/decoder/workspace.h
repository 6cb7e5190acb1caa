#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "core/aligned.h"

namespace sakedge {

// Memory of one run. Buffers keep their size between runs, so a student that runs for a year needs
// what its largest call needed.
struct Workspace {
  AlignedBuffer router_sums;          // partial sums of the routers' hidden layers
  AlignedBytes levels;                // level linears of all tasks, prepared: [task][token]
  AlignedBuffer taps[2];              // nine tap maps of one chunk, and of the next
  AlignedBuffer maps[2];              // one task's logits at (H/4, W/4), and the next one's
  std::vector<AlignedBytes> scratch;  // one per thread slot

  explicit Workspace(int slots) : scratch(static_cast<std::size_t>(slots)) {}

  std::byte* slot(int index) const { return scratch[static_cast<std::size_t>(index)].data(); }
  void reserve_scratch(Index bytes);
};

// Workspaces that are not in use. As many exist as runs were ever concurrent.
class WorkspacePool {
 public:
  explicit WorkspacePool(int slots) : slots_(slots) {}

  struct Return {
    WorkspacePool* pool;
    void operator()(Workspace* workspace) const { pool->release(workspace); }
  };
  using Lease = std::unique_ptr<Workspace, Return>;

  Lease acquire();

 private:
  void release(Workspace* workspace);

  int slots_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;  // guarded by mutex_
};

}  // namespace sakedge
