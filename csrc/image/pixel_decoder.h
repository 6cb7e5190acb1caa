#pragma once

#include <string_view>

#include "cpu/kernel_table.h"

namespace sakedge {

enum class Element { kU8, kU16, kF32 };

constexpr Index size_of(Element element) {
  return element == Element::kU8 ? 1 : element == Element::kU16 ? 2 : 4;
}

// A row of kinds.def: what turns a pixel's logits into its values, with the type of the values
// erased.
struct PixelDecoder {
  std::string_view family;
  Index fewest, most;  // logits of a pixel that it takes
  Element element;     // of what it writes
  Index values;        // that it writes for a pixel
  void (*from_map)(const cpu::KernelTable& kernels, const cpu::SampleArgs& args, void* out);
  void (*from_planes)(const cpu::KernelTable& kernels, const cpu::PlaneArgs& args, void* out);

  Index pixel_size() const { return values * size_of(element); }
};

// The first of a family that takes so many logits, or null.
const PixelDecoder* pixel_decoder(std::string_view family, Index classes);

// Its row's number in kinds.def.
int row_of(const PixelDecoder& decoder);

}  // namespace sakedge
