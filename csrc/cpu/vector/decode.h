#pragma once

#include "cpu/kernel_table.h"
#include "cpu/vector/samples.h"
#include "cpu/vector/sigmoid.h"

// From a head's logits at (H/4, W/4) straight to the result: a sample's classes exist only in
// registers.
namespace sakedge::cpu {
namespace {

// A masked store of all lanes takes AMD's AVX2 units 20 times as long as a plain one.
inline void put(float* out, Vec x, Index count) {
  if (count == kLanes) {
    store(out, x);
  } else {
    store_first(out, x, count);
  }
}

// Labels are computed as floats, which represent every whole number up to 2^24.
template <typename Label>
inline void decode_labels(const SampleArgs& args, Label* out) {
  for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {
    Vec most = sampler.at(0);
    Vec best = splat(0.0f);
    Vec label = best;
    for (Index c = 1; c < args.classes; ++c) {
      const Vec value = sampler.at(c);
      label = add(label, splat(1.0f));
      best = if_greater(value, most, label, best);
      most = larger(value, most);
    }
    float labels[kLanes];
    store(labels, best);
    Label* row = out + y * args.out_width + x;
    for (Index i = 0; i < count; ++i) {
      row[i] = static_cast<Label>(labels[i]);
    }
  });
}

void decode_labels_u8_f32(const SampleArgs& args, std::uint8_t* out) { decode_labels(args, out); }
void decode_labels_u16_f32(const SampleArgs& args, std::uint16_t* out) { decode_labels(args, out); }

void decode_probability_f32(const SampleArgs& args, float* out) {
  for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {
    put(out + y * args.out_width + x, sigmoid(sampler.at(0)), count);
  });
}

void decode_two_class_f32(const SampleArgs& args, float* out) {
  for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {
    const Vec difference = sub(sampler.at(1), sampler.at(0));
    put(out + y * args.out_width + x, sigmoid(difference), count);
  });
}

void decode_normals_f32(const SampleArgs& args, float* out) {
  for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {
    Vec v[3];
    Vec square = splat(0.0f);
    UNROLL for (Index c = 0; c < 3; ++c) {
      v[c] = sampler.at(c);
      square = multiply_add(v[c], v[c], square);
    }
    const Vec divisor = larger(square_root(square), splat(1e-12f));
    float lanes[3][kLanes];
    UNROLL for (Index c = 0; c < 3; ++c) { store(lanes[c], div(v[c], divisor)); }
    float* row = out + (y * args.out_width + x) * 3;
    for (Index i = 0; i < count; ++i) {
      UNROLL for (Index c = 0; c < 3; ++c) { row[3 * i + c] = lanes[c][i]; }
    }
  });
}

void decode_scalar_f32(const SampleArgs& args, float* out) {
  for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {
    put(out + y * args.out_width + x, larger(sampler.at(0), splat(0.0f)), count);
  });
}

void upsample_f32(const SampleArgs& args, Index plane, float* out) {
  for_samples(args, [&](Index y, Index x, const Sampler& sampler, Index count) {
    for (Index c = 0; c < args.classes; ++c) {
      put(out + c * plane + y * args.out_width + x, sampler.at(c), count);
    }
  });
}

}  // namespace
}  // namespace sakedge::cpu
