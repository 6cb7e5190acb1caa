// Pictures, normalised and placed on the input, as the rows that the patch embedding multiplies.
//
// A warp takes a patch, a lane half a row of it: eight pixels. The first block of an image copies
// the class token's row instead, which would come after a patch's two round trips to memory.
#pragma once

#include "cuda/kernels/args.h"
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

constexpr int kPatchesOfBlock = 4;
constexpr int kPatchThreads = 32 * kPatchesOfBlock;
constexpr int kPatchEdge = 16;
constexpr int kPixels = 8;  // of a lane

SAK_DEVICE float number(const Words2& eight, int i, uint8_t) {
  return static_cast<float>(eight.x[i / 4] >> 8 * (i % 4) & 0xff);
}
SAK_DEVICE float number(const Words2& eight, int i, uint16_t) {
  return static_cast<float>(eight.x[i / 2] >> 16 * (i % 2) & 0xffff);
}
SAK_DEVICE float number(const Words2& eight, int i, float) {
  return __builtin_bit_cast(float, eight.x[i]);
}

SAK_DEVICE Picture load_picture(const Picture* p) {
  return {dev::load_global(&p->pixels), dev::load_global(&p->type), dev::load_global(&p->height),
          dev::load_global(&p->width),  dev::load_global(&p->top),  dev::load_global(&p->left)};
}

// Eight pixels of a row of a picture, zeros where they lie beside it.
class Pixels {
 public:
  // The picture's pixel that comes first; it may lie beside the picture.
  SAK_DEVICE Pixels(const Picture& picture, int row, int column)
      : picture_(picture), row_(row), column_(column) {}

  // Of [height, width, 3] of Value. `unit` makes 1 of the largest value.
  template <class Value>
  SAK_DEVICE void read(float unit, const PatchesArgs& args) {
    constexpr int kAtOnce = 8 / sizeof(Value);
    const Value* from = at<Value>(3);
    const bool inside = has_row() && column_ >= 0 && column_ + kPixels <= picture_.width;
    if (inside && reinterpret_cast<uint64_t>(from) % 8 == 0) {
      SAK_UNROLL
      for (int i = 0; i < 3 * kPixels; i += kAtOnce) {
        const Words2 eight = dev::load_global(reinterpret_cast<const Words2*>(from + i));
        SAK_UNROLL
        for (int e = 0; e < kAtOnce; ++e) {
          values_[i + e] = number(eight, e, Value{});
        }
      }
    } else {
      read_each(from, 3, 1);
    }
    SAK_UNROLL
    for (int i = 0; i < 3 * kPixels; ++i) {
      const float normal = dev::fma(values_[i], args.mul[i % 3] * unit, args.add[i % 3]);
      values_[i] = has(i / 3) ? normal : 0.0f;
    }
  }

  // Of [3, height, width] floats that are normalised already.
  SAK_DEVICE void read_planes() {
    read_each(at<float>(1), 1, static_cast<int64_t>(picture_.height) * picture_.width);
  }

  template <class T>
  SAK_DEVICE Words4 channel(int c) const {
    Words4 eight;
    SAK_UNROLL
    for (int e = 0; e < 4; ++e) {
      eight.x[e] = dev::pack(values_[6 * e + c], values_[6 * e + 3 + c], T{});
    }
    return eight;
  }

 private:
  SAK_DEVICE bool has_row() const { return row_ >= 0 && row_ < picture_.height; }
  SAK_DEVICE bool has(int pixel) const {
    return has_row() && column_ + pixel >= 0 && column_ + pixel < picture_.width;
  }
  template <class Value>
  SAK_DEVICE const Value* at(int pixel_stride) const {
    return static_cast<const Value*>(picture_.pixels) +
           (static_cast<int64_t>(row_) * picture_.width + column_) * pixel_stride;
  }
  template <class Value>
  SAK_DEVICE void read_each(const Value* from, int pixel_stride, int64_t channel_stride) {
    SAK_UNROLL
    for (int i = 0; i < 3 * kPixels; ++i) {
      if (has(i / 3)) {
        const Value value = dev::load_global(from + i / 3 * pixel_stride + i % 3 * channel_stride);
        values_[i] = static_cast<float>(value);
      }
    }
  }

  const Picture& picture_;
  int row_;
  int column_;
  float values_[3 * kPixels] = {};  // [pixel][channel]
};

SAK_DEVICE void copy_class_row(const PatchesArgs& args) {
  const int64_t tokens = 1 + args.grid_height * args.grid_width;
  float* to = args.x + dev::block_y() * tokens * args.channels;
  for (int c = 4 * dev::thread(); c < args.channels; c += 4 * kPatchThreads) {
    dev::store_global(reinterpret_cast<Floats4*>(to + c), four_at(args.class_row, c));
  }
}

template <class T>
SAK_DEVICE void patches(const PatchesArgs& args) {
  if (dev::block_x() == 0) {
    copy_class_row(args);
    return;
  }
  const int token = (dev::block_x() - 1) * kPatchesOfBlock + dev::thread() / 32;
  if (token >= args.grid_height * args.grid_width) {
    return;
  }
  const int y = dev::thread() % 32 / 2;
  const int x = dev::thread() % 2 * kPixels;
  const Picture picture = load_picture(args.pictures + dev::block_y());
  Pixels pixels(picture, token / args.grid_width * kPatchEdge + y - picture.top,
                token % args.grid_width * kPatchEdge + x - picture.left);
  switch (picture.type) {
    case 0:
      pixels.read<uint8_t>(1.0f / 255.0f, args);
      break;
    case 1:
      pixels.read<uint16_t>(1.0f / 65535.0f, args);
      break;
    case 2:
      pixels.read<float>(1.0f, args);
      break;
    default:
      pixels.read_planes();
  }
  const int64_t row =
      static_cast<int64_t>(dev::block_y()) * args.grid_height * args.grid_width + token;
  T* out = static_cast<T*>(args.out) + row * 3 * kPatchEdge * kPatchEdge + y * kPatchEdge + x;
  SAK_UNROLL
  for (int c = 0; c < 3; ++c) {
    dev::store_global(reinterpret_cast<Words4*>(out + c * kPatchEdge * kPatchEdge),
                      pixels.template channel<T>(c));
  }
}

}  // namespace sakedge::cuda
