#pragma once

#include <memory>

#include "cuda/driver/memory.h"

namespace sakedge::cuda {

// Pinned memory that is lent block by block: to pin takes milliseconds, so a block that nothing
// holds any more waits here for its next use. Any thread may take and give back; blocks may outlive
// the pool.
class PinnedPool {
 public:
  using Block = std::shared_ptr<const HostMemory>;

  // Pins no more than `most` bytes, lent ones and waiting ones together, but for the kFewest blocks
  // that calls need which overlap.
  PinnedPool(std::shared_ptr<Context> context, Index most);
  static constexpr Index kFewest = 2;

  // A block of at least so many bytes, at least 1, not set. Null where `most` is lent, or the
  // system pins no more. Fails as HostMemory::make otherwise.
  Expected<Block> take(Index bytes);

  // Bytes that are pinned.
  Index size() const;

 private:
  struct Shelf;

  std::shared_ptr<Context> context_;
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace sakedge::cuda
