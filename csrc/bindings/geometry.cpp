#include "decoder/geometry.h"

#include <pybind11/stl.h>

#include <utility>
#include <vector>

#include "bindings/bind.h"
#include "bindings/whole.h"
#include "bindings/window.h"

namespace py = pybind11;

namespace sakedge::bindings {

void bind_geometry(py::module_& module) {
  seal(whole_class<Geometry>(module, "Geometry")
           .def(py::init([](Index channels, Index blocks, std::vector<Index> levels,
                            const SizeArguments& grid, const SizeArguments& input_size) {
                  return value_of(Geometry::make({channels, blocks, std::move(levels)},
                                                 size_from(grid), size_from(input_size)));
                }),
                py::kw_only(), py::arg("channels"), py::arg("blocks"), py::arg("levels"),
                py::arg("grid"), py::arg("input_size")));
}

}  // namespace sakedge::bindings
