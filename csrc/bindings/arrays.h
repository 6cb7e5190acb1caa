#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "decoder/weights/sources.h"
#include "image/pixel_decoder.h"
#include "image/window.h"

// Borrowed views of NumPy arrays; the arrays must outlive them. All raise CoreError for other
// shapes. Arguments that hold arrays are bound with noconvert(): none is copied unasked.
namespace sakedge::bindings {

using Floats = pybind11::array_t<float, pybind11::array::c_style>;
using FloatPair = std::pair<Floats, Floats>;
using Integers = pybind11::array_t<std::int8_t, pybind11::array::c_style>;
// A weight matrix: floats, or integers and a scale for each output channel. And one with its bias.
using Weight = std::variant<Floats, std::pair<Integers, Floats>>;
using Layer = std::pair<Weight, Floats>;

// The elements; the array is aligned.
const float* data_of(const Floats& array);

View<const float> matrix(const Floats& array);
Vector vector(const Floats& array);
WeightSource weight(const Weight& array);
LinearSource linear(const Layer& weight_and_bias);
NormSource norm(const FloatPair& gamma_and_beta);

// The decoder of a family for so many classes.
const PixelDecoder& decoder_of(const std::string& family, Index classes);

// Arrays for what a decoder writes, uninitialised: of [height, width], or [height, width, values];
// of float32. Or views of `data`, which `owner` keeps.
pybind11::array values_array(const PixelDecoder& decoder, Size size, const void* data = nullptr,
                             pybind11::handle owner = {});
pybind11::array floats_array(const std::vector<Index>& shape, const void* data = nullptr,
                             pybind11::handle owner = {});

// Bytes of such an array, and of a float32 one of so many classes.
double bytes_of(const PixelDecoder& decoder, Size size);
double bytes_of(Index classes, Size size);

// Raises unless this machine has so much memory: a system promises more than it has.
void require_memory(double bytes);

}  // namespace sakedge::bindings
