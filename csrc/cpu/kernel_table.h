#pragma once

#include <cstdint>

#include "core/index.h"

// The kernels' arguments and the table of their pointers.
//
// Plain structs without member functions: an inline function that an ISA-flagged object
// instantiates could be the copy that the linker keeps for everybody.
//
// For every kernel: pointers to floats may have any alignment that fits their type; packed weights,
// prepared rows and scratch are aligned to 64 bytes. A row is contiguous and rows are `*_stride`
// elements apart; sizes may be any value >= 0 unless stated; outputs overlap no input unless
// stated; nothing allocates, throws or keeps a pointer. Sums are formed in an order that depends on
// the sizes alone, and a row's result does not depend on the rows beside it, so results are the
// same bits on every call and for every tiling of the rows. No intermediate of finite inputs is
// larger than the sum of absolute products, so overflow needs inputs near 1e19. NaN and infinity,
// whether they come in or arise, stay: what is computed from them is NaN or infinite, except that
// the GELU of -infinity is 0 and that decoders may return any value of theirs.
namespace sakedge::cpu {

// ---- Matrix kernels, one of each per arithmetic ----
//
// A product multiplies *prepared* rows with a *packed* matrix. Both layouts belong to the
// instruction set. The arithmetics (2^-24 is float32's unit roundoff u):
//
// f32   Operands as they are. Error <= (k + 2) u (|x| |W| + |bias| + |y|), elementwise.
// bf16  Operands rounded to bfloat16, to nearest even; products exact, sums in float32. The same
//       bound against the rounded operands, with k rounded up to an even number: Arm's instructions
//       add in pairs, each sum rounded to odd, which errs by up to 2 u but half as often.
//       Subnormal numbers may count as zero.
// s8    Row by row, with a = max |x|: q = x * (127 / a) rounded to nearest even, scale a / 127;
//       W likewise column by column when it is packed. A row or column with a < 2^-100 counts as
//       zero. The sum of products of q is an exact int32 (k <= 65536), and
//         y = float(sum) * (row scale * column scale) + bias (+ y)
//       with every operation rounded by itself, never fused: the same bits on every instruction
//       set. A matrix that is quantised already keeps its integers and its column scales.

// W[k, n] = source[k * k_stride + n * n_stride] into this ISA's layout, `packed_size(k, n)` bytes.
struct PackArgs {
  Index k, n;
  const float* source;
  Index k_stride, n_stride;
  void* packed;
  // [n], or null: the source holds integers from -127 to 127 in units of these, each positive.
  const float* scales;
};

// m rows of k floats into rows of `row_size(k)` bytes, one after the other.
struct PrepareArgs {
  Index m, k;
  const float* x;
  Index x_stride;
  void* rows;
};

// y[m, n] = x[m, k] * W[k, n] + bias, or += when `accumulate`.
struct LinearArgs {
  Index m, n, k;
  const void* rows;  // x, prepared
  const void* packed;
  const float* bias;  // [n], or null for none
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
  const void* down;  // packed [channels, hidden]
  const float* down_bias;
  const void* up;  // packed [hidden, channels]
  const float* up_bias;
  void* scratch;  // adapter_scratch() bytes (scratch.h)
};

// sum[n] = sum over rows of gelu(layer_norm(x * W + bias)): the router before its last linear,
// which acts on the mean over all tokens.
struct RouterArgs {
  Index m, channels, hidden;
  const void* rows;    // x [m, channels], prepared
  const void* packed;  // [channels, hidden]
  const float* bias;
  const float* gamma;
  const float* beta;
  float epsilon;
  float* scratch;  // [m * hidden]
  float* sum;      // [hidden]
};

// Kernels of one arithmetic:
// packed_size  bytes that pack writes, a multiple of 64.
// pack         a matrix, once, when weights are loaded.
// row_size     bytes of a prepared row, a multiple of 64.
// prepare      rows for products.
// linear       a product; head_project and head_taps of docs/algebra.md, section 5, are this one.
// adapter, router  see their arguments.
struct PackedKernels {
#define PACKED(name, result, parameters) result(*name) parameters = nullptr;
#include "cpu/kernels.def"
};

// ---- Kernels that stand alone ----

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
struct Lerp {
  std::int32_t low, high;
  float low_weight, high_weight;
};

// Rows [begin, end) of a head's output at (H/4, W/4) from its nine tap maps at low resolution
// (docs/algebra.md, section 1): per row Y and column X
//   a[f] = gelu(bias[f] + sum over dy, dx of interpolate(taps[3 dy + dx], Y + dy - 1, X + dx - 1))
//   logits[Y, X] = a * last + last_bias, or += when `accumulate`.
// `rows` and `columns` hold three lerps per output position, for offsets -1, 0, 1; a position
// outside has zero weights, as zero padding has.
struct ExpandArgs {
  Index channels, classes;
  Index width;         // of the tap maps
  const float* taps;   // tap t of token i: [channels] at i * token_stride + t * tap_stride
  Index token_stride;  // elements
  Index tap_stride;
  const Lerp* rows;             // [out_height, 3]
  const Lerp* columns;          // [out_width, 3]
  Index begin, end, out_width;  // output rows to write
  const float* bias;            // [channels]
  const float* last;            // [classes, channels]
  Index last_stride;
  const float* last_bias;  // [classes], or null for none
  bool accumulate;
  float* logits;   // [out_height * out_width, classes], the whole map
  float* scratch;  // [expand_scratch()]
};

// Samples of a map [height * width, classes] on rows [begin, end) of an output `out_width` wide:
// bilinear, along y first. Error of a sample <= 5 u times the same sample of |map|. The decoders
// write row y at out + y * out_width (* 3 for normals).
struct SampleArgs {
  const float* map;
  Index width, classes;
  const Lerp* rows;     // [out_height]
  const Lerp* columns;  // [out_width]
  Index begin, end, out_width;
  float* scratch;  // [sample_scratch()]
};

// Weighted samples of a tile's map, added to what its neighbours left:
//   out[c, y, x] += row_weights[y] * column_weights[x] * sample[c, y, x]
// for the rows [begin, end) of `samples`. Row y of class c lies at
// out + c * plane_stride + (y - begin) * row_stride.
struct BlendArgs {
  SampleArgs samples;
  const float* row_weights;     // [out_height]
  const float* column_weights;  // [out_width]
  Index plane_stride, row_stride;
  float* out;
};

// `count` pixels, channel c of which lie at planes + c * stride.
struct PlaneArgs {
  const float* planes;
  Index stride, classes, count;
};

// The kernels:
// magnitude_f32          the largest absolute value, 0 of none; NaN if one is.
// gelu_f32               in place x * Phi(x), exact (erf) form; error <= 5 u |x|, below x = -5.6
//                        never more than 28 u.
// layer_norm_f32, mix_f32, head_expand_f32   see their arguments.
// decode_<name>_f32      a decoder of kinds.def on samples of a map.
// decode_planes_<name>_f32  the same on planes.
//   labels_u8, labels_u16  arg max over classes, the first on ties.
//   probability            sigmoid of one channel; beyond the sample's error, relative error <= 4 u
//                          where the sample is above -87, 2e-38 absolute below.
//   two_class              softmax of two channels, the second: the sigmoid of their difference.
//   normals                three channels divided by max(norm, 1e-12), interleaved.
//   scalar                 one channel, clamped to be >= 0.
// upsample_f32           the samples themselves; class c, row y at out + c * plane + y * out_width.
// blend_f32              see its arguments; error <= 8 u of the sum of absolute terms.

struct KernelTable {
  PackedKernels f32{};
  PackedKernels bf16{};
  PackedKernels s8{};
#define KERNEL(name, result, parameters) result(*name) parameters = nullptr;
#include "cpu/kernels.def"
};

}  // namespace sakedge::cpu
