// The arguments of every kernel, and the parts of a student as they lie in device memory. One
// struct by value is all that a kernel is given. T is the arithmetic's 16-bit type, Half or Bfloat.
//
// Images are those of the batch that the stem runs on, runs those of snapshots on them: run r takes
// the stem's outputs of image image[r]. Tokens are patch tokens; the stem's outputs x have one row
// more for each image, the class token, which comes first. A matrix [out, in] lies row by row.
#pragma once

#include "cuda/device/types.h"

namespace sakedge::cuda {

// A linear layer. `in` is a multiple of 16 (32 for int8), padded with zeros where a student's is
// not.
struct Linear {
  const void* weight;  // T or int8 [out, in]
  const float* scale;  // int8: [out], else null
  const float* bias;   // [out] or null
  int out;
  int in;
};

struct Norm {
  const float* gamma;
  const float* beta;
};

// An adapter path.
struct Path {
  const Linear* down;  // [D + 1]: C -> width
  const Linear* up;    // [D + 1]: width -> C, the scale of the adapter folded in
  const Norm* norms;   // [levels]
  int width;           // a multiple of 16, padded
};

struct RouterLevel {
  Linear hidden;           // C -> width
  Norm norm;               // [width]
  const float* gate;       // [experts, width]
  const float* gate_bias;  // [experts]
};

struct Head {
  const Linear* linears;   // [levels]: C -> a level's part of Z
  Linear taps;             // Z -> 9 F: tap (dy + 1) * 3 + (dx + 1) of channel f is row tap * F + f
  const float* fuse_bias;  // [F]
  const void* last;        // T [classes rounded up to 8, F], zeros below
  const float* last_bias;  // [classes]
  int fused;               // F, a multiple of 16, padded: GELU(0) = 0 adds nothing
  int classes;
};

// gemm_*: out = a w^T and an epilogue, in this order: scales, bias, GELU, residual.
// Grid: (GemmTile::blocks_for(m, linear.out), 1, batches). int8 products go to float or Half.
struct GemmArgs {
  const void* a;         // T or int8 [m, k] for each batch
  const float* a_scale;  // int8: [m] for each batch, else null
  Linear linear;         // n = out, a multiple of 8; k = in
  const Linear* const*
      linears;  // [batches], used instead where not null, n at most linear.out; null: none
  const float* residual;  // float [m, n] or null, for one batch; may be `out`
  void* out;              // [m, n] for each batch
  int m;
  int gelu;            // 0 or 1
  int float_out;       // 1: out is float; 0: T
  int patch_tokens;    // not 0: rows are the patch tokens of images, so many each; they are written
                       // behind their class token, and the residual is [1 + patch_tokens, n], the
                       // same for every image
  int64_t a_stride;    // elements from one batch to the next
  int64_t out_stride;  // the same
  int a_width;         // elements from one row of a to the next; 16 bytes or a multiple
  int out_width;       // the same of out and the residual; a multiple of 8
};

// layer_norm_*: rows of x normalised, to T, or (layer_norm_s8) to int8 with a scale for each row.
// A warp for each row; grid: (ceil(rows / 8), 1, 1), 256 threads; shared memory: gamma and beta.
struct LayerNormArgs {
  const float* x;  // [rows, channels]
  Norm norm;
  void* out;     // T or int8 [rows, channels]
  float* scale;  // int8: [rows], else null
  int rows;
  int channels;  // a multiple of 8
  float epsilon;
};

// quantize_*: rows of T to int8 with a scale for each row, max |row| / 127. As layer_norm.
struct QuantizeArgs {
  const void* in;  // T [rows, channels]
  int8_t* out;
  float* scale;  // [rows]
  int rows;
  int channels;  // a multiple of 8
};

// attention_*: softmax attention over all tokens, heads of 64 channels.
// Grid: (tiles of 96 queries, heads, images).
struct AttentionArgs {
  const void* qkv;  // T [images * tokens, 3 * heads * 64]: queries, keys, values; in each heads
  void* out;        // T [images * tokens, heads * 64]
  int tokens;       // with the class token
  int heads;
  float scale;  // of the products, times log2(e)
};

// An image as it was given, [height, width, 3] pixels, dense, and where it goes on the input; or,
// normalised already, [3, height, width].
struct Picture {
  const void* pixels;
  int type;  // 0 uint8, 1 uint16, 2 float in 0 ... 1; 3 float, normalised
  int height;
  int width;
  int top;
  int left;
};

// patches_*: pictures normalised and cut into patches; zeros beside them. Also writes the class
// token's row of x0. Grid: (1 + ceil(tokens / 4), images, 1), 128 threads.
struct PatchesArgs {
  const Picture* pictures;  // [images]
  void* out;                // T [images * tokens, 3 * 16 * 16]: channel, row, column
  const float* class_row;   // [C]: class token plus its position
  float* x;                 // x0: [images][1 + tokens, C]
  int grid_height;          // tokens
  int grid_width;
  int channels;  // C
  float mul[3];  // normalised = value in 0 ... 1 * mul + add
  float add[3];
};

// adapter_path_*: all paths' adapters of one depth. Grid: (tiles of 32 or 64 tokens, slots, runs).
struct AdapterArgs {
  const float* x;            // [images][1 + tokens, C]
  float* r;                  // [runs][slots][tokens, C]; read unless depth is 0, written
  void* normed;              // T like r, or null: the level's LayerNorm of r
  const int* image;          // [runs]
  const Path* const* paths;  // [runs][slots]; null takes no part
  int depth;
  int level;  // of `normed`
  int tokens;
  int channels;
  int slots;
};

// router_*: hidden layer, LayerNorm, GELU and their sum over a tile of tokens, of all tasks'
// routers of a level. Grid: (tiles, tasks, runs).
struct RouterArgs {
  const float* x;                     // [images][1 + tokens, C]
  float* sums;                        // [runs][tasks][tiles, width]
  const int* image;                   // [runs]
  const RouterLevel* const* routers;  // [runs][tasks], each [levels]; null: there is none
  int level;
  int tokens;
  int channels;
  int tasks;
  int width;  // of `sums`: the widest router's
};

// weigh: softmax of the gates over the experts that take part; grid: (tasks, runs), 512 threads.
// Without a router every expert that takes part weighs 1.
struct WeighArgs {
  const float* sums;
  const RouterLevel* const* routers;  // as above
  const Path* const* paths;           // as above
  float* routing;                     // [runs][tasks][levels][1 + slots]
  float* mixing;                      // the same, 0 below min_weight (not of the stem)
  int level;
  int levels;
  int tokens;
  int tiles;
  int tasks;
  int slots;
  int width;
  float min_weight;
};

// mix_*: mixture of the experts and the heads' level linear, of all tasks.
// Grid: (tiles of tokens, tasks, runs).
struct MixArgs {
  const float* x;            // [images][1 + tokens, C]
  const void* normed;        // T [runs][slots][tokens, C]
  const float* mixing;       // [runs][tasks][levels][1 + slots]
  const int* image;          // [runs]
  const Head* const* heads;  // [runs][tasks]
  void* z;                   // T [runs][tasks][tokens, z_width]
  int level;
  int levels;
  int tokens;
  int channels;
  int slots;
  int tasks;
  int z_width;  // the widest head's Z
};

// head_expand_*: nine taps interpolated and summed, bias, GELU, classes (docs/algebra.md, 1).
// A launch is for some of the pairs of a run and a task, [runs][tasks], that follow each other.
// Grid: (columns of 4 tokens, rows of 4, pairs).
struct ExpandArgs {
  const void* taps;          // T [pairs][tokens, taps_width]
  const Head* const* heads;  // [pairs]
  float* maps;               // [pairs][map_stride]: [4 * grid_height * 4 * grid_width, classes]
  int* finite;               // [runs]; set to 0 where a logit is none; set to 1 before
  int64_t map_stride;
  int first_pair;  // the launch's, of all
  int grid_height;
  int grid_width;
  int tasks;
  int taps_width;
};

// A map to be sampled and decoded; see Window in csrc/image/window.h.
struct DecodeJob {
  const float* map;  // [map_height * map_width, classes]
  void* out;         // [height, width] values
  int decoder;       // its row in cpu/kinds.def
  int classes;
  int height;
  int width;
  // Sample of output row y: (y + 0.5) * row_scale + row_offset, in cells of the map, where cell i
  // has its centre at i; columns too.
  float row_scale;
  float row_offset;
  float column_scale;
  float column_offset;
};

// decode; grid: heads_shape.h. upsample: the logits themselves, out float [classes, height, width].
struct DecodeArgs {
  const DecodeJob* jobs;
  int map_height;
  int map_width;
};

}  // namespace sakedge::cuda
