// The block that runs: its threads, warps and shared memory. One at a time in a process.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "emulator/fiber.h"
#include "emulator/machine.h"
#include "emulator/random.h"
#include "emulator/shadow.h"

namespace sakedge::emulator {

inline constexpr int kLanes = 32;

struct Options {
  uint64_t seed = 1;
  int races = 1;        // 0: accesses are checked for bounds and alignment only
  int late_copies = 1;  // 0: a copy lands at once or when it is waited for, by chance
};

struct Counters {
  int64_t blocks, switches, barriers, warp_barriers, multiplies, matrices, bank_conflicts, copies;
};

struct Copy {
  unsigned char* to;
  const unsigned char* from;
  unsigned valid;
  bool landed;
};

// What lanes of a warp do together.
enum class Together : uint8_t {
  kBarrier,
  kShuffle,
  kVote,
  kMatrices,
  kHalf,
  kBfloat,
  kInt8,
  kWarpgroupHalf,
  kWarpgroupBfloat,
  kWarpgroupInt8,
  kWarpgroupBegin,
  kWarpgroupCommit,
  kWarpgroupWait,
};

struct Lane {
  Fiber fiber;
  Together together{};
  void* operands = nullptr;
  std::deque<std::vector<Copy>> groups;  // committed
  std::vector<Copy> open;
  std::vector<size_t> landed;  // chunks of shared memory that products do not see yet
};

// A warp's part of the product of a warpgroup, and what its operands were when it was asked for.
struct Product {
  uint64_t a, b;  // descriptors
  int columns;
  std::vector<unsigned char> operands;
};

// Sets of lanes are masks.
struct Warp {
  uint32_t ready = 0, arrived = 0, at_barrier = 0, ended = 0;
  uint32_t epoch = 1, priority = 0;
  bool has_begun = false;                     // a group of products
  std::deque<std::vector<Product>> products;  // committed
  std::vector<Product> open_products;
};

struct Block {
  Options options;
  Counters counters{};
  Random random;
  const Entry* entry = nullptr;
  const void* args = nullptr;

  int at_barrier = 0, ended = 0;
  std::vector<Lane> lanes;
  std::vector<Warp> warps;
  int running = -1;  // the warp that runs ahead; -1: to be chosen
  Fiber host;
  Stacks stacks;

  size_t shared_bytes = 0;
  Shadow shared;
  std::vector<int>
      unseen;  // of each chunk: 1 + the thread whose copy products do not see yet, or 0
  uint32_t epoch = 0, block_start = 0, launch_start = 0;

  std::string failure;  // empty: none

  Thread thread(int t) const {
    return {static_cast<int16_t>(t),
            static_cast<int16_t>(t / kLanes),
            epoch,
            warps[static_cast<size_t>(t / kLanes)].epoch,
            block_start,
            launch_start};
  }
};
extern Block block;

// Runs all threads of block (here.x, here.y, here.z) to their ends or to a failure.
void run_block();
// Goes on with another thread; the one that runs is not ready, or is and comes back.
void yield();
// Waits for all lanes of the warp, of which the last calls perform(first lane).
void together(Together what, void* operands, void (*perform)(Lane* lanes));
// What a thread must have seen before it ends.
void check_copies_waited();
void check_products_waited();

}  // namespace sakedge::emulator
