// Decoding of maps that come from somewhere else than the decoder.
#include "image/decode.h"

#include <pybind11/stl.h>

#include <string>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/window.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

// A map [height, width, classes], borrowed.
struct Map {
  const float* data;
  Size size;
  Index classes;
};

Map map_from(const Floats& array) {
  require(array.ndim() == 3 && array.size() > 0, "expected a map [height, width, classes]");
  const Size size{array.shape(0), array.shape(1)};
  raise_unless_ok(check(size, 1, "a map"));
  return {data_of(array), size, array.shape(2)};
}

Samples samples_of(const Window& window, const Map& map, const SizeArguments& input) {
  raise_unless_ok(check(size_from(input), 1, "an input"));
  return {window, map.size, size_from(input)};
}

py::array decode(ThreadPool& pool, const std::string& family, const Floats& array,
                 const SizeArguments& input, const WindowArguments& arguments) {
  const Map map = map_from(array);
  const Window window = window_from(arguments);
  const PixelDecoder& decoder = decoder_of(family, map.classes);
  const cpu::KernelTable& kernels = active_kernels().kernels;
  const Samples samples = samples_of(window, map, input);
  require_memory(bytes_of(decoder, {window.height, window.width}));
  py::array values = values_array(decoder, {window.height, window.width});
  void* out = values.mutable_data();
  raise_unless_ok(without_gil([&] {
    return decode_map(kernels, pool, decoder, map.data, map.size, map.classes, samples, out);
  }));
  return values;
}

py::array upsample(ThreadPool& pool, const Floats& array, const SizeArguments& input) {
  const Map map = map_from(array);
  const cpu::KernelTable& kernels = active_kernels().kernels;
  const Samples samples = samples_of({input.first, input.second}, map, input);
  require_memory(bytes_of(map.classes, size_from(input)));
  py::array_t<float> logits({map.classes, input.first, input.second});
  float* out = logits.mutable_data();
  raise_unless_ok(without_gil(
      [&] { return upsample_map(kernels, pool, map.data, map.size, map.classes, samples, out); }));
  return logits;
}

}  // namespace

void bind_image(py::module_& module) {
  module.def("decode_map", &decode, py::arg("pool"), py::arg("family"), py::arg("map").noconvert(),
             py::arg("input_size"), py::arg("window"));
  module.def("upsample_map", &upsample, py::arg("pool"), py::arg("map").noconvert(),
             py::arg("input_size"));
}

}  // namespace sakedge::bindings
