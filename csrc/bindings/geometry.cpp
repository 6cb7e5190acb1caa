#include "decoder/geometry.h"

#include <pybind11/stl.h>

#include <utility>
#include <vector>

#include "bindings/bind.h"

namespace py = pybind11;

namespace sakedge::bindings {

void bind_geometry(py::module_& module) {
  py::class_<Geometry>(module, "Geometry")
      .def(py::init([](Index channels, Index blocks, std::vector<Index> levels,
                       std::pair<Index, Index> grid, std::pair<Index, Index> input_size) {
             return Geometry{channels,   blocks,      std::move(levels),
                             grid.first, grid.second, {input_size.first, input_size.second}};
           }),
           py::kw_only(), py::arg("channels"), py::arg("blocks"), py::arg("levels"),
           py::arg("grid"), py::arg("input_size"));
}

}  // namespace sakedge::bindings
