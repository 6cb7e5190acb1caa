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
inline constexpr int kMixStages = 4;  // k-tiles of 32 channels of the weight in shared memory
inline constexpr int kMixRow = 64;    // bytes of a row of a k-tile

// Warps along the tokens; the others of the eight lie along the columns.
constexpr int mix_warps(int width) { return width <= 96 ? 4 : 2; }
// Steps that the experts are loaded before they are multiplied: beside the sums of 192 columns, two
// blocks have no registers for two.
constexpr int mix_ahead(int width) { return width == 192 ? 1 : 2; }
// Two k-tiles of the mixture and the stages of the weight; then, in rows of 16 bytes more than they
// have, the results.
constexpr int mix_shared(int width) {
  const int tiles = (2 * kMixTokens + kMixStages * width) * kMixRow;
  const int results = kMixTokens * (2 * width + 16);
  return tiles > results ? tiles : results;
}

// head_expand_<type>_<classes>: 4 x 4 tokens at a time; more classes take several rounds. Grid:
// (ceil(grid_width / 4), ceil(grid_height / 4), pairs of a run and a task).
inline constexpr int kExpandTokens = 4;
inline constexpr int kExpandClasses[] = {24, 64};
inline constexpr int kExpandCells = kExpandTokens + 2;  // with their neighbours
inline constexpr int kExpandChannels = 32;              // in shared memory at a time
inline constexpr int kExpandRow = 2 * kExpandChannels;  // bytes
inline constexpr int kExpandStages = 2;
// Rows of a column of cells in a stage: the nine taps of each, and two more, so that the rows of
// all columns are permuted alike (Tile).
inline constexpr int kExpandColumn = 9 * kExpandCells + 2;
static_assert(kExpandColumn % 8 == 0);
inline constexpr int kExpandTaps = kExpandCells * kExpandColumn;

// Tokens of a warp, side by side: their sums of all classes stay in registers.
constexpr int expand_strip(int classes) { return classes <= 24 ? 4 : 2; }
constexpr int expand_threads(int classes) {
  return 32 * kExpandTokens * kExpandTokens / expand_strip(classes);
}
// Blocks side by side on a multiprocessor, as the registers allow: strips of four tokens take up to
// 168.
constexpr int expand_blocks(int classes) { return classes <= 24 ? 3 : 1; }
// Rows of the last layer's weight in shared memory.
constexpr int expand_class_rows(int classes) { return (classes + 15) / 16 * 16; }
// Taps, the last layer's weights and, twice, the biases in float32, of the channels.
constexpr int expand_stage(int classes) {
  return (kExpandTaps + expand_class_rows(classes)) * kExpandRow + 8 * kExpandChannels;
}
// The stages, where in memory each row of taps begins, and four registers of each thread.
constexpr int expand_shared(int classes) {
  return kExpandStages * expand_stage(classes) + 4 * kExpandTaps + 16 * expand_threads(classes);
}

// decode, upsample: a thread for each column of an output, and so many rows, some at a time. Grid:
// (ceil(width / kDecodeThreads), ceil(height / kDecodeBlockRows), jobs) of the widest and the
// highest job.
inline constexpr int kDecodeThreads = 128;
inline constexpr int kDecodeBlockRows = 16;
inline constexpr int kDecodeRows = 4;
// Cells of these rows in shared memory, over all classes: 21 classes at four pixels a cell have
// 735.
inline constexpr int kDecodeCells = 1024;
inline constexpr int kDecodeShared = 4 * kDecodeRows * kDecodeCells;

// DecodeJob::decoder: rows of cpu/kinds.def.
enum DecoderRow {
#define DECODER(family, name, ...) kDecoder_##name,
#include "cpu/kinds.def"
};

static_assert(mix_shared(256) <= kSharedLimit && expand_shared(64) <= kSharedLimit);

}  // namespace sakedge::cuda
