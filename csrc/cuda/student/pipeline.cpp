#include "cuda/student/pipeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "cuda/launch/attention.h"
#include "cuda/launch/gemm.h"
#include "cuda/launch/heads.h"
#include "cuda/launch/patches.h"
#include "cuda/launch/rows.h"
#include "decoder/weights/head.h"

namespace sakedge::cuda {
namespace {

// Of the LayerNorms inside the stem's blocks.
constexpr float kStemEpsilon = 1e-6f;

double product(Index a, Index b, Index c = 1, Index d = 1) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c) *
         static_cast<double>(d);
}

Runs runs_of(const Geometry& geometry, Arithmetic type, const Shape& shape,
             const CallTables& tables) {
  return {type,
          shape.runs,
          shape.slots,
          shape.tasks,
          geometry.level_count(),
          geometry.tokens(),
          geometry.channels,
          tables.image,
          tables.paths,
          tables.routers,
          tables.heads};
}

// Writes the plan down, stage by stage.
class Pipeline {
 public:
  Pipeline(const Kernels& kernels, const Stem& stem, const Shape& shape, const Places& places)
      : steps_(kernels),
        stem_(stem),
        geometry_(stem.geometry),
        shape_(shape),
        tables_(places.tables),
        type_(wide(stem.arithmetic)),
        rows_(shape.images * (1 + geometry_.tokens())),
        runs_(runs_of(geometry_, type_, shape, tables_)),
        has_paths_(shape.path_width > 0 && shape.maps),
        maps_(places.maps) {
    const Index weights = shape.runs * shape.tasks * geometry_.level_count() * (1 + shape.slots);
    routing_ = steps_.fixed(tables_.routing, weights * kFloatSize, "routing");
    mixing_ = steps_.scratch(static_cast<double>(weights), kFloatSize, "mixing weights");
    for (Buffer& stage : stages_) {
      stage = steps_.scratch(product(rows_, geometry_.channels), kFloatSize, "stem output");
    }
    if (has_paths_) {
      const double size = product(shape.runs, shape.slots, geometry_.tokens(), geometry_.channels);
      r_ = steps_.scratch(size, kFloatSize, "residuals of paths");
      normed_ = steps_.scratch(size, size_of(type_), "normalised paths");
    }
    if (shape.maps) {
      z_ = steps_.scratch(product(shape.runs, shape.tasks, geometry_.tokens(), shape.z_width),
                          size_of(type_), "z");
    }
  }

  Expected<Plan> write(const Normalisation& normalisation) && {
    Buffer x = embed(normalisation);
    for (Index stage = 0;; ++stage) {
      beside(stage, x);
      if (stage == geometry_.last_stage()) {
        break;
      }
      x = block(stem_.blocks[static_cast<std::size_t>(stage)], x);
    }
    if (shape_.maps) {
      expand();
    }
    if (!steps_.status().ok()) {
      return steps_.status();
    }
    return std::move(steps_).take();
  }

 private:
  static constexpr Index kFloatSize = sizeof(float);

  // Stages have two places in turn, and levels one. What reads a stage beside the stem may so fall
  // a block behind it before the stem waits, and a mixture until the paths are at their next level:
  // either has more time than it takes, and each stage more would be 24 MB for eight images.
  Buffer stage_buffer() {
    std::swap(stages_[0], stages_[1]);
    return stages_[0];
  }

  Buffer embed(const Normalisation& normalisation) {
    const Index patches = shape_.images * geometry_.tokens();
    const Rows cut = scratch_rows(steps_, type_, patches, geometry_.pixels(), "patches");
    const Buffer x = stage_buffer();
    PatchesStep step;
    step.arithmetic = type_;
    step.images = shape_.images;
    step.grid_height = geometry_.grid_height;
    step.grid_width = geometry_.grid_width;
    step.channels = geometry_.channels;
    step.pictures = tables_.pictures;
    step.class_row = stem_.class_row;
    std::copy(std::begin(normalisation.mul), std::end(normalisation.mul), step.mul);
    std::copy(std::begin(normalisation.add), std::end(normalisation.add), step.add);
    step.out = cut.data;
    step.x = x;
    add_patches(steps_, step);
    GemmStep gemm = product_of(cut, stem_.patch, patches, x);
    gemm.shared_residual = stem_.position;
    gemm.float_out = true;
    gemm.patch_tokens = geometry_.tokens();
    add_gemm(steps_, gemm);
    return x;
  }

  GemmStep product_of(const Rows& a, const Linear& linear, Index m, Buffer out) const {
    GemmStep step;
    step.arithmetic = a.arithmetic;
    step.m = m;
    step.a = a.data;
    step.a_scale = a.scale;
    step.a_width = linear.in;
    step.linear = linear;
    step.out = out;
    step.out_width = linear.out;
    return step;
  }

  // LayerNorm and the linear after it.
  Rows normed_product(Buffer x, const Norm& norm, const Linear& linear, bool gelu,
                      const char* what) {
    const Rows normed = scratch_rows(steps_, is_int8(linear) ? Arithmetic::kS8 : type_, rows_,
                                     geometry_.channels, "normalised rows");
    add_layer_norm(steps_, x, norm, kStemEpsilon, rows_, geometry_.channels, normed);
    const Rows out = scratch_rows(steps_, type_, rows_, linear.out, what);
    GemmStep step = product_of(normed, linear, rows_, out.data);
    step.gelu = gelu;
    add_gemm(steps_, step);
    return out;
  }

  // out = residual + a w^T, both float.
  void residual_product(const Rows& a, const Linear& linear, Buffer residual, Buffer out) {
    GemmStep step = product_of(a, linear, rows_, out);
    step.residual = residual;
    step.float_out = true;
    add_gemm(steps_, step);
  }

  // The second half works on its own output.
  Buffer block(const Stem::Block& block, Buffer x) {
    const Buffer next = stage_buffer();
    const Rows qkv = normed_product(x, block.norm1, block.qkv, false, "queries, keys, values");
    const Rows attended = scratch_rows(steps_, type_, rows_, geometry_.channels, "attention");
    add_attention(steps_, {type_, shape_.images, 1 + geometry_.tokens(), geometry_.heads, qkv.data,
                           attended.data});
    residual_product(attended, block.proj, x, next);
    const Rows hidden = normed_product(next, block.norm2, block.fc1, true, "hidden values");
    residual_product(hidden, block.fc2, next, next);
    return next;
  }

  // What reads a stage of the stem.
  void beside(Index stage, Buffer x) {
    const auto& levels = geometry_.levels;
    const auto found = std::find(levels.begin(), levels.end(), stage - 1);
    const Index level = found == levels.end() ? -1 : found - levels.begin();
    Buffer normed;
    if (has_paths_) {
      if (level >= 0) {
        normed = normed_;
      }
      add_adapters(steps_, runs_, shape_.path_width, stage, level, x, r_, normed);
    }
    if (level >= 0) {
      weigh(level, x);
      if (shape_.maps) {
        add_mix(steps_, runs_,
                {level, shape_.linears_width, shape_.z_width, x, normed, mixing_, z_});
      }
    }
  }

  void weigh(Index level, Buffer x) {
    Buffer sums;
    if (shape_.router_width > 0) {
      sums = steps_.scratch(static_cast<double>(sums_count(runs_, shape_.router_width)), kFloatSize,
                            "sums of routers");
      add_routers(steps_, runs_, shape_.router_width, level, x, sums);
    }
    add_weigh(steps_, runs_, shape_.router_width, level, shape_.min_weight, sums, routing_,
              mixing_);
  }

  // The taps of a chunk, from pair `first` on.
  void taps(const Rows& z, const Linear* const* linears, Index first, Index pairs, Buffer out) {
    Linear widest{};
    widest.out = static_cast<int>(kTaps * shape_.fused);
    widest.in = static_cast<int>(shape_.z_width);
    GemmStep step = product_of(z, widest, geometry_.tokens(), out);
    step.batches = pairs;
    step.first = first;
    step.beside = shape_.runs * shape_.tasks - pairs;
    step.linears = linears;
    add_gemm(steps_, step);
  }

  // Of a pair of a run and a task, taps are nine times as large as z. So they are computed and
  // expanded in chunks, each of as many pairs as head_expand fills the device with. There is memory
  // for two: one is computed while the other is expanded.
  void expand() {
    const Index all = shape_.runs * shape_.tasks;
    const Index width = kTaps * shape_.fused;
    ExpandStep step;
    step.grid_height = geometry_.grid_height;
    step.grid_width = geometry_.grid_width;
    step.taps_width = width;
    step.classes = shape_.classes;
    step.map_stride = map_stride(shape_, geometry_);
    step.finite = tables_.finite;
    const int chunks = blocks_of(all, pairs_side_by_side(steps_.kernels(), step));
    const Index most = blocks_of(all, chunks);
    Buffer places[2];
    for (Buffer& place : places) {
      place = steps_.scratch(product(most, geometry_.tokens(), width), size_of(type_), "taps");
    }
    Rows int8_z;
    if (shape_.int8_taps) {
      const Index rows = all * geometry_.tokens();
      int8_z = scratch_rows(steps_, Arithmetic::kS8, rows, shape_.z_width, "z in int8");
      add_quantize(steps_, type_, z_, rows, shape_.z_width, int8_z);
    }
    for (int chunk = 0; chunk < chunks; ++chunk) {
      step.first = chunk * most;
      step.pairs = std::min(most, all - step.first);
      step.taps = places[chunk % 2];
      if (shape_.wide_taps) {
        taps({type_, z_, {}}, tables_.wide_taps, step.first, step.pairs, step.taps);
      }
      if (shape_.int8_taps) {
        taps(int8_z, tables_.int8_taps, step.first, step.pairs, step.taps);
      }
      step.maps = steps_.fixed(maps_ + step.first * step.map_stride,
                               step.pairs * step.map_stride * kFloatSize, "maps");
      add_expand(steps_, runs_, step);
    }
  }

  Steps steps_;
  const Stem& stem_;
  const Geometry& geometry_;
  const Shape& shape_;
  const CallTables& tables_;
  const Arithmetic type_;
  const Index rows_;  // tokens of all images
  const Runs runs_;
  const bool has_paths_;
  float* const maps_;
  Buffer routing_;
  Buffer mixing_;
  Buffer r_;
  Buffer z_;
  Buffer stages_[2];
  Buffer normed_;
};

}  // namespace

Index map_stride(const Shape& shape, const Geometry& geometry) {
  return geometry.map().area() * shape.classes;
}

Expected<Plan> plan_of(const Kernels& kernels, const Stem& stem, const Normalisation& normalisation,
                       const Shape& shape, const Places& places) {
  return Pipeline(kernels, stem, shape, places).write(normalisation);
}

}  // namespace sakedge::cuda
