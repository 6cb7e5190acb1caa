#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"
#include "cuda/bindings/arithmetic.h"
#include "cuda/bindings/bind.h"
#include "cuda/student/parts/adapter_path.h"
#include "cuda/student/parts/head.h"
#include "cuda/student/parts/router.h"

namespace py = pybind11;
using namespace sakedge::bindings;

namespace sakedge::cuda::bindings {
namespace {

std::shared_ptr<const AdapterPath> make_path(std::shared_ptr<Device> device,
                                             const Geometry& geometry,
                                             const std::string& arithmetic,
                                             const std::vector<std::pair<Layer, Layer>>& blocks,
                                             const std::vector<FloatPair>& norms) {
  PathSource source;
  for (const auto& [down, up] : blocks) {
    source.blocks.push_back({linear(down), linear(up)});
  }
  for (const FloatPair& pair : norms) {
    source.norms.push_back(norm(pair));
  }
  const Arithmetic chosen = arithmetic_of(arithmetic);
  return value_of(
      without_gil([&] { return AdapterPath::make(std::move(device), geometry, chosen, source); }));
}

using LevelArrays = std::tuple<Layer, FloatPair, FloatPair>;  // hidden, norm, gate

std::shared_ptr<const Router> make_router(std::shared_ptr<Device> device, const Geometry& geometry,
                                          const std::string& arithmetic,
                                          const std::vector<LevelArrays>& levels) {
  std::vector<RouterLevelSource> source;
  source.reserve(levels.size());
  for (const auto& [hidden, normed, gate] : levels) {
    source.push_back({linear(hidden), norm(normed), {matrix(gate.first), vector(gate.second)}});
  }
  const Arithmetic chosen = arithmetic_of(arithmetic);
  return value_of(
      without_gil([&] { return Router::make(std::move(device), geometry, chosen, source); }));
}

std::shared_ptr<const Router> regated(const Router& base, const std::vector<FloatPair>& gates) {
  std::vector<GateSource> source;
  source.reserve(gates.size());
  for (const auto& [weight, bias] : gates) {
    source.push_back({matrix(weight), vector(bias)});
  }
  return value_of(without_gil([&] { return Router::regated(base, source); }));
}

std::shared_ptr<const HeadPart> make_head(std::shared_ptr<Device> device, const Geometry& geometry,
                                          const std::string& arithmetic,
                                          const std::vector<Layer>& linears, const Layer& fuse,
                                          const FloatPair& last) {
  HeadSource source;
  for (const Layer& layer : linears) {
    source.linears.push_back(linear(layer));
  }
  source.fuse = weight(fuse.first);
  source.fuse_bias = vector(fuse.second);
  source.last = matrix(last.first);
  source.last_bias = vector(last.second);
  const Arithmetic chosen = arithmetic_of(arithmetic);
  return value_of(
      without_gil([&] { return HeadPart::make(std::move(device), geometry, chosen, source); }));
}

}  // namespace

void bind_parts(py::module_& module) {
  seal(whole_class<AdapterPath>(module, "AdapterPath")
           .def(py::init(&make_path), py::arg("device"), py::arg("geometry"), py::arg("arithmetic"),
                py::arg("blocks").noconvert(), py::arg("norms").noconvert()));
  seal(whole_class<Router>(module, "Router")
           .def(py::init(&make_router), py::arg("device"), py::arg("geometry"),
                py::arg("arithmetic"), py::arg("levels").noconvert())
           .def("regated", &regated, py::arg("gates").noconvert()));
  seal(whole_class<HeadPart>(module, "Head")
           .def(py::init(&make_head), py::arg("device"), py::arg("geometry"), py::arg("arithmetic"),
                py::arg("linears").noconvert(), py::arg("fuse").noconvert(),
                py::arg("last").noconvert()));
}

}  // namespace sakedge::cuda::bindings
