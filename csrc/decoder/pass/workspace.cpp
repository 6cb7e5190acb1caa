#include "decoder/pass/workspace.h"

namespace sakedge {

void Workspace::reserve_scratch(Index bytes) {
  for (AlignedBytes& buffer : scratch) {
    buffer.reserve(bytes);
  }
}

WorkspacePool::Lease WorkspacePool::acquire() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Workspace* workspace = idle_.back().release();
      idle_.pop_back();
      return {workspace, Return{this}};
    }
  }
  return {new Workspace(workers_), Return{this}};
}

void WorkspacePool::release(Workspace* workspace) {
  std::unique_ptr<Workspace> owned(workspace);
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(owned));
}

}  // namespace sakedge
