#include "emulator/launch.h"

#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "emulator/memory.h"

namespace sakedge::emulator {
namespace {

std::map<std::string, Entry>& registry() {
  static std::map<std::string, Entry> entries;
  return entries;
}
constexpr int kMostThreads = 1024;
// NaN in every type of float.
constexpr int kPoison = 0xff;

std::string refused(const Entry& entry, const std::string& why) {
  return std::string(entry.name) + ": " + why;
}

}  // namespace

bool enter(const Entry& entry) { return registry().emplace(entry.name, entry).second; }

const std::map<std::string, Entry>& entries() { return registry(); }

std::string launch(const Entry& entry, Grid grid, size_t shared_bytes, const void* args,
                   const Options& options, Counters& counters) {
  const std::lock_guard lock(busy());
  if (entry.threads % kLanes != 0 || entry.threads <= 0 || entry.threads > kMostThreads)
    return refused(entry, "a block of " + std::to_string(entry.threads) +
                              " threads; must be whole warps, at most 1024 threads");
  if (grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 || grid.z > 65535)
    return refused(entry, "a grid of (" + std::to_string(grid.x) + ", " + std::to_string(grid.y) +
                              ", " + std::to_string(grid.z) +
                              ") blocks; must be positive, y and z at most 65535");

  block.options = options;
  block.counters = {};
  block.random = Random(options.seed);
  block.entry = &entry;
  const auto threads = static_cast<size_t>(entry.threads);
  block.lanes.resize(threads);
  block.warps.assign(threads / kLanes, {});
  block.stacks.reserve(threads);
  block.shared_bytes = shared_bytes;
  block.shared = Shadow(shared_bytes);
  block.launch_start = block.epoch + 1;
  block.failure.clear();

  constexpr size_t kAlign = 1024;
  const std::unique_ptr<unsigned char, decltype(&std::free)> shared(
      static_cast<unsigned char*>(
          std::aligned_alloc(kAlign, (shared_bytes + kAlign) / kAlign * kAlign)),
      std::free);
  const std::vector<unsigned char> given(
      static_cast<const unsigned char*>(args),
      static_cast<const unsigned char*>(args) + entry.args_bytes);
  block.args = given.data();
  here = {-1, 0, 0, 0, grid.x, grid.y, grid.z, entry.threads, shared.get()};

  std::vector<size_t> order(static_cast<size_t>(grid.x) * static_cast<size_t>(grid.y) *
                            static_cast<size_t>(grid.z));
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t other = block.random.below(static_cast<uint32_t>(i + 1));
    order[i] = order[other];
    order[other] = i;
  }
  for (const size_t at : order) {
    const auto x = static_cast<size_t>(grid.x), y = static_cast<size_t>(grid.y);
    here.x = static_cast<int>(at % x);
    here.y = static_cast<int>(at / x % y);
    here.z = static_cast<int>(at / x / y);
    std::memset(shared.get(), kPoison, shared_bytes);
    run_block();
    ++block.counters.blocks;
    if (!block.failure.empty()) break;
  }
  counters = block.counters;
  return block.failure;
}

}  // namespace sakedge::emulator

#define SAKEDGE_EXPORT extern "C" __attribute__((visibility("default")))

namespace emulator = sakedge::emulator;

SAKEDGE_EXPORT void emulator_allocate(const void* p, size_t bytes, const char* name, int writable) {
  emulator::allocate(p, bytes, name, writable != 0);
}
SAKEDGE_EXPORT void emulator_release(const void* p) { emulator::release(p); }

// Threads of a block of a kernel and bytes of its arguments; threads are 0 if there is none.
SAKEDGE_EXPORT int emulator_entry(const char* name, unsigned* args_bytes) {
  const auto found = emulator::entries().find(name);
  if (found == emulator::entries().end()) return 0;
  *args_bytes = found->second.args_bytes;
  return found->second.threads;
}

// Returns what went wrong, null if nothing did; valid until the next launch.
SAKEDGE_EXPORT const char* emulator_launch(const char* name, const int* grid, size_t shared_bytes,
                                           const void* args, const emulator::Options* options,
                                           emulator::Counters* counters) {
  static std::string failure;
  const auto found = emulator::entries().find(name);
  failure = found == emulator::entries().end()
                ? std::string("no kernel ") + name
                : emulator::launch(found->second, {grid[0], grid[1], grid[2]}, shared_bytes, args,
                                   *options, *counters);
  return failure.empty() ? nullptr : failure.c_str();
}
