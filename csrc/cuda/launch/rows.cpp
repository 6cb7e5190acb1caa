#include "cuda/launch/rows.h"

namespace sakedge::cuda {
namespace {

constexpr int kThreads = 256;
constexpr Index kRowsOfBlock = 8;  // a warp for each

std::vector<Buffer> buffers(const Rows& rows) {
  return rows.scale.id < 0 ? std::vector<Buffer>{rows.data}
                           : std::vector<Buffer>{rows.data, rows.scale};
}

}  // namespace

Rows scratch_rows(Steps& steps, Arithmetic arithmetic, Index rows, Index channels,
                  const char* what) {
  const double count = static_cast<double>(rows) * static_cast<double>(channels);
  Rows result{arithmetic, steps.scratch(count, size_of(arithmetic), what), {}};
  if (arithmetic == Arithmetic::kS8) {
    result.scale = steps.scratch(static_cast<double>(rows), sizeof(float), "scales");
  }
  return result;
}

void add_layer_norm(Steps& steps, Buffer x, const Norm& norm, float epsilon, Index rows,
                    Index channels, const Rows& out) {
  const int shared = static_cast<int>(2 * sizeof(float) * channels);  // gamma and beta
  steps.launch<LayerNormArgs>(std::string("layer_norm_") + name_of(out.arithmetic), kThreads,
                              shared, {blocks_of(rows, kRowsOfBlock)}, {x}, buffers(out),
                              [=](const Addresses& at) {
                                LayerNormArgs args{};
                                args.x = at(x);
                                args.norm = norm;
                                args.out = at(out.data);
                                args.scale = optional(at, out.scale);
                                args.rows = static_cast<int>(rows);
                                args.channels = static_cast<int>(channels);
                                args.epsilon = epsilon;
                                return args;
                              });
}

void add_quantize(Steps& steps, Arithmetic wide, Buffer in, Index rows, Index channels,
                  const Rows& out) {
  steps.launch<QuantizeArgs>(std::string("quantize_") + name_of(wide), kThreads, 0,
                             {blocks_of(rows, kRowsOfBlock)}, {in}, buffers(out),
                             [=](const Addresses& at) {
                               QuantizeArgs args{};
                               args.in = at(in);
                               args.out = at(out.data);
                               args.scale = at(out.scale);
                               args.rows = static_cast<int>(rows);
                               args.channels = static_cast<int>(channels);
                               return args;
                             });
}

}  // namespace sakedge::cuda
