// Shared memory, and asynchronous copies to it.
#include <cstring>

#include "emulator/block.h"
#include "emulator/memory.h"

namespace sakedge::emulator {
namespace {

void access_shared(int thread, const void* p, unsigned bytes, Access access) {
  const size_t at = static_cast<size_t>(static_cast<const unsigned char*>(p) - here.shared);
  const char* const verb = access == Access::kRead ? "reads" : "writes";
  if (at >= block.shared_bytes || at + bytes > block.shared_bytes)
    fail("%s %u bytes out of bounds at byte %lld of %zu of shared memory", verb, bytes,
         static_cast<long long>(at), block.shared_bytes);
  if (at % bytes != 0) fail("%s %u bytes misaligned at byte %zu of shared memory", verb, bytes, at);
  if (block.options.races == 0) return;
  Thread by = block.thread(thread);
  by.launch_start = by.block_start;  // each block has its own
  const Race race = block.shared.access(at, bytes, access, by);
  if (race.what != nullptr)
    fail("race: %s, byte %zu of shared memory%s", race.what, race.at, with(race.other).text);
}

void land(Copy& copy) {
  access_shared(here.thread, copy.to, 16, Access::kCopyLands);
  const size_t chunk = static_cast<size_t>(copy.to - here.shared) / 16;
  block.unseen[chunk] = here.thread + 1;
  block.lanes[static_cast<size_t>(here.thread)].landed.push_back(chunk);
  if (copy.landed) return;
  if (copy.valid != 0) std::memcpy(copy.to, copy.from, copy.valid);
  std::memset(copy.to + copy.valid, 0, 16 - copy.valid);
  copy.landed = true;
}

Lane& lane() { return block.lanes[static_cast<size_t>(here.thread)]; }

}  // namespace

void read_shared(const void* p, unsigned bytes) {
  access_shared(here.thread, p, bytes, Access::kRead);
}
void read_shared_of(int thread, const void* p, unsigned bytes) {
  access_shared(thread, p, bytes, Access::kRead);
}
void write_shared(const void* p, unsigned bytes) {
  access_shared(here.thread, p, bytes, Access::kWrite);
}

void copy_async(void* to, const void* from, unsigned valid) {
  if (valid != 0) read_global(from, valid);
  if (reinterpret_cast<uintptr_t>(from) % 16 != 0 && valid != 0)
    fail("asynchronous copy from %p, which is not aligned to 16 bytes", from);
  access_shared(here.thread, to, 16, Access::kCopyBegins);
  Copy copy{static_cast<unsigned char*>(to), static_cast<const unsigned char*>(from), valid, false};
  if (block.options.late_copies == 0 && block.random.below(2) == 0) {
    if (valid != 0) std::memcpy(to, from, valid);
    std::memset(copy.to + valid, 0, 16 - valid);
    copy.landed = true;
  }
  lane().open.push_back(copy);
  ++block.counters.copies;
}

void copy_commit() {
  lane().groups.push_back(std::move(lane().open));
  lane().open.clear();
}

void copy_wait(unsigned left) {
  auto& groups = lane().groups;
  while (groups.size() > left) {
    for (Copy& copy : groups.front()) land(copy);
    groups.pop_front();
  }
}

void check_copies_waited() {
  size_t in_flight = lane().open.size();
  for (const auto& group : lane().groups) in_flight += group.size();
  if (in_flight != 0) fail("ends with %zu asynchronous copies not waited for", in_flight);
}

}  // namespace sakedge::emulator
