#include <cstring>
#include <map>
#include <string>

#include "emulator/block.h"
#include "emulator/memory.h"

namespace sakedge::emulator {
namespace {

struct Allocation {
  size_t bytes;
  std::string name;
  bool writable;
  Shadow shadow;
};
using Allocations = std::map<uintptr_t, Allocation>;
struct Memory {
  Allocations allocations;
  Allocations::iterator recent = allocations.end();
};
// Constants of kernels are allocated before main.
Memory& memory() {
  static Memory memory;
  return memory;
}

// The allocation with the greatest address that is not above `at`.
Allocations::iterator find(uintptr_t at) {
  auto& [allocations, recent] = memory();
  if (recent != allocations.end() && at - recent->first < recent->second.bytes) return recent;
  auto next = allocations.upper_bound(at);
  return next == allocations.begin() ? allocations.end() : recent = std::prev(next);
}

void access_global(const void* p, unsigned bytes, const void* value) {
  const auto at = reinterpret_cast<uintptr_t>(p);
  const char* const verb = value == nullptr ? "reads" : "writes";
  const auto found = find(at);
  if (found == memory().allocations.end())
    fail("%s %u bytes at %p, below all of global memory", verb, bytes, p);
  auto& [start, allocation] = *found;
  const size_t offset = at - start;
  if (offset + bytes > allocation.bytes)
    fail("%s %u bytes out of bounds at %p: byte %zu of %zu of %s", verb, bytes, p, offset,
         allocation.bytes, allocation.name.c_str());
  if (at % bytes != 0)
    fail("%s %u bytes misaligned at %p: byte %zu of %s", verb, bytes, p, offset,
         allocation.name.c_str());
  if (value != nullptr && !allocation.writable)
    fail("writes %s, which is constant", allocation.name.c_str());
  if (block.options.races == 0) return;
  const Access access = value == nullptr ? Access::kRead : Access::kWrite;
  // Blocks may agree on a value that several of them write.
  const bool same = value != nullptr && std::memcmp(p, value, bytes) == 0;
  const Race race =
      allocation.shadow.access(offset, bytes, access, block.thread(here.thread), same);
  if (race.what != nullptr)
    fail("race: %s, byte %zu of %s%s", race.what, race.at, allocation.name.c_str(),
         with(race.other).text);
}

}  // namespace

std::mutex& busy() {
  static std::mutex mutex;
  return mutex;
}

void allocate(const void* p, size_t bytes, const char* name, bool writable) {
  const std::lock_guard lock(busy());
  auto& [allocations, recent] = memory();
  allocations.insert_or_assign(reinterpret_cast<uintptr_t>(p),
                               Allocation{bytes, name, writable, Shadow(bytes)});
  recent = allocations.end();
}

void release(const void* p) {
  const std::lock_guard lock(busy());
  auto& [allocations, recent] = memory();
  allocations.erase(reinterpret_cast<uintptr_t>(p));
  recent = allocations.end();
}

size_t allocated(const void* p) {
  const std::lock_guard lock(busy());
  const auto at = reinterpret_cast<uintptr_t>(p);
  const auto found = find(at);
  if (found == memory().allocations.end() || at - found->first >= found->second.bytes) return 0;
  return found->second.bytes - (at - found->first);
}

void read_global(const void* p, unsigned bytes) { access_global(p, bytes, nullptr); }
void write_global(const void* p, unsigned bytes, const void* value) {
  access_global(p, bytes, value);
}

}  // namespace sakedge::emulator
