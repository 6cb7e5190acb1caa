// Softmax attention of one head over all tokens in one pass (flash attention, non-causal).
//
// A block takes 96 queries. Tiles of keys and values come through a ring in shared memory; of each
// a warp attends to 32 keys, so that kSplits warps share the keys of 32 queries: a block ends
// sooner, and where a call has few of them, a multiprocessor still has warps to choose from. At the
// end the splits' sums become one.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/attention_merge.h"
#include "cuda/kernels/attention_warp.h"

namespace sakedge::cuda {

// Rows of a head from a token on, as kThreads of a block's threads copy them, a chunk each of
// several rows. It walks, so that all of a thread's addresses are one.
template <int kThreads>
class HeadRows {
 public:
  SAK_DEVICE HeadRows(const AttentionArgs& args, int token) : width_(args.heads * Rows::kRowBytes) {
    const int row = token + thread() / kChunks;
    from_ = static_cast<const unsigned char*>(args.qkv) +
            (static_cast<int64_t>(dev::block_z()) * args.tokens + row) * (3 * width_) +
            dev::block_y() * Rows::kRowBytes + thread() % kChunks * 16;
  }

  // kRows queries (part 0), keys (1) or values (2), of which `left` are there, to a tile; zeros
  // follow.
  template <int kRows>
  SAK_DEVICE void fetch(int part, int left, const Rows& tile) const {
    static_assert(kRows % kTogether == 0);
    if (thread() >= kThreads) {
      return;
    }
    const int first = thread() / kChunks;
    // tile.chunk(first, thread() % kChunks), which the compiler would keep in two registers.
    unsigned char* to = tile.data + 16 * (thread() ^ first % 8);
    const unsigned char* from = from_ + part * width_;
    SAK_UNROLL
    for (int row = 0; row < kRows; row += kTogether) {
      dev::copy_async(to + row * Rows::kRowBytes, from, first + row < left);
      from += kTogether * 3 * width_;
    }
  }

  SAK_DEVICE void walk(int rows) { from_ += rows * 3 * width_; }

 private:
  static constexpr int kChunks = Rows::kRowBytes / 16;
  static constexpr int kTogether = kThreads / kChunks;  // rows
  static_assert(kTogether % 8 == 0, "a thread's chunks lie alike in all of its rows");

  int width_;  // bytes of a token's queries, of its keys and of its values
  const unsigned char* from_;
};

template <class T, int kSplits>
SAK_DEVICE void attention(const AttentionArgs& args) {
  constexpr int kThreads = attention_threads(kSplits);
  constexpr int kKeys = attention_keys(kSplits);
  constexpr int kStages = kAttentionStages;
  constexpr int kCopying = 64 * kSplits;  // threads: each copies four rows of a tile
  constexpr int kTileBytes = kKeys * Rows::kRowBytes;
  static_assert(kQueries <= 2 * kKeys, "queries come through a stage");

  const int first = dev::block_x() * kQueries;
  // Stages begin so many bytes into shared memory.
  constexpr int kStageBytes = 2 * kTileBytes;
  constexpr int kLastStage = (kStages - 1) * kStageBytes;
  static_assert((kStageBytes & (kStageBytes - 1)) == 0, "a stage is read off an address in it");
  const auto tile = [](int at) { return Rows{dev::shared() + at}; };
  HeadRows<kCopying> next(args, 0);
  // The next tile's; `left` keys are left from it on.
  const auto fetch_keys = [&](int left, int stage) {
    if (left > 0) {
      next.template fetch<kKeys>(1, left, tile(stage));
      next.template fetch<kKeys>(2, left, tile(stage + kTileBytes));
      next.walk(kKeys);
    }
    dev::copy_commit();
  };

  // Queries come through the stage that is filled last.
  HeadRows<kCopying>(args, first)
      .template fetch<kQueries>(0, args.tokens - first, tile(kLastStage));
  dev::copy_commit();
  SAK_UNROLL
  for (int t = 0; t < kStages - 1; ++t) {
    fetch_keys(args.tokens - t * kKeys, t * kStageBytes);
  }
  dev::copy_wait<kStages - 1>();
  dev::barrier();
  const int warp_row = thread() / (32 * kSplits) * kWarpQueries;
  Queries<T> warp;
  warp.load(tile(kLastStage), warp_row);

  // The first of this warp's keys, in bytes of shared memory.
  int keys = thread() / 32 % kSplits * kWarpKeys * Rows::kRowBytes;
  int left = args.tokens;
  for (; left >= kKeys; left -= kKeys) {
    dev::copy_wait<kStages - 2>();
    dev::barrier();  // all of this tile is here, and nobody reads the stage that is filled next
    const int stage = keys & -kStageBytes;
    fetch_keys(left - (kStages - 1) * kKeys, stage == 0 ? kLastStage : stage - kStageBytes);
    warp.template attend<true>(keys, keys + kTileBytes, kWarpKeys, args.scale);
    keys += keys >= kLastStage ? -kLastStage : kStageBytes;
  }
  dev::copy_wait<0>();
  dev::barrier();
  const int key = (keys & (kStageBytes - 1)) / Rows::kRowBytes;
  left -= key;
  if (left > 0) {
    warp.template attend<false>(keys, keys + kTileBytes, left, args.scale);
  }

  dev::barrier();
  Merge<T, kSplits>::collect(warp, warp_row, key / kWarpKeys);
  constexpr int kFours = kHeadChannels / 4;
  const int four = thread() % kFours;
  const int width = args.heads * Rows::kRowBytes;
  auto* out = static_cast<unsigned char*>(args.out) +
              (static_cast<int64_t>(dev::block_z()) * args.tokens + first) * width +
              dev::block_y() * Rows::kRowBytes + 8 * four;
  SAK_UNROLL
  for (int i = 0; i < kQueries; i += kThreads / kFours) {
    const int row = i + thread() / kFours;
    if (first + row < args.tokens) {
      dev::store_global(reinterpret_cast<Words2*>(out + row * width),
                        Merge<T, kSplits>::result(row, four));
    }
  }
}

}  // namespace sakedge::cuda
