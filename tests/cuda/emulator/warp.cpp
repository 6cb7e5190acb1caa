// What the lanes of a warp do together. Fragments as the PTX ISA lays them out: group = lane / 4,
// pair = lane % 4.
#include <algorithm>
#include <bit>
#include <cstring>

#include "emulator/block.h"
#include "emulator/memory.h"
#include "emulator/numbers.h"

namespace sakedge::emulator {
namespace {

struct ShuffleOperands {
  Shuffle mode;
  uint32_t value, b, c;
  uint32_t result;
  bool in_range;
};

void perform_shuffle(Lane* lanes) {
  uint32_t values[kLanes];
  for (int l = 0; l < kLanes; ++l)
    values[l] = static_cast<ShuffleOperands*>(lanes[l].operands)->value;
  for (int lane = 0; lane < kLanes; ++lane) {
    auto& o = *static_cast<ShuffleOperands*>(lanes[lane].operands);
    const int b = static_cast<int>(o.b & 31), clamp = static_cast<int>(o.c & 31);
    const int segments = static_cast<int>(o.c >> 8 & 31);
    const int last = (lane & segments) | (clamp & ~segments);
    int from = lane;
    switch (o.mode) {
      case Shuffle::kIndex:
        from = (lane & segments) | (b & ~segments);
        o.in_range = from <= last;
        break;
      case Shuffle::kUp:
        from = lane - b;
        o.in_range = from >= last;
        break;
      case Shuffle::kDown:
        from = lane + b;
        o.in_range = from <= last;
        break;
      case Shuffle::kXor:
        from = lane ^ b;
        o.in_range = from <= last;
        break;
    }
    o.result = values[o.in_range ? from : lane];
  }
}

struct VoteOperands {
  Vote mode;
  bool value;
  uint32_t result;
};

void perform_vote(Lane* lanes) {
  uint32_t votes = 0;
  for (int l = 0; l < kLanes; ++l)
    votes |= static_cast<uint32_t>(static_cast<VoteOperands*>(lanes[l].operands)->value) << l;
  for (int l = 0; l < kLanes; ++l) {
    auto& o = *static_cast<VoteOperands*>(lanes[l].operands);
    o.result = o.mode == Vote::kBallot ? votes : o.mode == Vote::kAny ? votes != 0 : votes == ~0u;
  }
}

struct MatricesOperands {
  const unsigned char* row;
  bool transposed;
  uint32_t* r;
};

void perform_matrices(Lane* lanes) {
  const int first = here.thread / kLanes * kLanes;
  for (int matrix = 0; matrix < 4; ++matrix) {
    uint16_t elements[8][8];
    int rows_of_bank_group[8] = {};
    for (int i = 0; i < 8; ++i) {
      const auto* row = static_cast<MatricesOperands*>(lanes[8 * matrix + i].operands)->row;
      read_shared_of(first + 8 * matrix + i, row, 16);
      ++rows_of_bank_group[(row - here.shared) / 16 % 8];
      std::memcpy(elements[i], row, 16);
    }
    block.counters.bank_conflicts +=
        *std::max_element(rows_of_bank_group, rows_of_bank_group + 8) - 1;
    for (int l = 0; l < kLanes; ++l) {
      const auto& o = *static_cast<MatricesOperands*>(lanes[l].operands);
      const int i = l / 4, j = l % 4 * 2;
      const uint32_t low = o.transposed ? elements[j][i] : elements[i][j];
      const uint32_t high = o.transposed ? elements[j + 1][i] : elements[i][j + 1];
      o.r[matrix] = low | high << 16;
    }
  }
  ++block.counters.matrices;
}

struct MultiplyOperands {
  void* d;
  const uint32_t *a, *b;
};

// Element i (of 16 bits) of a fragment of a: its row and column; of b: its row, of column group.
struct Place {
  int row, column;
};
Place place_a16(int lane, int i) {
  return {lane / 4 + i / 2 % 2 * 8, lane % 4 * 2 + i % 2 + i / 4 * 8};
}
int row_b16(int lane, int i) { return lane % 4 * 2 + i % 2 + i / 2 * 8; }
// The same of 8 bits.
Place place_a8(int lane, int i) {
  return {lane / 4 + i / 4 % 2 * 8, lane % 4 * 4 + i % 4 + i / 8 * 16};
}
int row_b8(int lane, int i) { return lane % 4 * 4 + i % 4 + i / 4 * 16; }
Place place_d(int lane, int i) { return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2}; }

template <class Sum, int kDepth>
void sum_products(Lane* lanes, const Sum (&a)[16][kDepth], const Sum (&b)[kDepth][8]) {
  Sum d[16][8] = {};
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < kDepth; ++k)
      for (int column = 0; column < 8; ++column) d[row][column] += a[row][k] * b[k][column];
  for (int l = 0; l < kLanes; ++l)
    for (int i = 0; i < 4; ++i) {
      const Place place = place_d(l, i);
      static_cast<Sum*>(static_cast<MultiplyOperands*>(lanes[l].operands)->d)[i] +=
          d[place.row][place.column];
    }
  ++block.counters.multiplies;
}

template <float (*kFrom)(uint16_t)>
void perform_multiply16(Lane* lanes) {
  float a[16][16], b[16][8];
  for (int l = 0; l < kLanes; ++l) {
    const auto& o = *static_cast<MultiplyOperands*>(lanes[l].operands);
    for (int i = 0; i < 8; ++i) {
      const Place place = place_a16(l, i);
      a[place.row][place.column] = kFrom(static_cast<uint16_t>(o.a[i / 2] >> i % 2 * 16));
    }
    for (int i = 0; i < 4; ++i)
      b[row_b16(l, i)][l / 4] = kFrom(static_cast<uint16_t>(o.b[i / 2] >> i % 2 * 16));
  }
  sum_products<float, 16>(lanes, a, b);
}

void perform_multiply8(Lane* lanes) {
  int32_t a[16][32], b[32][8];
  for (int l = 0; l < kLanes; ++l) {
    const auto& o = *static_cast<MultiplyOperands*>(lanes[l].operands);
    for (int i = 0; i < 16; ++i) {
      const Place place = place_a8(l, i);
      a[place.row][place.column] = static_cast<int8_t>(o.a[i / 4] >> i % 4 * 8);
    }
    for (int i = 0; i < 8; ++i)
      b[row_b8(l, i)][l / 4] = static_cast<int8_t>(o.b[i / 4] >> i % 4 * 8);
  }
  sum_products<int32_t, 32>(lanes, a, b);
}

void perform_barrier(Lane*) {
  ++block.warps[static_cast<size_t>(here.thread / kLanes)].epoch;
  ++block.counters.warp_barriers;
}

}  // namespace

void warp_barrier() { together(Together::kBarrier, nullptr, perform_barrier); }

uint32_t shuffle(Shuffle mode, uint32_t value, uint32_t b, uint32_t c, bool& in_range) {
  ShuffleOperands operands{mode, value, b, c, 0, false};
  together(Together::kShuffle, &operands, perform_shuffle);
  in_range = operands.in_range;
  return operands.result;
}

uint32_t vote(Vote mode, bool value) {
  VoteOperands operands{mode, value, 0};
  together(Together::kVote, &operands, perform_vote);
  return operands.result;
}

void load_matrices(uint32_t* r, const void* row, bool transposed) {
  MatricesOperands operands{static_cast<const unsigned char*>(row), transposed, r};
  together(Together::kMatrices, &operands, perform_matrices);
}

void multiply_half(float* d, const uint32_t* a, const uint32_t* b) {
  MultiplyOperands operands{d, a, b};
  together(Together::kHalf, &operands, perform_multiply16<from_half>);
}
void multiply_bfloat(float* d, const uint32_t* a, const uint32_t* b) {
  MultiplyOperands operands{d, a, b};
  together(Together::kBfloat, &operands, perform_multiply16<from_bfloat>);
}
void multiply_int8(int32_t* d, const uint32_t* a, const uint32_t* b) {
  MultiplyOperands operands{d, a, b};
  together(Together::kInt8, &operands, perform_multiply8);
}

}  // namespace sakedge::emulator
