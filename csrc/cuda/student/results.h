#pragma once

#include <memory>

#include "cuda/driver/memory.h"
#include "cuda/driver/pinned_pool.h"
#include "cuda/driver/stream.h"

namespace sakedge::cuda {

// Memory for results. On the host every call has a block of its own, which whoever wants its
// results keeps as long as they are wanted; on the device calls share theirs. Not safe from several
// threads, but for what is done with blocks.
class Results {
 public:
  explicit Results(std::shared_ptr<Context> context);

  // Of the host, aligned to kAlign.
  using Block = std::shared_ptr<std::byte>;
  static constexpr Index kAlign = 128;

  struct Lent {
    Block host;
    std::byte* device = nullptr;
    bool is_one = false;  // an integrated device sees the block itself

    // The first bytes, which lie on the device.
    Status to_host(Stream& stream, Index bytes) const;
  };
  // So many bytes on the host, the first `sampled` of them on the device too. Pinned memory that
  // runs out makes a call slower and no more: its block is ordinary memory then. Fails with
  // kDeviceMemory.
  Status lend(Index bytes, Index sampled, Lent& lent);

  Index memory() const { return pool_.size() + device_.size(); }

 private:
  std::shared_ptr<Context> context_;
  PinnedPool pool_;
  DeviceMemory device_;
};

}  // namespace sakedge::cuda
