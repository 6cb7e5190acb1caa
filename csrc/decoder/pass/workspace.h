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
  std::vector<AlignedBytes> scratch;  // one per worker

  explicit Workspace(int workers) : scratch(static_cast<std::size_t>(workers)) {}

  std::byte* scratch_of(int worker) const {
    return scratch[static_cast<std::size_t>(worker)].data();
  }
  void reserve_scratch(Index bytes);
};

// Workspaces that are not in use. As many exist as runs were ever concurrent.
class WorkspacePool {
 public:
  explicit WorkspacePool(int workers) : workers_(workers) {}

  struct Return {
    WorkspacePool* pool;
    void operator()(Workspace* workspace) const { pool->release(workspace); }
  };
  using Lease = std::unique_ptr<Workspace, Return>;

  Lease acquire();

 private:
  void release(Workspace* workspace);

  int workers_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;  // guarded by mutex_
};

}  // namespace sakedge
