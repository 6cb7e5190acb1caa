// What launches of mix_*, head_expand_*, decode and upsample ask for: plain C++, for kernels and
// those who launch them. The tile of a width or a number of classes is width_for() of those listed,
// and the widest where that is none.
#pragma once

#include "cuda/kernels/tiles.h"

namespace sakedge::cuda {

// mix_<type>_<width>: 64 tokens and all columns of a level's linear at a time; wider linears take
// several rounds.
inline constexpr int kMixTokens = 64;
inline constexpr int kMixWidths[] = {64, 96, 192, 256};
inline constexpr int kMixThreads = 256;
inline constexpr int kMixStages = 3;  // k-tiles of 32 channels of the weight in shared memory
inline constexpr int kMixRow = 64;    // bytes of a row of a k-tile

// Warps along the tokens; the others of the eight lie along the columns.
constexpr int mix_warps(int width) { return width <= 96 ? 4 : 2; }
// Two k-tiles of the mixture and the stages of the weight; then, in rows of 16 bytes more than they
// have, the results.
constexpr int mix_shared(int width) {
  const int tiles = (2 * kMixTokens + kMixStages * width) * kMixRow;
  const int results = kMixTokens * (2 * width + 16);
  return tiles > results ? tiles : results;
}

// head_expand_<type>_<classes>: 4 x 4 tokens at a time; more classes take several rounds. Grid:
// (ceil(grid_width / 4), ceil(grid_height / 4), runs * tasks).
inline constexpr int kExpandTokens = 4;
inline constexpr int kExpandClasses[] = {24, 64};
inline constexpr int kExpandCells = kExpandTokens + 2;  // with their neighbours
inline constexpr int kExpandTaps = 9 * kExpandCells * kExpandCells;
inline constexpr int kExpandChannels = 16;  // in shared memory at a time
inline constexpr int kExpandStages = 2;
// Bytes from one row of 16 channels to the next: eight rows that are read together meet eight
// different groups of four banks.
inline constexpr int kExpandRow = 48;

// Tokens of a warp, side by side: their sums of all classes stay in registers.
constexpr int expand_strip(int classes) { return classes <= 24 ? 4 : 2; }
constexpr int expand_threads(int classes) {
  return 32 * kExpandTokens * kExpandTokens / expand_strip(classes);
}
// Rows of the last layer's weight in shared memory.
constexpr int expand_class_rows(int classes) { return (classes + 15) / 16 * 16; }
constexpr int expand_shared(int classes) {
  return kExpandStages * (kExpandTaps + expand_class_rows(classes)) * kExpandRow;
}

// decode, upsample: a thread for each pixel.
inline constexpr int kDecodeThreads = 256;

// DecodeJob::decoder: rows of cpu/kinds.def.
enum DecoderRow {
#define DECODER(family, name, ...) kDecoder_##name,
#include "cpu/kinds.def"
};

static_assert(mix_shared(256) <= kSharedLimit && expand_shared(64) <= kSharedLimit);

}  // namespace sakedge::cuda
