// Layers in global memory, and asynchronous copies of their matrices into tiles.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

SAK_DEVICE Linear linear_at(const Linear* linear) {
  return {dev::load_global(&linear->weight), dev::load_global(&linear->scale),
          dev::load_global(&linear->bias), dev::load_global(&linear->out),
          dev::load_global(&linear->in)};
}
SAK_DEVICE Norm norm_at(const Norm* norm) {
  return {dev::load_global(&norm->gamma), dev::load_global(&norm->beta)};
}

// Rows of a matrix that lies row by row, as a block's threads copy them into tiles. What lies past
// its edges becomes zeros.
struct MatrixRows {
  const unsigned char* data;  // the first row
  int rows;                   // from there on; may be none
  int bytes;                  // of a row, a multiple of 16
  int64_t stride;             // bytes from one row to the next, a multiple of 16

  // Rows [0, kRows) and the kChunks chunks of k-tile `step`.
  template <int kRows, int kThreads, int kChunks>
  SAK_DEVICE void fetch(const Tile<kChunks>& tile, int step) const {
    fetch_to<kRows, kThreads>(tile, step, dev::thread() / kChunks);
  }

  // The same; the thread's first row, thread() / kChunks, comes to lie in row `place`, the others
  // as far from there as from its own.
  template <int kRows, int kThreads, int kChunks>
  SAK_DEVICE void fetch_to(const Tile<kChunks>& tile, int step, int place) const {
    constexpr int kTogether = kThreads / kChunks;  // rows
    static_assert(kTogether % 8 == 0, "a thread's chunks lie alike in all of its rows");
    const int chunk = dev::thread() % kChunks;
    const int first = dev::thread() / kChunks;
    const int offset = (step * kChunks + chunk) * 16;
    const int left = offset < bytes ? rows - first : 0;
    const unsigned char* from = data + first * stride + offset;
    unsigned char* to = tile.chunk(place, chunk);
    SAK_UNROLL
    for (int row = 0; row < kRows; row += kTogether) {
      if (kRows % kTogether == 0 || first + row < kRows) {
        dev::copy_async(to + row * Tile<kChunks>::kRowBytes, from, row < left);
        from += kTogether * stride;
      }
    }
  }
};

// The weights of a layer from row `first` on; `size`: bytes of an element.
SAK_DEVICE MatrixRows rows_of(const Linear& linear, int first, int size) {
  const int bytes = size * linear.in;
  return {static_cast<const unsigned char*>(linear.weight) + int64_t{first} * bytes,
          linear.out - first, bytes, bytes};
}

}  // namespace sakedge::cuda
