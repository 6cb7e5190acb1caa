#pragma once

#include "core/index.h"

// What the decoders of kinds.def compute: from the logits of kLanes neighbouring pixels, of which
// the first `count` exist, to their values. `logits.at(c)` is the vector of the pixels' logits of
// channel c. Written once, over the operations that vector/lanes.h lists; generic/scalar.h brings
// those for a single lane.
namespace sakedge::cpu {
namespace {
namespace decoders {

// Labels count in floats, which hold every whole number up to 2^24.
template <typename Logits, typename Label>
inline void labels(const Logits& logits, Index classes, Label* out, Index count) {
  Vec most = logits.at(0);
  Vec best = splat(0.0f);
  Vec label = best;
  for (Index c = 1; c < classes; ++c) {
    const Vec value = logits.at(c);
    label = add(label, splat(1.0f));
    best = if_greater(value, most, label, best);
    most = larger(value, most);
  }
  float lanes[kLanes];
  store(lanes, best);
  for (Index i = 0; i < count; ++i) {
    out[i] = static_cast<Label>(lanes[i]);
  }
}

template <typename Logits>
inline void labels_u8(const Logits& logits, Index classes, std::uint8_t* out, Index count) {
  labels(logits, classes, out, count);
}

template <typename Logits>
inline void labels_u16(const Logits& logits, Index classes, std::uint16_t* out, Index count) {
  labels(logits, classes, out, count);
}

template <typename Logits>
inline void probability(const Logits& logits, Index, float* out, Index count) {
  put(out, sigmoid(logits.at(0)), count);
}

// The softmax of two is the sigmoid of their difference.
template <typename Logits>
inline void two_class(const Logits& logits, Index, float* out, Index count) {
  put(out, sigmoid(sub(logits.at(1), logits.at(0))), count);
}

template <typename Logits>
inline void normals(const Logits& logits, Index, float* out, Index count) {
  Vec v[3];
  Vec square = splat(0.0f);
  UNROLL for (Index c = 0; c < 3; ++c) {
    v[c] = logits.at(c);
    square = multiply_add(v[c], v[c], square);
  }
  const Vec divisor = larger(square_root(square), splat(1e-12f));
  float lanes[3][kLanes];
  UNROLL for (Index c = 0; c < 3; ++c) { store(lanes[c], div(v[c], divisor)); }
  for (Index i = 0; i < count; ++i) {
    UNROLL for (Index c = 0; c < 3; ++c) { out[3 * i + c] = lanes[c][i]; }
  }
}

template <typename Logits>
inline void scalar(const Logits& logits, Index, float* out, Index count) {
  put(out, larger(logits.at(0), splat(0.0f)), count);
}

}  // namespace decoders
}  // namespace
}  // namespace sakedge::cpu
