// Symmetric int8 with one scale a row; the rule is s8's in cpu/kernel_table.h.
#pragma once

#include "cuda/device/device.h"

namespace sakedge::cuda {

class RowScale {
 public:
  // range: largest magnitude of the row. One below 2^-100 counts as zero; NaN and infinity go into
  // the scale, and the cells beside it are zeros.
  SAK_DEVICE explicit RowScale(float range) {
    const float size = range < 0x1p-100f ? 0.0f : range;
    scale_ = size / 127.0f;
    counts_ = size > 0.0f && dev::is_finite(size);
    factor_ = 127.0f / size;
  }
  SAK_DEVICE float scale() const { return scale_; }

  // Four values, the first in the lowest byte.
  SAK_DEVICE uint32_t cells(float a, float b, float c, float d) const {
    return cell(a) | cell(b) << 8 | cell(c) << 16 | cell(d) << 24;
  }

 private:
  SAK_DEVICE uint32_t cell(float x) const {
    const int q = counts_ ? static_cast<int>(dev::round_even(x * factor_)) : 0;
    return static_cast<uint32_t>(q) & 0xff;
  }

  float scale_;
  float factor_;
  bool counts_;
};

}  // namespace sakedge::cuda
