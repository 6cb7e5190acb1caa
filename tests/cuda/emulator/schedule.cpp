// Which thread runs next: of the warp with the highest priority that can, so that it runs as far
// ahead as it may; any lane of it. Priorities change at random points.
#include <bit>
#include <cstdarg>
#include <cstdio>

#include "emulator/block.h"

namespace sakedge::emulator {

Here here;
Block block;

namespace {

constexpr uint32_t kTurnsBetweenChanges = 257;

uint32_t bit(int t) { return 1u << t % kLanes; }
Warp& warp_of(int t) { return block.warps[static_cast<size_t>(t / kLanes)]; }

// The next thread, -1 if none can run.
int pick() {
  if (block.random.below(kTurnsBetweenChanges) == 0) {
    const uint32_t warp = block.random.below(static_cast<uint32_t>(block.warps.size()));
    block.warps[warp].priority = static_cast<uint32_t>(block.random.next());
    block.running = -1;
  }
  if (block.running < 0 || block.warps[static_cast<size_t>(block.running)].ready == 0) {
    block.running = -1;
    uint32_t highest = 0;
    for (size_t w = 0; w < block.warps.size(); ++w)
      if (block.warps[w].ready != 0 && (block.running < 0 || block.warps[w].priority > highest)) {
        block.running = static_cast<int>(w);
        highest = block.warps[w].priority;
      }
    if (block.running < 0) return -1;
  }
  const int turn = static_cast<int>(block.random.below(kLanes));
  const uint32_t ready = std::rotr(block.warps[static_cast<size_t>(block.running)].ready, turn);
  return block.running * kLanes + (std::countr_zero(ready) + turn) % kLanes;
}

void to_host(bool last) {
  Fiber& from = block.lanes[static_cast<size_t>(here.thread)].fiber;
  Fiber::switch_to(from, block.host, last);
}

[[noreturn]] void fail_of_deadlock() {
  int in_warp_operations = 0;
  for (const Warp& warp : block.warps) in_warp_operations += std::popcount(warp.arrived);
  fail(
      "deadlock: %d threads wait at a barrier of the block, %d for other lanes of their warp, %d "
      "have ended",
      block.at_barrier, in_warp_operations, block.ended);
}

void check_barrier_can_open() {
  if (block.ended > 0 && block.at_barrier > 0)
    fail("divergent barrier: %d threads wait at it and %d have ended", block.at_barrier,
         block.ended);
}

void body() {
  Fiber::entered();
  block.entry->run(block.args);
  check_copies_waited();
  check_products_waited();
  Warp& warp = warp_of(here.thread);
  if (warp.arrived != 0) fail("a lane ends and others of its warp wait for it");
  warp.ready &= ~bit(here.thread);
  warp.ended |= bit(here.thread);
  ++block.ended;
  check_barrier_can_open();
  if (block.ended == here.threads) to_host(true);
  yield();
  __builtin_trap();
}

}  // namespace

void yield() {
  const int from = here.thread;
  const int to = pick();
  if (to < 0) fail_of_deadlock();
  if (to == from) return;
  ++block.counters.switches;
  here.thread = to;
  const bool last = (warp_of(from).ended & bit(from)) != 0;
  Fiber::switch_to(block.lanes[static_cast<size_t>(from)].fiber,
                   block.lanes[static_cast<size_t>(to)].fiber, last);
}

void barrier() {
  ++block.at_barrier;
  Warp& warp = warp_of(here.thread);
  if (warp.arrived != 0) fail("lanes of a warp at a barrier of the block and in warp operations");
  warp.ready &= ~bit(here.thread);
  warp.at_barrier |= bit(here.thread);
  check_barrier_can_open();
  if (block.at_barrier == here.threads) {
    for (Warp& w : block.warps) {
      w.ready |= w.at_barrier;
      w.at_barrier = 0;
    }
    block.at_barrier = 0;
    ++block.epoch;
    ++block.counters.barriers;
    block.running = -1;
  }
  yield();
}

void together(Together what, void* operands, void (*perform)(Lane* lanes)) {
  Warp& warp = warp_of(here.thread);
  Lane* const lanes = &block.lanes[static_cast<size_t>(here.thread / kLanes * kLanes)];
  Lane& lane = block.lanes[static_cast<size_t>(here.thread)];
  if (warp.ended != 0) fail("warp operation after a lane has ended");
  if (warp.at_barrier != 0)
    fail("lanes of a warp at a barrier of the block and in warp operations");
  if (warp.arrived != 0 && lanes[std::countr_zero(warp.arrived)].together != what)
    fail("lanes of a warp in different warp operations");
  lane.together = what;
  lane.operands = operands;
  warp.arrived |= bit(here.thread);
  warp.ready &= ~bit(here.thread);
  if (warp.arrived == ~0u) {
    perform(lanes);
    warp.arrived = 0;
    warp.ready = ~0u;
  }
  yield();
}

void fail(const char* format, ...) {
  char what[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  char where[256];
  std::snprintf(where, sizeof where,
                "%s, block (%d, %d, %d), thread %d, seed %llu: ", block.entry->name, here.x, here.y,
                here.z, here.thread, static_cast<unsigned long long>(block.options.seed));
  block.failure = std::string(where) + what;
  to_host(true);  // all fibers are left as they are
  __builtin_trap();
}

void run_block() {
  const auto threads = static_cast<size_t>(here.threads);
  block.block_start = ++block.epoch;
  block.at_barrier = block.ended = 0;
  block.running = -1;
  block.unseen.assign(block.shared_bytes / 16 + 1, 0);
  for (Warp& warp : block.warps) {
    warp = {};
    warp.ready = ~0u;
    warp.priority = static_cast<uint32_t>(block.random.next());
  }
  for (size_t t = 0; t < threads; ++t) {
    Lane& lane = block.lanes[t];
    lane.groups.clear();
    lane.open.clear();
    lane.landed.clear();
    lane.fiber.start(block.stacks[t], Stacks::kBytes, body);
  }
  here.thread = pick();
  Fiber::switch_to(block.host, block.lanes[static_cast<size_t>(here.thread)].fiber, false);
}

}  // namespace sakedge::emulator
