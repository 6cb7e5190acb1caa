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
        has_paths_(shape.path_width > 0 && shape.maps) {
    finite_ = steps_.fixed(tables_.finite, shape.runs * static_cast<Index>(sizeof(int)), "finite");
    const Index weights = shape.runs * shape.tasks * geometry_.level_count() * (1 + shape.slots);
    routing_ = steps_.fixed(tables_.routing, weights * kFloatSize, "routing");
    mixing_ = steps_.scratch(static_cast<double>(weights), kFloatSize, "mixing weights");
    if (has_paths_) {
      const double size = product(shape.runs, shape.slots, geometry_.tokens(), geometry_.channels);
      r_ = steps_.scratch(size, kFloatSize, "residuals of paths");
    }
    if (shape.maps) {
      const Index maps = shape.runs * shape.tasks * map_stride(shape, geometry_);
      maps_ = steps_.fixed(places.maps, maps * kFloatSize, "maps");
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

  Buffer stage_buffer() {
    return steps_.scratch(product(rows_, geometry_.channels), kFloatSize, "stem output");
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
        normed = steps_.scratch(
            product(shape_.runs, shape_.slots, geometry_.tokens(), geometry_.channels),
            size_of(type_), "normalised paths");
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

  void taps(const Rows& z, const Linear* const* linears, Buffer out) {
    Linear widest{};
    widest.out = static_cast<int>(kTaps * shape_.fused);
    widest.in = static_cast<int>(shape_.z_width);
    GemmStep step = product_of(z, widest, geometry_.tokens(), out);
    step.batches = shape_.runs * shape_.tasks;
    step.linears = linears;
    add_gemm(steps_, step);
  }

  void expand() {
    const Index rows = shape_.runs * shape_.tasks * geometry_.tokens();
    const Index width = kTaps * shape_.fused;
    const Buffer out = steps_.scratch(product(rows, width), size_of(type_), "taps");
    if (shape_.wide_taps) {
      taps({type_, z_, {}}, tables_.wide_taps, out);
    }
    if (shape_.int8_taps) {
      const Rows z = scratch_rows(steps_, Arithmetic::kS8, rows, shape_.z_width, "z in int8");
      add_quantize(steps_, type_, z_, rows, shape_.z_width, z);
      taps(z, tables_.int8_taps, out);
    }
    add_expand(steps_, runs_,
               {geometry_.grid_height, geometry_.grid_width, width, shape_.classes,
                map_stride(shape_, geometry_), out, maps_, finite_});
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
  Buffer maps_;
  Buffer finite_;
  Buffer routing_;
  Buffer mixing_;
  Buffer r_;
  Buffer z_;
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
