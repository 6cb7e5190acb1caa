#include "cuda/student/results.h"

#include <new>
#include <utility>

#include "cuda/student/mirror.h"

namespace sakedge::cuda {
namespace {

// Bytes that a student pins at most for results: six calls of eight images of 512 x 512 with five
// tasks. Who keeps more would pin the machine's memory, and wait for it: pages that are pinned anew
// take longer than a copy to others.
constexpr Index kMost = Index{256} << 20;

Results::Block ordinary(Index bytes) {
  constexpr std::align_val_t kAlign{Results::kAlign};
  auto* data = static_cast<std::byte*>(::operator new(static_cast<std::size_t>(bytes), kAlign));
  return {data,
          [](std::byte* block) { ::operator delete(block, std::align_val_t{Results::kAlign}); }};
}

}  // namespace

Results::Results(std::shared_ptr<Context> context)
    : context_(std::move(context)), pool_(context_, kMost) {}

Status Results::lend(Index bytes, Index sampled, Lent& lent) {
  if (bytes == 0) {
    return {};
  }
  Expected<PinnedPool::Block> pinned = pool_.take(bytes);
  if (!pinned.ok()) {
    return pinned.status();
  }
  const PinnedPool::Block block = std::move(pinned).take();
  lent.host = block == nullptr ? ordinary(bytes) : Block(block, block->data());
  lent.is_one = block != nullptr && block->device() != nullptr;
  if (lent.is_one) {
    lent.device = block->device();
    return {};
  }
  Status status = reserve(device_, context_, sampled);
  lent.device = device_.data();
  return status;
}

Status Results::Lent::to_host(Stream& stream, Index bytes) const {
  return is_one || bytes == 0 ? Status() : stream.copy_out(host.get(), device, bytes);
}

}  // namespace sakedge::cuda
