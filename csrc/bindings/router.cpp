#include "decoder/weights/router.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

using LevelArrays = std::tuple<FloatPair, FloatPair, FloatPair>;  // hidden, norm, gate

std::shared_ptr<const Router> make(const Geometry& geometry, const std::string& arithmetic,
                                   const std::vector<LevelArrays>& levels) {
  std::vector<RouterLevelSource> source;
  source.reserve(levels.size());
  for (const auto& [hidden, normed, gate] : levels) {
    source.push_back({linear(hidden), norm(normed), linear(gate)});
  }
  const cpu::KernelTable& kernels = active_kernels().kernels;
  const Arithmetic chosen = arithmetic_of(arithmetic);
  const auto router = [&] {
    const py::gil_scoped_release release;
    return Router::pack(kernels, chosen, geometry, source);
  }();
  if (!router.ok()) {
    raise_unless_ok(router.status());
  }
  return router.value();
}

}  // namespace

void bind_router(py::module_& module) {
  py::class_<Router, py::smart_holder>(module, "Router")
      .def(py::init(&make), py::arg("geometry"), py::arg("arithmetic"), py::arg("levels"));
}

}  // namespace sakedge::bindings
