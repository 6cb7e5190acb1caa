#include "bindings/arrays.h"

#include <vector>

namespace sakedge::bindings {

void require(bool condition, const char* what) {
  if (!condition) {
    throw pybind11::value_error(what);
  }
}

View<const float> matrix(const Floats& array) {
  require(array.ndim() == 2, "expected a matrix");
  return dense(array.data(), array.shape(0), array.shape(1));
}

Vector vector(const Floats& array) {
  require(array.ndim() == 1, "expected a vector");
  return {array.data(), static_cast<std::size_t>(array.size())};
}

LinearSource linear(const FloatPair& weight_and_bias) {
  return {matrix(weight_and_bias.first), vector(weight_and_bias.second)};
}

NormSource norm(const FloatPair& gamma_and_beta) {
  return {vector(gamma_and_beta.first), vector(gamma_and_beta.second)};
}

const PixelDecoder& decoder_of(const std::string& family, Index classes) {
  const PixelDecoder* decoder = pixel_decoder(family, classes);
  if (decoder == nullptr) {
    throw pybind11::value_error("no decoder " + family + " of " + std::to_string(classes) +
                                " classes");
  }
  return *decoder;
}

pybind11::array values_array(const PixelDecoder& decoder, Index height, Index width) {
  std::vector<Index> shape = {height, width};
  if (decoder.values > 1) {
    shape.push_back(decoder.values);
  }
  switch (decoder.element) {
    case Element::kU8:
      return pybind11::array_t<std::uint8_t>(shape);
    case Element::kU16:
      return pybind11::array_t<std::uint16_t>(shape);
    case Element::kF32:
      break;
  }
  return pybind11::array_t<float>(shape);
}

}  // namespace sakedge::bindings
