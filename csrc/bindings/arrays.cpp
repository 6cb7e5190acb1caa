#include "bindings/arrays.h"

#include <cmath>

#include "bindings/bind.h"
#include "core/limits.h"

namespace py = pybind11;

namespace sakedge::bindings {

const float* data_of(const Floats& array) {
  require((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0,
          "expected an array that is aligned in memory");
  return array.data();
}

View<const float> matrix(const Floats& array) {
  require(array.ndim() == 2,
          "expected a matrix, got an array with " + std::to_string(array.ndim()) + " axes");
  return dense(data_of(array), array.shape(0), array.shape(1));
}

Vector vector(const Floats& array) {
  require(array.ndim() == 1,
          "expected a vector, got an array with " + std::to_string(array.ndim()) + " axes");
  return {data_of(array), static_cast<std::size_t>(array.size())};
}

WeightSource weight(const Weight& array) {
  if (const auto* floats = std::get_if<Floats>(&array)) {
    const View<const float> view = matrix(*floats);
    return {view.rows, view.columns, view.data, nullptr, {}};
  }
  const auto& [integers, scales] = std::get<std::pair<Integers, Floats>>(array);
  require(integers.ndim() == 2, "expected a matrix of int8, got an array with " +
                                    std::to_string(integers.ndim()) + " axes");
  return {integers.shape(0), integers.shape(1), nullptr, integers.data(), vector(scales)};
}

LinearSource linear(const Layer& weight_and_bias) {
  return {weight(weight_and_bias.first), vector(weight_and_bias.second)};
}

NormSource norm(const FloatPair& gamma_and_beta) {
  return {vector(gamma_and_beta.first), vector(gamma_and_beta.second)};
}

const PixelDecoder& decoder_of(const std::string& family, Index classes) {
  const PixelDecoder* decoder = pixel_decoder(family, classes);
  require(decoder != nullptr,
          "no decoder " + family + " of " + std::to_string(classes) + " classes");
  return *decoder;
}

py::array values_array(const PixelDecoder& decoder, Size size, const void* data, py::handle owner) {
  std::vector<Index> shape = {size.height, size.width};
  if (decoder.values > 1) {
    shape.push_back(decoder.values);
  }
  switch (decoder.element) {
    case Element::kU8:
      return {py::dtype::of<std::uint8_t>(), shape, data, owner};
    case Element::kU16:
      return {py::dtype::of<std::uint16_t>(), shape, data, owner};
    case Element::kF32:
      break;
  }
  return floats_array(shape, data, owner);
}

py::array floats_array(const std::vector<Index>& shape, const void* data, py::handle owner) {
  return {py::dtype::of<float>(), shape, data, owner};
}

double bytes_of(const PixelDecoder& decoder, Size size) {
  return static_cast<double>(size.area()) * static_cast<double>(decoder.pixel_size());
}

double bytes_of(Index classes, Size size) {
  return static_cast<double>(size.area()) * static_cast<double>(classes) * sizeof(float);
}

void require_memory(double bytes) {
  const auto mebibytes = [](double number) {
    return std::to_string(std::llround(number / (1 << 20))) + " MiB";
  };
  const auto there = static_cast<double>(machine_memory());
  require(bytes <= there, "results larger than this machine's memory: expected at most " +
                              mebibytes(there) + ", got " + mebibytes(bytes));
}

}  // namespace sakedge::bindings
