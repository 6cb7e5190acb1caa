#include "cuda/student/parts/head.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "cuda/student/parts/matrix.h"
#include "decoder/weights/head.h"

namespace sakedge::cuda {
namespace {

// The kernel [f][z][tap] as nine matrices: tap * fused + f is row f of tap's. As a source, it is
// written out, for the rows of its padding come tap by tap.
struct Taps {
  std::vector<float> floats;
  std::vector<std::int8_t> integers;
  std::vector<float> scales;
  WeightSource weight;  // of one of the two

  Taps(const WeightSource& fuse, Index width, Index fused) {
    weight.rows = kTaps * fused;
    weight.columns = width;
    const auto size = static_cast<std::size_t>(weight.rows * width);
    if (fuse.is_quantised()) {
      integers.resize(size);
      scales.resize(static_cast<std::size_t>(weight.rows));
      for (Index row = 0; row < weight.rows; ++row) {
        const Index f = row % fused;
        scales[static_cast<std::size_t>(row)] =
            f < fuse.rows ? fuse.scales[static_cast<std::size_t>(f)] : 0.0f;
      }
      spread(fuse.integers, fuse.rows, width, fused, integers.data());
      weight.integers = integers.data();
      weight.scales = scales;
    } else {
      floats.resize(size);
      spread(fuse.floats, fuse.rows, width, fused, floats.data());
      weight.floats = floats.data();
    }
  }

 private:
  template <class T>
  static void spread(const T* from, Index rows, Index width, Index fused, T* to) {
    for (Index f = 0; f < rows; ++f) {
      for (Index z = 0; z < width; ++z) {
        for (Index tap = 0; tap < kTaps; ++tap) {
          to[(tap * fused + f) * width + z] = *from++;
        }
      }
    }
  }
};

Index width_of(const HeadSource& source) {
  Index width = 0;
  for (const LinearSource& linear : source.linears) {
    width += linear.weight.columns;
  }
  return width;
}

}  // namespace

Expected<std::shared_ptr<const HeadPart>> HeadPart::make(std::shared_ptr<Device> device,
                                                         const Geometry& geometry,
                                                         Arithmetic arithmetic,
                                                         const HeadSource& source) {
  if (Status status = check(source, geometry); !status.ok()) {
    return status;
  }
  const Arithmetic type = wide(arithmetic);
  const Index width = width_of(source);
  auto part = std::make_shared<HeadPart>(std::move(device), geometry, arithmetic);
  part->width = round_up(width, multiple_of(arithmetic));
  part->fused = round_up(source.fuse.rows, multiple_of(type));
  part->classes = source.last.rows;
  const Index last_rows = round_up(part->classes, 8);
  const Taps taps(source.fuse, width, part->fused);
  const WeightSource last{source.last.rows, source.last.columns, source.last.data, nullptr, {}};

  Expected<DeviceMemory> memory = filled(*part->device, [&](PartImage& image) {
    std::vector<Linear> linears;
    for (std::size_t i = 0; i < source.linears.size(); ++i) {
      const LinearSource& linear = source.linears[i];
      // The last one writes the zeros with which Z is padded.
      const bool is_last = i + 1 == source.linears.size();
      const Index out = linear.weight.columns + (is_last ? part->width - width : 0);
      linears.push_back(
          put_linear(image, type, linear, "head linear " + std::to_string(i), {out, 0}));
      part->linears_width = std::max(part->linears_width, out);
    }
    Head head{};
    head.linears = image.put<Linear>(linears);
    head.taps = put_weight(image, arithmetic, {&taps.weight, kTaps * part->fused, width, width, 1},
                           "head fuse", {0, part->width});
    head.fuse_bias = put_floats(image, source.fuse_bias, part->fused);
    head.last = put_weight(image, type, {&last, last.rows, last.columns, last.columns, 1},
                           "head last", {last_rows, part->fused})
                    .weight;
    head.last_bias = put_floats(image, source.last_bias, last_rows);
    head.fused = static_cast<int>(part->fused);
    head.classes = static_cast<int>(part->classes);
    part->head = image.put<Head>(std::span(&head, 1));
  });
  if (!memory.ok()) {
    return memory.status();
  }
  part->taps = reinterpret_cast<const Linear*>(reinterpret_cast<const std::byte*>(part->head) +
                                               offsetof(Head, taps));
  part->memory = std::move(memory).take();
  return std::shared_ptr<const HeadPart>(std::move(part));
}

}  // namespace sakedge::cuda
