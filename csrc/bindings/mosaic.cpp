#include "image/mosaic.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"
#include "bindings/window.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

// length, tile, starts, weights [tiles, tile]
using AxisArguments = std::tuple<Index, Index, std::vector<Index>, Floats>;
// row, column, map [map height, map width, classes]
using TileArguments = std::tuple<Index, Index, Floats>;

TileAxis axis_of(const AxisArguments& arguments) {
  const auto& [length, tile, starts, weights] = arguments;
  const View<const float> rows = matrix(weights);
  return {length, tile, starts, {rows.data, rows.data + weights.size()}};
}

std::unique_ptr<Mosaic> make_mosaic(std::shared_ptr<ThreadPool> pool, const SizeArguments& map,
                                    const SizeArguments& input, const AxisArguments& rows,
                                    const AxisArguments& columns) {
  return value_of(Mosaic::make(active_kernels().kernels, std::move(pool), size_from(map),
                               size_from(input), axis_of(rows), axis_of(columns)));
}

py::array output(const Mosaic& mosaic, const std::string& family, Index classes) {
  const PixelDecoder& decoder = decoder_of(family, classes);
  require_memory(bytes_of(decoder, mosaic.picture()));
  return values_array(decoder, mosaic.picture());
}

// Whether an array is like one that `output` makes.
bool is_output(const py::array& array, const PixelDecoder& decoder, Size picture) {
  const py::array like = values_array(decoder, {0, 0});
  const bool is_image = array.ndim() == like.ndim() && array.shape(0) == picture.height &&
                        array.shape(1) == picture.width;
  return is_image && (array.ndim() == 2 || array.shape(2) == decoder.values) &&
         array.dtype().equal(like.dtype()) && (array.flags() & py::array::c_style) != 0 &&
         (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0 && array.writeable();
}

// Writes rows [begin, end) of `out`, an array that `output` made.
void decode_rows(const Mosaic& mosaic, const std::string& family, Index classes,
                 const std::vector<TileArguments>& tiles, Index begin, Index end, py::array out) {
  const PixelDecoder& decoder = decoder_of(family, classes);
  const Size map = mosaic.map();
  std::vector<TileMap> maps;
  maps.reserve(tiles.size());
  for (const auto& [row, column, array] : tiles) {
    require(array.ndim() == 3 && array.shape(0) == map.height && array.shape(1) == map.width &&
                array.shape(2) == classes,
            "mosaic: a map's shape does not fit");
    maps.push_back({row, column, data_of(array)});
  }
  const Size picture = mosaic.picture();
  require(is_output(out, decoder, picture) && begin >= 0 && begin <= picture.height,
          "mosaic: the output does not fit");
  auto* to =
      static_cast<std::byte*>(out.mutable_data()) + begin * picture.width * decoder.pixel_size();
  raise_unless_ok(
      without_gil([&] { return mosaic.decode(maps, classes, decoder, begin, end, to); }));
}

}  // namespace

void bind_mosaic(py::module_& module) {
  seal(whole_class<Mosaic>(module, "Mosaic")
           .def(py::init(&make_mosaic), py::kw_only(), py::arg("pool"), py::arg("map_size"),
                py::arg("input_size"), py::arg("rows").noconvert(), py::arg("columns").noconvert())
           .def("output", &output, py::arg("family"), py::arg("classes"))
           .def("decode", &decode_rows, py::kw_only(), py::arg("family"), py::arg("classes"),
                py::arg("tiles").noconvert(), py::arg("begin"), py::arg("end"),
                py::arg("out").noconvert()));
}

}  // namespace sakedge::bindings
