// Maps of logits sampled at the pixels of a window and decoded: what csrc/cpu/kinds.h computes, of
// numbers that are none too, and without decoding, for upsample.
#pragma once

#include "cuda/device/device.h"
#include "cuda/kernels/args.h"
#include "cuda/kernels/heads_shape.h"

namespace sakedge::cuda {

// Two cells of an axis and the weight of the second; the first one's is the rest.
struct Lerp {
  int low;
  int high;
  float weight;
};

// At `position`, where cell i has its centre at i. On the map whatever the position, NaN too.
SAK_DEVICE Lerp lerp_at(float position, int cells) {
  const float last = static_cast<float>(cells - 1);
  const float inside = position > 0.0f ? (position < last ? position : last) : 0.0f;
  const int low = static_cast<int>(inside);
  return {low, low + 1 < cells ? low + 1 : low, inside - static_cast<float>(low)};
}

// The logits of one pixel. Interpolated along y first, as on the CPU.
class Sample {
 public:
  SAK_DEVICE Sample(const DecodeJob* job, const DecodeArgs& args, int y, int x) {
    const float* map = dev::load_global(&job->map);
    const int classes = dev::load_global(&job->classes);
    rows_ = lerp_at(dev::fma(static_cast<float>(y) + 0.5f, dev::load_global(&job->row_scale),
                             dev::load_global(&job->row_offset)),
                    args.map_height);
    columns_ = lerp_at(dev::fma(static_cast<float>(x) + 0.5f, dev::load_global(&job->column_scale),
                                dev::load_global(&job->column_offset)),
                       args.map_width);
    const int64_t row = static_cast<int64_t>(args.map_width) * classes;
    const int64_t cells[2] = {static_cast<int64_t>(columns_.low) * classes,
                              static_cast<int64_t>(columns_.high) * classes};
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {
      cells_[i] = map + (i < 2 ? rows_.low : rows_.high) * row + cells[i % 2];
    }
  }

  SAK_DEVICE float at(int c) const {
    float along_y[2];
    SAK_UNROLL
    for (int i = 0; i < 2; ++i) {
      along_y[i] =
          lerp(dev::load_global(cells_[i] + c), dev::load_global(cells_[2 + i] + c), rows_.weight);
    }
    return lerp(along_y[0], along_y[1], columns_.weight);
  }

 private:
  SAK_DEVICE static float lerp(float low, float high, float weight) {
    return dev::fma(weight, high, (1.0f - weight) * low);
  }

  Lerp rows_;
  Lerp columns_;
  const float* cells_[4];  // low row: low, high column; high row
};

// The first of the largest; no NaN is larger than anything, nor is anything than a NaN.
SAK_DEVICE int label(const Sample& sample, int classes) {
  float most = sample.at(0);
  int best = 0;
  for (int c = 1; c < classes; ++c) {
    const float value = sample.at(c);
    if (value > most) {
      most = value;
      best = c;
    }
  }
  return best;
}

// 1 / (1 + exp(-x)). The exponential is 2^h with h = -x log2(e), rounded, times 1 + l ln 2, where l
// is what the rounding and log2(e) in float32 left. Relative error <= 2^-22 + 3 * 2^-24 where the
// result is no subnormal.
SAK_DEVICE float sigmoid(float x) {
  constexpr float kLog2e = 1.44269502f;
  constexpr float kRest = 1.92596303e-8f;  // log2(e) - kLog2e
  const float h = -x * kLog2e;
  const float l = dev::fma(-x, kRest, dev::fma(-x, kLog2e, -h));
  const float power = dev::exp2(h);
  // Where 2^h is infinite or -h is, the rest may be NaN; there is none of a NaN x either.
  const float exponential =
      power < 3e38f && power > 0.0f ? dev::fma(power, l * 0.693147181f, power) : power;
  return 1.0f / (1.0f + exponential);
}

SAK_DEVICE void decode_normal(const Sample& sample, float* out) {
  float v[3];
  float square = 0.0f;
  SAK_UNROLL
  for (int c = 0; c < 3; ++c) {
    v[c] = sample.at(c);
    square = dev::fma(v[c], v[c], square);
  }
  // 1 / max(norm, 1e-12).
  const float scale = square > 1e-24f ? dev::rsqrt(square) : 1e12f;
  SAK_UNROLL
  for (int c = 0; c < 3; ++c) {
    dev::store_global(out + c, v[c] * scale);
  }
}

// The pixel of this thread. Their number fits 32 bits.
struct Pixel {
  uint32_t index;
  int y;
  int x;
  bool exists;

  SAK_DEVICE explicit Pixel(const DecodeJob* job) {
    const auto width = static_cast<uint32_t>(dev::load_global(&job->width));
    const auto height = static_cast<uint32_t>(dev::load_global(&job->height));
    index = static_cast<uint32_t>(dev::block_x()) * kDecodeThreads +
            static_cast<uint32_t>(dev::thread());
    exists = index < height * width;
    y = exists ? static_cast<int>(index / width) : 0;
    x = static_cast<int>(index - static_cast<uint32_t>(y) * width);
  }
};

SAK_DEVICE void decode_pixel(const DecodeArgs& args) {
  const DecodeJob* job = args.jobs + dev::block_y();
  const Pixel pixel(job);
  if (!pixel.exists) {
    return;
  }
  const Sample sample(job, args, pixel.y, pixel.x);
  void* out = dev::load_global(&job->out);
  auto* floats = static_cast<float*>(out);
  switch (dev::load_global(&job->decoder)) {
    case kDecoder_labels_u8:
      dev::store_global(static_cast<uint8_t*>(out) + pixel.index,
                        static_cast<uint8_t>(label(sample, dev::load_global(&job->classes))));
      break;
    case kDecoder_labels_u16:
      dev::store_global(static_cast<uint16_t*>(out) + pixel.index,
                        static_cast<uint16_t>(label(sample, dev::load_global(&job->classes))));
      break;
    case kDecoder_probability:
      dev::store_global(floats + pixel.index, sigmoid(sample.at(0)));
      break;
    case kDecoder_two_class:
      dev::store_global(floats + pixel.index, sigmoid(sample.at(1) - sample.at(0)));
      break;
    case kDecoder_normals:
      decode_normal(sample, floats + 3 * static_cast<int64_t>(pixel.index));
      break;
    default: {  // scalar
      const float value = sample.at(0);
      dev::store_global(floats + pixel.index, value > 0.0f ? value : 0.0f);
    }
  }
}

SAK_DEVICE void upsample_pixel(const DecodeArgs& args) {
  const DecodeJob* job = args.jobs + dev::block_y();
  const Pixel pixel(job);
  if (!pixel.exists) {
    return;
  }
  const Sample sample(job, args, pixel.y, pixel.x);
  const int64_t plane =
      static_cast<int64_t>(dev::load_global(&job->height)) * dev::load_global(&job->width);
  float* out = static_cast<float*>(dev::load_global(&job->out)) + pixel.index;
  const int classes = dev::load_global(&job->classes);
  for (int c = 0; c < classes; ++c) {
    dev::store_global(out + c * plane, sample.at(c));
  }
}

}  // namespace sakedge::cuda
