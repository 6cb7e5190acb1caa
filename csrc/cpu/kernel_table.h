#pragma once

#include <cstdint>

#include "core/index.h"

// The kernels' arguments and the table of their pointers.
//
// Plain structs without member functions: an inline function that an ISA-flagged object
// instantiates could be the copy that the linker keeps for everybody.
//
// For every kernel: pointers may have any alignment that fits their type (packed weights and
// scratch come 64-byte aligned from the decoder, which is faster but not required); a row is
// contiguous and rows are `*_stride` elements apart; sizes may be any value >= 0 unless stated;
// outputs overlap no input unless stated; nothing allocates, throws or keeps a pointer.
// Accumulation is float32 in an order that depends on the sizes alone, so results are the same bits
// on every call. Inputs are finite; no intermediate is larger than the sum of absolute products, so
// overflow needs inputs near 1e19.
namespace sakedge::cpu {

// y[m, n] = x[m, k] * W[k, n] + bias, or += when `accumulate`.
// Error <= (k + 2) * 2^-24 * (|x| * |W| + |bias| + |y|), elementwise.
struct LinearArgs {
  Index m, n, k;
  const float* x;
  Index x_stride;
  const float* packed;  // pack_f32 of W
  const float* bias;    // [n], or null for none
  bool accumulate;
  float* y;
  Index y_stride;
};

// r = z + gelu(z * down + down_bias) * up + up_bias with z = r + x. In place on r.
struct AdapterArgs {
  Index m, channels, hidden;
  const float* x;
  Index x_stride;
  float* r;
  Index r_stride;
  const float* down;  // packed [channels, hidden]
  const float* down_bias;
  const float* up;  // packed [hidden, channels]
  const float* up_bias;
  float* scratch;  // [m * hidden]
};

// sum[n] = sum over rows of gelu(layer_norm(x * W + bias)), the router before its pooled last
// linear.
struct RouterArgs {
  Index m, channels, hidden;
  const float* x;
  Index x_stride;
  const float* packed;  // packed [channels, hidden]
  const float* bias;
  const float* gamma;
  const float* beta;
  float epsilon;
  float* scratch;  // [m * hidden]
  float* sum;      // [hidden]
};

// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta over `channels` >= 1; biased variance,
// from the centred values. y may be x.
struct LayerNormArgs {
  Index m, channels;
  const float* x;
  Index x_stride;
  const float* gamma;
  const float* beta;
  float epsilon;
  float* y;
  Index y_stride;
};

// y = sum over e of weights[e] * inputs[e], added in the order of e. experts >= 1.
struct MixArgs {
  Index m, channels, experts;
  const float* const* inputs;  // [experts]
  const Index* strides;        // [experts]
  const float* weights;        // [experts]
  float* y;
  Index y_stride;
};

// One interpolated position on an axis: low_weight * map[low] + high_weight * map[high]. Both
// weights are zero for a position outside the map; low and high are valid even then.
struct Tap {
  std::int32_t low, high;
  float low_weight, high_weight;
};

// Rows [begin, end) of a head's output at (H/4, W/4) from its nine tap maps at low resolution
// (kernels.md section 1): per row Y and column X
//   a[f] = gelu(bias[f] + sum over dy, dx of interpolate(taps[3 dy + dx], Y + dy - 1, X + dx - 1))
//   logits[Y, X] = a * last + last_bias, or += when `accumulate`.
// `rows` and `columns` hold three taps per output position, for offsets -1, 0, 1; a position
// outside has zero weights, as zero padding has.
struct ExpandArgs {
  Index channels, classes;
  Index width;                  // of the tap maps
  Index plane;                  // elements from one tap map to the next
  const float* taps;            // nine planes of [height * width, channels]
  const Tap* rows;              // [out_height, 3]
  const Tap* columns;           // [out_width, 3]
  Index begin, end, out_width;  // output rows to write
  const float* bias;            // [channels]
  const float* last;            // packed [channels, classes]
  const float* last_bias;       // [classes], or null for none
  bool accumulate;
  float* logits;   // [out_height * out_width, classes], the whole map
  float* scratch;  // [(3 * width + out_width) * channels]
};

// Samples of a map [height * width, classes] on rows [begin, end) of an output `out_width` wide:
// bilinear, along y first. The decoders write row y at out + y * out_width (* 3 for normals).
struct SampleArgs {
  const float* map;
  Index width, classes;
  const Tap* rows;     // [out_height]
  const Tap* columns;  // [out_width]
  Index begin, end, out_width;
  float* scratch;  // [(width + 1) * classes]
};

// The kernels:
// packed_size_f32        floats that pack_f32 writes.
// pack_f32               W[k, n] = source[k * k_stride + n * n_stride] into this ISA's layout.
// linear_f32             see LinearArgs. Also head_project and head_taps of the design.
// adapter_f32, router_f32, head_expand_f32, layer_norm_f32, mix_f32   see their arguments.
// gelu_f32               in place x * Phi(x), exact (erf) form; error <= 5 * 2^-24 * |x|.
// decode_labels_u8_f32   arg max over classes <= 256 (u16: <= 65536), the first on ties.
// decode_probability_f32 sigmoid of one channel.
// decode_two_class_f32   softmax of two channels, the second.
// decode_normals_f32     three channels divided by max(norm, 1e-12), interleaved.
// decode_scalar_f32      one channel, clamped to be >= 0.
// upsample_f32           the samples themselves; class c, row y at out + c * plane + y * out_width.

struct KernelTable {
#define KERNEL(group, name, result, parameters) result(*name) parameters;
#include "cpu/kernels.def"
#undef KERNEL
};

}  // namespace sakedge::cpu
