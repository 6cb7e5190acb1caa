#include "image/mosaic.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
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
  return {length, tile, starts, {weights.data(), weights.data() + weights.size()}};
}

std::unique_ptr<Mosaic> make(std::shared_ptr<ThreadPool> pool, const SizeArguments& map,
                             const SizeArguments& input, const AxisArguments& rows,
                             const AxisArguments& columns) {
  auto mosaic = Mosaic::make(active_kernels().kernels, std::move(pool), size_from(map),
                             size_from(input), axis_of(rows), axis_of(columns));
  if (!mosaic.ok()) {
    raise_unless_ok(mosaic.status());
  }
  return std::move(mosaic).take();
}

py::array output(const Mosaic& mosaic, const std::string& family, Index classes) {
  return values_array(decoder_of(family, classes), mosaic.picture().height, mosaic.picture().width);
}

// Writes rows [begin, end) of `out`, an array that `output` made.
void decode(const Mosaic& mosaic, const std::string& family, Index classes,
            const std::vector<TileArguments>& tiles, Index begin, Index end, py::array out) {
  const PixelDecoder& decoder = decoder_of(family, classes);
  const Size map = mosaic.map();
  std::vector<TileMap> maps;
  maps.reserve(tiles.size());
  for (const auto& [row, column, array] : tiles) {
    require(array.ndim() == 3 && array.shape(0) == map.height && array.shape(1) == map.width &&
                array.shape(2) == classes,
            "mosaic: a map's shape does not fit");
    maps.push_back({row, column, array.data()});
  }
  const Size picture = mosaic.picture();
  require(out.itemsize() == size_of(decoder.element) &&
              out.size() == picture.area() * decoder.values &&
              (out.flags() & py::array::c_style) != 0 && begin >= 0 && begin <= picture.height,
          "mosaic: the output does not fit");
  auto* to =
      static_cast<std::byte*>(out.mutable_data()) + begin * picture.width * decoder.pixel_size();
  const Status status = [&] {
    const py::gil_scoped_release release;
    return mosaic.decode(maps, classes, decoder, begin, end, to);
  }();
  raise_unless_ok(status);
}

}  // namespace

void bind_mosaic(py::module_& module) {
  py::class_<Mosaic, py::smart_holder>(module, "Mosaic")
      .def(py::init(&make), py::kw_only(), py::arg("pool"), py::arg("map_size"),
           py::arg("input_size"), py::arg("rows"), py::arg("columns"))
      .def("output", &output, py::arg("family"), py::arg("classes"))
      .def("decode", &decode, py::kw_only(), py::arg("family"), py::arg("classes"),
           py::arg("tiles"), py::arg("begin"), py::arg("end"), py::arg("out").noconvert());
}

}  // namespace sakedge::bindings
