// How the warps that share queries make one result of what each found among its keys.
#pragma once

#include "cuda/kernels/attention_warp.h"

namespace sakedge::cuda {

// What the splits of a block found, in shared memory: first each row's peak and total, then, in the
// same place, its sums.
template <class T, int kSplits>
class Merge {
 public:
  // The sums of all splits, scaled to one peak and divided by one total.
  SAK_DEVICE static void collect(Queries<T>& warp, int row, int split) {
    warp.each_row([&](int n, auto&, float peak, float total) {
      const float all = total + dev::shuffle_xor(total, 1);
      const Floats2 pair{{peak, all + dev::shuffle_xor(all, 2)}};
      if (sum_column() == 0) {
        dev::store_shared(peak_of(split, row + 8 * n + sum_row()), pair);
      }
    });
    dev::barrier();
    float factor[kWarpQueries / 8];
    warp.each_row([&](int n, auto&, float own, float) {
      float peak = kNever;
      Floats2 found[kSplits];
      SAK_UNROLL
      for (int s = 0; s < kSplits; ++s) {
        found[s] = dev::load_shared(peak_of(s, row + 8 * n + sum_row()));
        peak = dev::max(peak, found[s].x[0]);
      }
      float total = 0.0f;
      SAK_UNROLL
      for (int s = 0; s < kSplits; ++s) {
        total = dev::fma(found[s].x[1], dev::exp2(found[s].x[0] - peak), total);
      }
      factor[n] = dev::exp2(own - peak) / total;
    });
    dev::barrier();
    warp.each_row([&](int n, auto& sums, float, float) {
      const int r = row + 8 * n + sum_row();
      SAK_UNROLL
      for (int c = 0; c < Queries<T>::kChunks; ++c) {
        auto* to = reinterpret_cast<Floats2*>(four_of(split, r, 2 * c) + sum_column());
        const float* pair = sums[c] + n % 2 * 2;
        dev::store_shared(to, Floats2{{pair[0] * factor[n], pair[1] * factor[n]}});
      }
    });
    dev::barrier();
  }

  // Four channels of a row.
  SAK_DEVICE static Words2 result(int row, int four) {
    Floats4 sum = {};
    SAK_UNROLL
    for (int s = 0; s < kSplits; ++s) {
      const auto* from = reinterpret_cast<const Floats4*>(four_of(s, row, four));
      const Floats4 part = dev::load_shared(from);
      SAK_UNROLL
      for (int e = 0; e < 4; ++e) {
        sum.x[e] += part.x[e];
      }
    }
    return {{dev::pack(sum.x[0], sum.x[1], T{}), dev::pack(sum.x[2], sum.x[3], T{})}};
  }

 private:
  SAK_DEVICE static Floats2* peak_of(int split, int row) {
    return reinterpret_cast<Floats2*>(dev::shared()) + split * kQueries + row;
  }
  // Of four rows that are written together, eights of channels lie at different banks.
  SAK_DEVICE static float* four_of(int split, int row, int four) {
    return reinterpret_cast<float*>(dev::shared()) + (split * kQueries + row) * kHeadChannels +
           4 * (four ^ (row & 3) << 1);
  }
};

}  // namespace sakedge::cuda
