#include "decoder/weights/adapter_path.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

std::shared_ptr<const AdapterPath> make_adapter_path(
    const Geometry& geometry, const std::string& arithmetic,
    const std::vector<std::pair<Layer, Layer>>& blocks, const std::vector<FloatPair>& norms) {
  PathSource source;
  source.blocks.reserve(blocks.size());
  source.norms.reserve(norms.size());
  for (const auto& [down, up] : blocks) {
    source.blocks.push_back({linear(down), linear(up)});
  }
  for (const FloatPair& pair : norms) {
    source.norms.push_back(norm(pair));
  }
  const cpu::KernelTable& kernels = active_kernels().kernels;
  const Arithmetic chosen = arithmetic_of(arithmetic);
  return value_of(
      without_gil([&] { return AdapterPath::pack(kernels, chosen, geometry, source); }));
}

}  // namespace

void bind_adapter_path(py::module_& module) {
  seal(whole_class<AdapterPath>(module, "AdapterPath")
           .def(py::init(&make_adapter_path), py::arg("geometry"), py::arg("arithmetic"),
                py::arg("blocks").noconvert(), py::arg("norms").noconvert()));
}

}  // namespace sakedge::bindings
