// Tiles of matrices in shared memory and the fragments of the tensor cores in them.
#pragma once

#include "cuda/device/device.h"

namespace sakedge::cuda {

// A tile has rows of kChunks chunks of 16 bytes. Chunk c of row r lies where eight rows that are
// read together meet eight different groups of four banks.
template <int kChunks>
struct Tile {
  static constexpr int kRowBytes = 16 * kChunks;
  static_assert(kChunks >= 4 && (kChunks & (kChunks - 1)) == 0);

  unsigned char* data;

  // With four chunks two rows share 128 bytes.
  SAK_DEVICE unsigned char* chunk(int row, int c) const {
    const int turn = kChunks == 4 ? row >> 1 & 3 : row & 7;
    return data + row * kRowBytes + ((c ^ turn) << 4);
  }
};

// The A fragment of rows [row, row + 16) and chunks [c, c + 2): 16 values of 16 bits or 32 of 8.
template <int kChunks>
SAK_DEVICE void load_a(uint32_t (&a)[4], const Tile<kChunks>& tile, int row, int c) {
  const int lane = dev::thread() % 32;
  dev::load_matrices(a, tile.chunk(row + lane % 16, c + lane / 16));
}

// The B fragments of 16 columns of b, stored as rows [row, row + 16) of [n, k], the same chunks:
// {b[0], b[1]} are those of the first eight, {b[2], b[3]} of the others.
template <int kChunks>
SAK_DEVICE void load_b(uint32_t (&b)[4], const Tile<kChunks>& tile, int row, int c) {
  const int lane = dev::thread() % 32;
  dev::load_matrices(b, tile.chunk(row + lane % 8 + lane / 16 * 8, c + lane / 8 % 2));
}

// The B fragments of 16 columns of b that is stored as [k, n], as values are in attention: rows
// [row, row + 16) of k, chunks [c, c + 2) of n.
template <int kChunks>
SAK_DEVICE void load_b_transposed(uint32_t (&b)[4], const Tile<kChunks>& tile, int row, int c) {
  const int lane = dev::thread() % 32;
  dev::load_matrices_transposed(b, tile.chunk(row + lane % 16, c + lane / 16));
}

// d[16, 16] += a b: an A fragment and the B fragments that load_b gives.
template <class Sum, class T>
SAK_DEVICE void multiply_16(Sum (*d)[4], const uint32_t (&a)[4], const uint32_t (&b)[4], T type) {
  const uint32_t left[2] = {b[0], b[1]};
  const uint32_t right[2] = {b[2], b[3]};
  dev::multiply(d[0], a, left, type);
  dev::multiply(d[1], a, right, type);
}

SAK_DEVICE Floats4 four_at(const float* from, int64_t at) {
  return dev::load_global(reinterpret_cast<const Floats4*>(from + at));
}

// Where a thread's four sums of a 16 x 8 product lie: rows group, group + 8; columns pair, pair
// + 1.
SAK_DEVICE int fragment_row() { return dev::thread() % 32 / 4; }
SAK_DEVICE int fragment_column() { return dev::thread() % 4 * 2; }

}  // namespace sakedge::cuda
