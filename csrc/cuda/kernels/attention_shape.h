// How attention_* is launched; plain C++.
#pragma once

namespace sakedge::cuda {

// Channels of a head, and keys that are in shared memory at a time: one tile each of keys and of
// values, rows of 128 bytes.
constexpr int kHeadChannels = 64;
constexpr int kKeys = 64;
constexpr int kAttentionThreads = 128;

// Tiles of keys and values in flight, for a block of 64 or 128 queries: what lets as many blocks
// share a multiprocessor's memory as share its registers, three or two.
constexpr int attention_stages(int queries) { return queries == 64 ? 2 : 3; }
constexpr int attention_blocks(int queries) { return queries == 64 ? 3 : 2; }

// Shared memory of a block. Queries come, and results go, through the memory of the tiles.
constexpr int attention_shared(int queries) {
  return attention_stages(queries) * 2 * kKeys * kHeadChannels * 2;
}

}  // namespace sakedge::cuda
