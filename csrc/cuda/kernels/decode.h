// Maps of logits sampled at the pixels of a window and decoded: what csrc/cpu/kinds.h computes, of
// numbers that are none too, and without decoding, for upsample.
//
// A block has a few rows of the output and a thread for each of its columns. A row of it lies
// between two rows of the map: these are interpolated along y once for all columns, as on the CPU,
// and read whole, by consecutive threads. What comes out lies in shared memory, and is read twice
// for a pixel.
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

SAK_DEVICE float lerp(float low, float high, float weight) {
  return dev::fma(weight, high, (1.0f - weight) * low);
}
SAK_DEVICE int least(int a, int b) { return a < b ? a : b; }

// Some of the logits of a thread's pixels, which lie one above the other in kDecodeRows rows.
static_assert(kDecodeRows == 4, "of one load");
struct Samples {
  const Floats4* low;  // in shared memory, of the first class
  const Floats4* high;
  float weight;
  int pitch;       // from class to class
  int rows;        // that exist
  uint32_t pixel;  // index of the first row's; their number fits 32 bits
  uint32_t width;  // pixels from row to row

  SAK_DEVICE Floats4 at(int c) const {
    const Floats4 a = dev::load_shared(low + c * pitch);
    const Floats4 b = dev::load_shared(high + c * pitch);
    return {lerp(a.x[0], b.x[0], weight), lerp(a.x[1], b.x[1], weight),
            lerp(a.x[2], b.x[2], weight), lerp(a.x[3], b.x[3], weight)};
  }
};

// The rows and columns of a job that are this block's.
class SampledBlock {
 public:
  SAK_DEVICE SampledBlock(const DecodeJob* job, const DecodeArgs& args)
      : map_(dev::load_global(&job->map)),
        classes_(dev::load_global(&job->classes)),
        map_height_(args.map_height),
        map_width_(args.map_width),
        height_(dev::load_global(&job->height)),
        width_(dev::load_global(&job->width)),
        row_scale_(dev::load_global(&job->row_scale)),
        row_offset_(dev::load_global(&job->row_offset)),
        column_scale_(dev::load_global(&job->column_scale)),
        column_offset_(dev::load_global(&job->column_offset)) {}

  // Gives all logits to `sink.take(samples, first, count)`: classes [first, first + count), in
  // their order; all at once where they are three or less. Each thread has its pixels.
  template <class Sink>
  SAK_DEVICE void give(Sink& sink) const {
    const int right = least((dev::block_x() + 1) * kDecodeThreads, width_);
    const int bottom = least((dev::block_y() + 1) * kDecodeBlockRows, height_);
    Span span{};
    for (int x = dev::block_x() * kDecodeThreads; x < right; x += span.columns) {
      span = span_at(x, right - x);
      const Lerp column = column_at(x + dev::thread());
      for (int y = dev::block_y() * kDecodeBlockRows; y < bottom; y += kDecodeRows) {
        for (int first = 0; first < classes_; first += span.classes) {
          const int count = least(classes_ - first, span.classes);
          interpolate_rows(span, y, first, count);
          dev::barrier();
          if (dev::thread() < span.columns) {
            const auto width = static_cast<uint32_t>(width_);
            const uint32_t pixel =
                static_cast<uint32_t>(y) * width + static_cast<uint32_t>(x + dev::thread());
            sink.take(Samples{shared() + column.low - span.low, shared() + column.high - span.low,
                              column.weight, span.pitch, bottom - y, pixel, width},
                      first, count);
          }
          dev::barrier();
        }
      }
    }
  }

 private:
  // Columns of the output that are sampled together.
  struct Span {
    int columns;
    int low;      // the first cell that they lie between
    int cells;    // so many
    int pitch;    // of them, from one class to the next in shared memory: odd, so that consecutive
                  // classes of a cell meet different banks
    int classes;  // that have room
    int cell;     // this thread's first of them, and the class of it
    int c;
  };

  SAK_DEVICE static Floats4* shared() { return reinterpret_cast<Floats4*>(dev::shared()); }

  SAK_DEVICE Lerp row_at(int y) const {
    return lerp_at(dev::fma(static_cast<float>(y) + 0.5f, row_scale_, row_offset_), map_height_);
  }
  SAK_DEVICE Lerp column_at(int x) const {
    return lerp_at(dev::fma(static_cast<float>(x) + 0.5f, column_scale_, column_offset_),
                   map_width_);
  }

  // As many columns as find room for three classes. Mostly all do, and for all classes.
  SAK_DEVICE Span span_at(int x, int columns) const {
    const int low = column_at(x).low;
    for (;; columns /= 2) {
      const int cells = column_at(x + columns - 1).high - low + 1;
      if (columns == 1 || 3 * (cells | 1) <= kDecodeCells) {
        const int pitch = cells | 1;
        const int classes = least(classes_, kDecodeCells / pitch);
        const int thread = dev::thread();
        return {columns, low, cells, pitch, classes, thread / classes, thread % classes};
      }
    }
  }

  // To shared memory: [count classes][pitch][kDecodeRows], of the cells of a span. The map's rows
  // are read as they lie, cell by cell.
  SAK_DEVICE void interpolate_rows(const Span& span, int y, int first, int count) const {
    // In bytes, so that an address is one instruction.
    const int row_size = 4 * map_width_ * classes_;
    const auto* from = reinterpret_cast<const unsigned char*>(
        map_ + span.low * static_cast<int64_t>(classes_) + first);
    const float* low[kDecodeRows];
    const float* high[kDecodeRows];
    float weight[kDecodeRows];
    SAK_UNROLL
    for (int r = 0; r < kDecodeRows; ++r) {
      const Lerp at = row_at(y + r);
      low[r] = reinterpret_cast<const float*>(from + int64_t{at.low} * row_size);
      high[r] = reinterpret_cast<const float*>(from + int64_t{at.high} * row_size);
      weight[r] = at.weight;
    }
    const int cell_step = kDecodeThreads / span.classes;
    const int class_step = kDecodeThreads % span.classes;
    int cell = span.cell;
    int c = span.c;
    while (cell < span.cells) {
      // Behind the last class it once more, and nobody reads it.
      const int offset = cell * classes_ + least(c, count - 1);
      Floats4 values;
      SAK_UNROLL
      for (int r = 0; r < kDecodeRows; ++r) {
        values.x[r] =
            lerp(dev::load_global(low[r] + offset), dev::load_global(high[r] + offset), weight[r]);
      }
      dev::store_shared(shared() + c * span.pitch + cell, values);
      cell += cell_step;
      c += class_step;
      if (c >= span.classes) {
        c -= span.classes;
        ++cell;
      }
    }
  }

  const float* map_;
  int classes_;
  int map_height_;
  int map_width_;
  int height_;
  int width_;
  float row_scale_;
  float row_offset_;
  float column_scale_;
  float column_offset_;
};

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

// The values of a thread's pixels.
class Decoded {
 public:
  SAK_DEVICE explicit Decoded(const DecodeJob* job)
      : out_(dev::load_global(&job->out)),
        decoder_(dev::load_global(&job->decoder)),
        classes_(dev::load_global(&job->classes)) {}

  SAK_DEVICE void take(const Samples& samples, int first, int count) {
    if (decoder_ == kDecoder_labels_u8 || decoder_ == kDecoder_labels_u16) {
      compare(samples, first, count);
      if (first + count < classes_) {
        return;
      }
    }
    Floats4 logits[3];
    SAK_UNROLL
    for (int c = 0; c < 3; ++c) {
      logits[c] = c < count ? samples.at(c) : Floats4{};
    }
    SAK_UNROLL
    for (int r = 0; r < kDecodeRows; ++r) {
      if (r < samples.rows) {
        const float one[3] = {logits[0].x[r], logits[1].x[r], logits[2].x[r]};
        decode(one, best_[r], samples.pixel + static_cast<uint32_t>(r) * samples.width);
      }
    }
  }

 private:
  // The first of the largest; no NaN is larger than anything, nor is anything than a NaN.
  SAK_DEVICE void compare(const Samples& samples, int first, int count) {
    if (first == 0) {
      const Floats4 values = samples.at(0);
      SAK_UNROLL
      for (int r = 0; r < kDecodeRows; ++r) {
        most_[r] = values.x[r];
        best_[r] = 0;
      }
    }
    for (int c = 0; c < count; ++c) {
      const Floats4 values = samples.at(c);
      SAK_UNROLL
      for (int r = 0; r < kDecodeRows; ++r) {
        if (values.x[r] > most_[r]) {
          most_[r] = values.x[r];
          best_[r] = first + c;
        }
      }
    }
  }

  SAK_DEVICE void decode(const float (&logits)[3], int label, uint32_t pixel) const {
    auto* floats = static_cast<float*>(out_);
    switch (decoder_) {
      case kDecoder_labels_u8:
        dev::store_global(static_cast<uint8_t*>(out_) + pixel, static_cast<uint8_t>(label));
        break;
      case kDecoder_labels_u16:
        dev::store_global(static_cast<uint16_t*>(out_) + pixel, static_cast<uint16_t>(label));
        break;
      case kDecoder_probability:
        dev::store_global(floats + pixel, sigmoid(logits[0]));
        break;
      case kDecoder_two_class:
        dev::store_global(floats + pixel, sigmoid(logits[1] - logits[0]));
        break;
      case kDecoder_normals:
        decode_normal(logits, floats + 3 * static_cast<int64_t>(pixel));
        break;
      default:  // scalar
        dev::store_global(floats + pixel, logits[0] > 0.0f ? logits[0] : 0.0f);
    }
  }

  SAK_DEVICE static void decode_normal(const float (&v)[3], float* out) {
    float square = 0.0f;
    SAK_UNROLL
    for (int c = 0; c < 3; ++c) {
      square = dev::fma(v[c], v[c], square);
    }
    // 1 / max(norm, 1e-12).
    const float scale = square > 1e-24f ? dev::rsqrt(square) : 1e12f;
    SAK_UNROLL
    for (int c = 0; c < 3; ++c) {
      dev::store_global(out + c, v[c] * scale);
    }
  }

  void* out_;
  int decoder_;
  int classes_;
  float most_[kDecodeRows];
  int best_[kDecodeRows];
};

// The logits themselves, class by class.
class Upsampled {
 public:
  SAK_DEVICE explicit Upsampled(const DecodeJob* job)
      : out_(static_cast<float*>(dev::load_global(&job->out))),
        plane_(static_cast<int64_t>(dev::load_global(&job->height)) *
               dev::load_global(&job->width)) {}

  SAK_DEVICE void take(const Samples& samples, int first, int count) {
    for (int c = 0; c < count; ++c) {
      float* out = out_ + (first + c) * plane_ + samples.pixel;
      const Floats4 values = samples.at(c);
      SAK_UNROLL
      for (int r = 0; r < kDecodeRows; ++r) {
        if (r < samples.rows) {
          dev::store_global(out + static_cast<uint32_t>(r) * samples.width, values.x[r]);
        }
      }
    }
  }

 private:
  float* out_;
  int64_t plane_;
};

template <class Sink>
SAK_DEVICE void sample_into(const DecodeArgs& args) {
  const DecodeJob* job = args.jobs + dev::block_z();
  Sink sink(job);
  SampledBlock(job, args).give(sink);
}

}  // namespace sakedge::cuda
