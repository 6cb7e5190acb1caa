#include "decoder/weights/router.h"

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

std::vector<GateSource> gates_of(const std::vector<FloatPair>& gates) {
  std::vector<GateSource> source;
  source.reserve(gates.size());
  for (const auto& [weight, bias] : gates) {
    source.push_back({matrix(weight), vector(bias)});
  }
  return source;
}

using LevelArrays = std::tuple<Layer, FloatPair, FloatPair>;  // hidden, norm, gate

std::shared_ptr<const Router> make_router(const Geometry& geometry, const std::string& arithmetic,
                                          const std::vector<LevelArrays>& levels) {
  std::vector<RouterLevelSource> source;
  source.reserve(levels.size());
  for (const auto& [hidden, normed, gate] : levels) {
    source.push_back({linear(hidden), norm(normed), {matrix(gate.first), vector(gate.second)}});
  }
  const cpu::KernelTable& kernels = active_kernels().kernels;
  const Arithmetic chosen = arithmetic_of(arithmetic);
  return value_of(without_gil([&] { return Router::pack(kernels, chosen, geometry, source); }));
}

std::shared_ptr<const Router> regated(const Router& base, const std::vector<FloatPair>& gates) {
  const std::vector<GateSource> source = gates_of(gates);
  return value_of(without_gil([&] { return Router::regated(base, source); }));
}

}  // namespace

void bind_router(py::module_& module) {
  seal(whole_class<Router>(module, "Router")
           .def(py::init(&make_router), py::arg("geometry"), py::arg("arithmetic"),
                py::arg("levels").noconvert())
           .def("regated", &regated, py::arg("gates").noconvert()));
}

}  // namespace sakedge::bindings
