#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <utility>

#include "decoder/weights/sources.h"
#include "image/pixel_decoder.h"

// Borrowed views of NumPy arrays; the arrays must outlive them. All raise ValueError on other
// shapes.
namespace sakedge::bindings {

using Floats = pybind11::array_t<float, pybind11::array::c_style>;
using FloatPair = std::pair<Floats, Floats>;

View<const float> matrix(const Floats& array);
Vector vector(const Floats& array);
LinearSource linear(const FloatPair& weight_and_bias);
NormSource norm(const FloatPair& gamma_and_beta);

// The decoder of a family for so many classes.
const PixelDecoder& decoder_of(const std::string& family, Index classes);

// Uninitialised, for the values that a decoder writes: [height, width], or [height, width, values].
pybind11::array values_array(const PixelDecoder& decoder, Index height, Index width);

// Raises ValueError with `what` unless `condition` holds.
void require(bool condition, const char* what);

}  // namespace sakedge::bindings
