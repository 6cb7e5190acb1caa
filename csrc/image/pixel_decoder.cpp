#include "image/pixel_decoder.h"

#include <algorithm>

namespace sakedge {
namespace {

template <typename Value>
constexpr Element kElement = Element::kF32;
template <>
constexpr Element kElement<std::uint8_t> = Element::kU8;
template <>
constexpr Element kElement<std::uint16_t> = Element::kU16;

constexpr PixelDecoder kDecoders[] = {
#define DECODER(family, name, fewest, most, Value, values)                       \
  {#family,                                                                      \
   fewest,                                                                       \
   most,                                                                         \
   kElement<Value>,                                                              \
   values,                                                                       \
   [](const cpu::KernelTable& kernels, const cpu::SampleArgs& args, void* out) { \
     kernels.decode_##name##_f32(args, static_cast<Value*>(out));                \
   },                                                                            \
   [](const cpu::KernelTable& kernels, const cpu::PlaneArgs& args, void* out) {  \
     kernels.decode_planes_##name##_f32(args, static_cast<Value*>(out));         \
   }},
#include "cpu/kinds.def"
};

}  // namespace

const PixelDecoder* pixel_decoder(std::string_view family, Index classes) {
  const auto* found =
      std::find_if(std::begin(kDecoders), std::end(kDecoders), [&](const PixelDecoder& decoder) {
        return decoder.family == family && classes >= decoder.fewest && classes <= decoder.most;
      });
  return found == std::end(kDecoders) ? nullptr : found;
}

int row_of(const PixelDecoder& decoder) { return static_cast<int>(&decoder - kDecoders); }

}  // namespace sakedge
