#include <algorithm>

#include "decoder/pass/run.h"
#include "image/interpolation.h"

namespace sakedge {

Run::Samples Run::samples(const Window& window) const {
  return {window.height, window.width,
          window_lerps(geometry.map_height(), geometry.input_height, window.height, window.top,
                       window.scale_y),
          window_lerps(geometry.map_width(), geometry.input_width, window.width, window.left,
                       window.scale_x)};
}

cpu::SampleArgs Run::sample_args(const Step& step, const Samples& samples, Index item,
                                 int worker) const {
  return {step.map,
          geometry.map_width(),
          step.head->classes,
          samples.rows.data(),
          samples.columns.data(),
          item * kDecodeRows,
          std::min((item + 1) * kDecodeRows, samples.height),
          samples.width,
          float_scratch(worker)};
}

void Run::decode_band(const Step& step, const Samples& samples, Index item, int worker) {
  const cpu::SampleArgs args = sample_args(step, samples, item, worker);
  void* const out = step.output->values;
  switch (part(step.task).kind) {
    case Kind::kLabels:
      if (args.classes > 256) {
        kernels.decode_labels_u16_f32(args, static_cast<std::uint16_t*>(out));
      } else {
        kernels.decode_labels_u8_f32(args, static_cast<std::uint8_t*>(out));
      }
      return;
    case Kind::kProbability:
      kernels.decode_probability_f32(args, static_cast<float*>(out));
      return;
    case Kind::kTwoClass:
      kernels.decode_two_class_f32(args, static_cast<float*>(out));
      return;
    case Kind::kNormals:
      kernels.decode_normals_f32(args, static_cast<float*>(out));
      return;
    case Kind::kScalar:
      kernels.decode_scalar_f32(args, static_cast<float*>(out));
      return;
  }
}

// The network's own output: the map at the input's size.
void Run::upsample_band(const Step& step, const Samples& whole, Index item, int worker) {
  kernels.upsample_f32(sample_args(step, whole, item, worker), whole.height * whole.width,
                       step.output->logits);
}

}  // namespace sakedge
