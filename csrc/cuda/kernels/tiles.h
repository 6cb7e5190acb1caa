// The shapes that kernels are compiled for, and what a launch of one must ask for: threads, shared
// memory, blocks. Kernels and those who launch them both read it here.
#pragma once

namespace sakedge::cuda {

// Shared memory of a block that every architecture grants.
inline constexpr int kSharedLimit = 99 * 1024;

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

// What a block of gemm_<type>_<name> computes.
struct GemmTile {
  const char* name;
  int m;  // rows of `out`
  int n;  // columns
  int warp_m;
  int warp_n;
  int chunks;  // of 16 bytes in a row of a k-tile
  int stages;  // k-tiles in shared memory
  int blocks;  // meant to run side by side on a multiprocessor, which bounds the registers

  constexpr int threads() const { return 32 * (m / warp_m) * (n / warp_n); }
  // Rows of a warp's sums that go through shared memory together, on their way out.
  constexpr int staged_rows() const { return warp_m < 32 ? warp_m : 32; }
  // Floats from one such row to the next: eight more than it has, so that the four rows that half a
  // warp writes meet different banks.
  constexpr int staged_width() const { return warp_n + 8; }
  // Bytes of shared memory. The k-tiles are done with when the sums go out.
  constexpr int shared() const {
    const int tiles = stages * (m + n) * chunks * 16;
    const int sums = threads() / 32 * staged_rows() * staged_width() * 4;
    return tiles > sums ? tiles : sums;
  }
  // Blocks for an `out` of [rows, columns]: the grid is (blocks, 1, batches).
  constexpr int blocks_for(int rows, int columns) const {
    return ceil_div(rows, m) * ceil_div(columns, n);
  }
};

// Row tiles whose blocks follow each other, so that what runs side by side is about square: it
// reads few rows and few weights, and a second level cache of 4 MB (Orin) holds both.
inline constexpr int kGemmBand = 8;

enum GemmTileId {
#define SAK_GEMM_TILE(name, ...) kGemm_##name,
#include "cuda/kernels/tiles.def"
#undef SAK_GEMM_TILE
  kGemmTileCount
};

inline constexpr GemmTile kGemmTiles[] = {
#define SAK_GEMM_TILE(name, ...) {#name, __VA_ARGS__},
#include "cuda/kernels/tiles.def"
#undef SAK_GEMM_TILE
};

constexpr bool gemm_tiles_fit() {
  for (const GemmTile& tile : kGemmTiles) {
    if (tile.shared() > kSharedLimit) {
      return false;
    }
  }
  return true;
}
static_assert(gemm_tiles_fit());

// Tokens of a block of the adapter paths and the routers.
inline constexpr int kTokenTile = 64;
// Their threads: eight warps.
inline constexpr int kTokenThreads = 256;

constexpr int token_tiles(int tokens) { return ceil_div(tokens, kTokenTile); }

// While a k-tile is multiplied the next is on its way. A multiplication, 64 tokens by 32 channels
// by 192 or more columns, takes 400 cycles or more, and another block's as many, so that two are
// enough.
inline constexpr int kTokenStages = 2;

// adapter_path_<type>_<width>: bottlenecks of at most `width`.
inline constexpr int kAdapterWidths[] = {64, 96, 192, 256};

// Columns of the tiles of 64 that hold a bottleneck.
constexpr int adapter_columns(int width) { return ceil_div(width, 64) * 64; }

// Rows of 64 values of 16 bits: the stages of the weights; and those of the tokens or, afterwards,
// the bottleneck's values.
constexpr int adapter_shared(int width) {
  const int columns = adapter_columns(width);
  const int tokens = columns / 64 > kTokenStages ? columns / 64 : kTokenStages;
  return 128 * (kTokenStages * columns + tokens * kTokenTile);
}
static_assert(adapter_shared(256) <= kSharedLimit);

// Blocks side by side, which bounds the registers: a bottleneck of 256 has no room for two, neither
// in 128 registers nor in the 164 KB of sm_80 and sm_87.
constexpr int adapter_blocks(int width) { return width <= 192 ? 2 : 1; }

// router_<type>_<width>: hidden layers of at most `width`.
inline constexpr int kRouterWidths[] = {32, 96, 192, 384, 512};

// Stages of weights and tokens in rows of 32 values of 16 bits. What is added up over warps
// afterwards, four sums for each token and four for each column, takes less.
constexpr int router_shared(int width) { return 64 * kTokenStages * (width + kTokenTile); }
static_assert(router_shared(512) <= kSharedLimit);

// As adapter_blocks: the sums of 384 columns alone are 96 registers.
constexpr int router_blocks(int width) { return width <= 192 ? 2 : 1; }

inline constexpr int kWeighThreads = 128;

// The pooled hidden values and the logits.
constexpr int weigh_shared(int width, int experts) { return 4 * (width + experts); }

// The narrowest of the widths that holds `width`; 0: none.
template <int kCount>
constexpr int width_for(const int (&widths)[kCount], int width) {
  for (const int candidate : widths) {
    if (width <= candidate) {
      return candidate;
    }
  }
  return 0;
}

}  // namespace sakedge::cuda
