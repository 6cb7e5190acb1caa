// out = a w^T by a small pipeline over tiles, once right and once with each fault that the emulator
// must find: tests of the tests.
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

// Grid: (tiles of 64 columns, tiles of 64 rows).
struct FaultArgs {
  const void* a;  // Half [m, k]
  const void* w;  // Half [n, k]
  void* out;      // Half [m, n]
  int m;
  int n;  // a multiple of 8, as is k
  int k;
};

enum class Fault {
  kNone,
  kNoBarrier,
  kEarlyRefill,     // a buffer is filled before the barrier behind its last readers
  kNoWait,          // for copies
  kSkippedBarrier,  // by one warp, once
  kNoWarpBarrier,
  kRowTooFar,     // one row of out is written past the end
  kSharedTooFar,  // a row of shared memory too
  kMisaligned,    // 16 bytes are read where 8 are aligned
  kTwoWriters,    // each block writes the first element
  kReadOfOther,   // a block reads what another writes
  kLaneLeft,      // before its warp's last multiplication
  kCopyInFlight,  // at the end
};

constexpr int kSide = 64, kStep = 32, kStages = 3, kWarps = 4;
constexpr int kTileBytes = kSide * kStep * 2;
constexpr int kStageBytes = 2 * kTileBytes;
constexpr int kOutRow = kSide + 8;  // halves: eight rows meet eight groups of banks

template <Fault kFault>
struct Pipeline {
  const FaultArgs& args;
  int row0, column0;

  SAK_DEVICE Tile<4> tile(int step, int which) const {
    return {dev::shared() + step % kStages * kStageBytes + which * kTileBytes};
  }

  SAK_DEVICE void fetch(int step) const {
    if (step * kStep < args.k) {
      for (int i = dev::thread(); i < 2 * kSide * 4; i += 32 * kWarps) {
        const int which = i / (kSide * 4), row = i / 4 % kSide, c = i % 4;
        const int from = row + (which == 0 ? row0 : column0), column = step * kStep + c * 8;
        const bool valid = from < (which == 0 ? args.m : args.n) && column < args.k;
        const Half* matrix = static_cast<const Half*>(which == 0 ? args.a : args.w);
        dev::copy_async(tile(step, which).chunk(row, c),
                        matrix + (valid ? static_cast<int64_t>(from) * args.k + column : 0), valid);
      }
    }
    dev::copy_commit();
  }

  SAK_DEVICE void run() const {
    const int warp = dev::thread() / 32, steps = (args.k + kStep - 1) / kStep;
    float sums[8][4] = {};
    for (int step = 0; step < kStages - 1; ++step) fetch(step);
    for (int step = 0; step < steps; ++step) {
      if (kFault != Fault::kNoWait) dev::copy_wait<kStages - 2>();
      if (kFault == Fault::kEarlyRefill) fetch(step + kStages - 1);
      const bool skips = kFault == Fault::kNoBarrier ||
                         (kFault == Fault::kSkippedBarrier && warp == 1 && step == 1);
      if (!skips) dev::barrier();
      if (kFault != Fault::kEarlyRefill) fetch(step + kStages - 1);
      for (int c = 0; c < 4; c += 2) multiply(sums, step, c);
    }
    dev::copy_wait<0>();
    dev::barrier();  // the tiles become the staging of out
    store(sums);
    if (kFault == Fault::kCopyInFlight) fetch(kStages - 1);
  }

  SAK_DEVICE void multiply(float (&sums)[8][4], int step, int c) const {
    const int warp = dev::thread() / 32;
    if (kFault == Fault::kLaneLeft && dev::thread() == 77 && (step + 1) * kStep >= args.k) return;
    uint32_t a[4];
    load_a(a, tile(step, 0), warp * 16, c);
    SAK_UNROLL
    for (int j = 0; j < 4; ++j) {
      uint32_t b[4];
      load_b(b, tile(step, 1), j * 16, c);
      const uint32_t left[2] = {b[0], b[1]}, right[2] = {b[2], b[3]};
      dev::multiply(sums[2 * j], a, left, Half{});
      dev::multiply(sums[2 * j + 1], a, right, Half{});
    }
  }

  SAK_DEVICE void store(const float (&sums)[8][4]) const {
    const int warp = dev::thread() / 32, lane = dev::thread() % 32;
    const int shift =
        kFault == Fault::kSharedTooFar ? kStages * kStageBytes / (2 * kOutRow) - 63 : 0;
    Half* staged = reinterpret_cast<Half*>(dev::shared()) + (warp * 16 + shift) * kOutRow;
    SAK_UNROLL
    for (int j = 0; j < 8; ++j) {
      SAK_UNROLL
      for (int h = 0; h < 2; ++h) {
        const int at = (fragment_row() + h * 8) * kOutRow + j * 8 + fragment_column();
        dev::store_shared(reinterpret_cast<uint32_t*>(staged + at),
                          dev::pack(sums[j][2 * h], sums[j][2 * h + 1], Half{}));
      }
    }
    if (kFault != Fault::kNoWarpBarrier) dev::warp_barrier();
    Half* out = static_cast<Half*>(args.out);
    const int most = kFault == Fault::kRowTooFar ? args.m + 1 : args.m;
    for (int i = lane; i < 16 * 8; i += 32) {
      const int row = row0 + warp * 16 + i / 8, column = column0 + i % 8 * 8;
      const Half* from = staged + i / 8 * kOutRow + i % 8 * 8;
      if (kFault == Fault::kMisaligned) from += 4;
      const Words4 words = dev::load_shared(reinterpret_cast<const Words4*>(from));
      if (row >= most || column >= args.n) continue;
      dev::store_global(
          reinterpret_cast<Words4*>(out + static_cast<int64_t>(row) * args.n + column), words);
    }
    if (dev::thread() != 0) return;
    const int block = dev::block_y() * 16 + dev::block_x() + 1;
    if (kFault == Fault::kTwoWriters) dev::store_global(out, Half{static_cast<uint16_t>(block)});
    if (kFault == Fault::kReadOfOther && block > 1 && dev::load_global(out).bits == 1)
      dev::store_global(out + static_cast<int64_t>(row0) * args.n + column0, Half{2});
  }
};

template <Fault kFault>
SAK_DEVICE void multiply_tiles(const FaultArgs& args) {
  Pipeline<kFault>{args, dev::block_y() * kSide, dev::block_x() * kSide}.run();
}

}  // namespace sakedge::cuda

#define FAULT(name, fault)                                            \
  SAK_ENTRY(name, 128, 1, FaultArgs) {                                \
    sakedge::cuda::multiply_tiles<sakedge::cuda::Fault::fault>(args); \
  }
FAULT(right, kNone)
FAULT(no_barrier, kNoBarrier)
FAULT(early_refill, kEarlyRefill)
FAULT(no_wait, kNoWait)
FAULT(skipped_barrier, kSkippedBarrier)
FAULT(no_warp_barrier, kNoWarpBarrier)
FAULT(row_too_far, kRowTooFar)
FAULT(shared_too_far, kSharedTooFar)
FAULT(misaligned, kMisaligned)
FAULT(two_writers, kTwoWriters)
FAULT(read_of_other, kReadOfOther)
FAULT(lane_left, kLaneLeft)
FAULT(copy_in_flight, kCopyInFlight)
