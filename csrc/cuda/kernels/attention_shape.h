// How attention_* is launched; plain C++.
#pragma once

namespace sakedge::cuda {

constexpr int kHeadChannels = 64;

// A warp attends with 32 queries to 32 keys at a time, so that a fragment of keys or values from
// shared memory enters two products, and all sums fit into 168 registers: three such warps share a
// scheduler, and one's exponentials hide behind another's products.
constexpr int kWarpQueries = 32;
constexpr int kWarpKeys = 32;

// Queries of a block: 1025 tokens are 11 blocks, of which the last misses 31, and the twelve heads
// of an image are 132 blocks, one for each multiprocessor of an H100.
constexpr int kQueries = 96;

// Tiles of keys and values in shared memory.
constexpr int kAttentionStages = 3;

// attention_<type>_<splits>: a block's keys are dealt out to `splits` warps for each 32 queries, 2
// or 4. Six warps are half of those that a multiprocessor's registers hold, twelve are all.
constexpr int attention_threads(int splits) { return 32 * splits * (kQueries / kWarpQueries); }
constexpr int attention_blocks(int splits) { return 4 / splits; }

// Keys of a tile.
constexpr int attention_keys(int splits) { return splits * kWarpKeys; }

// Shared memory of a block: rows of 64 values of 16 bits. Queries come, and the splits' sums are
// exchanged, through the same memory.
constexpr int attention_shared(int splits) {
  return kAttentionStages * 2 * attention_keys(splits) * kHeadChannels * 2;
}
static_assert(attention_shared(4) <= 99 * 1024);
static_assert(attention_shared(2) >= 2 * kQueries * kHeadChannels * 4, "the sums of two splits");
static_assert(attention_shared(4) >= 4 * kQueries * kHeadChannels * 4, "the sums of four");

}  // namespace sakedge::cuda
