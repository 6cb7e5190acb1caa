#include "cuda/driver/pinned_pool.h"

#include <mutex>
#include <utility>
#include <vector>

namespace sakedge::cuda {
namespace {

// Blocks are multiples of this, so that calls whose sizes differ a little share them.
constexpr Index kStep = Index{1} << 20;

}  // namespace

// What a pool and its blocks share. The driver is called without its mutex: nobody who gives a
// block back waits for memory to be pinned.
struct PinnedPool::Shelf {
  mutable std::mutex mutex;
  const Index most;
  std::vector<HostMemory> waiting;
  Index bytes = 0;  // of those and of all that are lent
  Index lent = 0;

  explicit Shelf(Index limit) : most(limit) {}

  // The smallest that serves; empty where there is none. One of more than twice the size stays: who
  // keeps little must not hold much.
  HostMemory find(Index size) {
    const std::lock_guard lock(mutex);
    auto best = waiting.end();
    for (auto it = waiting.begin(); it != waiting.end(); ++it) {
      if (it->size() >= size && it->size() / 2 <= size &&
          (best == waiting.end() || it->size() < best->size())) {
        best = it;
      }
    }
    if (best == waiting.end()) {
      return {};
    }
    std::swap(*best, waiting.back());
    HostMemory found = std::move(waiting.back());
    waiting.pop_back();
    ++lent;
    return found;
  }

  // Whether there may be a block of so many bytes more, which then counts as lent. Those that wait
  // make room for it where it needs some, and end with `dropped`.
  bool admit(Index size, std::vector<HostMemory>& dropped) {
    const std::lock_guard lock(mutex);
    while (bytes + size > most && !waiting.empty()) {
      drop(dropped);
    }
    if (bytes + size > most && lent >= kFewest) {
      return false;
    }
    bytes += size;
    ++lent;
    waiting.reserve(waiting.size() +
                    static_cast<std::size_t>(lent));  // so that none comes back in vain
    return true;
  }

  void drop_all(std::vector<HostMemory>& dropped) {
    const std::lock_guard lock(mutex);
    while (!waiting.empty()) {
      drop(dropped);
    }
  }

  void refuse(Index size) {
    const std::lock_guard lock(mutex);
    bytes -= size;
    --lent;
  }

  void give_back(HostMemory block) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(block));
    --lent;
  }

 private:
  void drop(std::vector<HostMemory>& dropped) {
    bytes -= waiting.back().size();
    dropped.push_back(std::move(waiting.back()));
    waiting.pop_back();
  }
};

PinnedPool::PinnedPool(std::shared_ptr<Context> context, Index most)
    : context_(std::move(context)), shelf_(std::make_shared<Shelf>(most)) {}

Expected<PinnedPool::Block> PinnedPool::take(Index bytes) {
  const Index size = (bytes + kStep - 1) / kStep * kStep;
  HostMemory memory = shelf_->find(size);
  if (memory.data() == nullptr) {
    std::vector<HostMemory> dropped;
    if (!shelf_->admit(size, dropped)) {
      return Block();
    }
    dropped.clear();
    Expected<HostMemory> made = HostMemory::make(context_, size);
    if (!made.ok() && made.status().code() == Code::kDeviceMemory) {
      shelf_->drop_all(dropped);
      dropped.clear();
      made = HostMemory::make(context_, size);
    }
    if (!made.ok()) {
      shelf_->refuse(size);
      return made.status().code() == Code::kDeviceMemory ? Expected<Block>(Block())
                                                         : Expected<Block>(made.status());
    }
    memory = std::move(made).take();
  }
  // A block that outlives the pool is freed by whoever holds it last; it keeps its context.
  const auto release = [shelf = std::weak_ptr(shelf_)](HostMemory* block) {
    const std::unique_ptr<HostMemory> owned(block);
    if (const std::shared_ptr<Shelf> there = shelf.lock()) {
      there->give_back(std::move(*owned));
    }
  };
  return Block(new HostMemory(std::move(memory)), release);
}

Index PinnedPool::size() const {
  const std::lock_guard lock(shelf_->mutex);
  return shelf_->bytes;
}

}  // namespace sakedge::cuda
