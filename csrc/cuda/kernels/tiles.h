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
  // Rows and columns of a warp's sums that go through shared memory together, on their way out.
  constexpr int staged_rows() const { return warp_m < 32 ? warp_m : 32; }
  constexpr int staged_columns() const { return warp_n < 128 ? warp_n : 128; }
  // Floats from one such row to the next: eight more than it has, so that the four rows that half a
  // warp writes meet different banks.
  constexpr int staged_width() const { return staged_columns() + 8; }
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

#define SAK_GEMM_TILE(name, ...)                            \
  struct GemmTile_##name {                                  \
    static constexpr GemmTile kTile = {#name, __VA_ARGS__}; \
  };
#define SAK_WARPGROUP_TILE SAK_GEMM_TILE
#include "cuda/kernels/tiles.def"
#include "cuda/kernels/warpgroup_tiles.def"
#undef SAK_WARPGROUP_TILE
#undef SAK_GEMM_TILE

// Of every device.
inline constexpr GemmTile kGemmTiles[] = {
#define SAK_GEMM_TILE(name, ...) GemmTile_##name::kTile,
#include "cuda/kernels/tiles.def"
#undef SAK_GEMM_TILE
};

// Of those that have products of warpgroups (Hopper).
inline constexpr GemmTile kWarpgroupTiles[] = {
#define SAK_WARPGROUP_TILE(name, ...) GemmTile_##name::kTile,
#include "cuda/kernels/warpgroup_tiles.def"
#undef SAK_WARPGROUP_TILE
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

// Tokens of a block of the routers, and of the adapter paths where there are enough of them.
inline constexpr int kTokenTile = 64;
// Their threads: eight warps.
inline constexpr int kTokenThreads = 256;

constexpr int token_tiles(int tokens) { return ceil_div(tokens, kTokenTile); }

// k-tiles of tokens in shared memory, where they come from registers.
inline constexpr int kTokenSlots = 2;

// k-tiles of `stage` bytes of weights beside `other` bytes. A multiplication takes some 400 cycles
// and an answer of the second level cache about 700: three on their way are enough, where there is
// room.
constexpr int token_stages(int stage, int other) {
  const int room = (kSharedLimit - other) / stage;
  return room < 4 ? room : 4;
}

// adapter_path_<type>_<tokens>x<width>: bottlenecks of at most `width`.
inline constexpr int kAdapterWidths[] = {64, 96, 192, 256};

// What a block of them computes. Blocks of 32 tokens read the weights twice as often as those of
// 64, and are for few tokens: there are twice as many.
struct AdapterTile {
  int tokens;  // 32 or 64
  int width;

  // Columns of the tiles of 64 that hold a bottleneck.
  constexpr int columns() const { return ceil_div(width, 64) * 64; }
  // Chunks of 16 bytes in a row of a k-tile of `down`: a thread carries four channels of two
  // tokens.
  constexpr int chunks() const { return kTokenThreads / tokens; }
  // Channels of such a k-tile, and of those that `up` goes to at a time: 16 for each warp.
  constexpr int channels() const { return 8 * chunks(); }
  // Bytes of weights at a time, of `down` or `up`.
  constexpr int stage() const { return 2 * columns() * channels(); }
  // Bytes of the tokens on their way to `down`, then of the bottleneck's values, then of a step's x
  // and r on their way to what `up` adds to them: four times four values of each thread.
  constexpr int values() const {
    const int carried = kTokenSlots * channels();
    const int held = 2 * tokens * (columns() > carried ? columns() : carried);
    const int parts = 4 * 16 * kTokenThreads;
    return held > parts ? held : parts;
  }
  // Bytes of the bias of `down`.
  constexpr int bias() const { return 4 * columns(); }
  constexpr int stages() const { return token_stages(stage(), values() + bias()); }
  constexpr int shared() const { return stages() * stage() + values() + bias(); }
  // Side by side, which bounds the registers: a bottleneck of 256 has no room for two, neither in
  // 128 registers nor in the 164 KB of sm_80 and sm_87.
  constexpr int blocks() const { return tokens == 64 && width <= 192 ? 2 : 1; }
};
static_assert(AdapterTile{32, 256}.stages() >= 2 && AdapterTile{64, 256}.stages() >= 2);

// router_<type>_<width>: hidden layers of at most `width`.
inline constexpr int kRouterWidths[] = {32, 96, 192, 384, 512};

// Bias, gamma and beta, and the tokens, in rows of 32 values of 16 bits; before them lie the
// weights, in such rows too. What is added up over warps afterwards, four sums for each token and
// four for each column, takes less than these.
constexpr int router_vectors(int width) { return 3 * 4 * width; }
constexpr int router_tokens() { return 64 * kTokenSlots * kTokenTile; }
constexpr int router_stages(int width) {
  return token_stages(64 * width, router_tokens() + router_vectors(width));
}
constexpr int router_shared(int width) {
  return router_stages(width) * 64 * width + router_tokens() + router_vectors(width);
}
static_assert(router_stages(512) >= 2);

// As AdapterTile::blocks: the sums of 384 columns alone are 96 registers.
constexpr int router_blocks(int width) { return width <= 192 ? 2 : 1; }

// A hidden value each, up to 512.
inline constexpr int kWeighThreads = 512;

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
