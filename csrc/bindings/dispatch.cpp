#include "cpu/dispatch.h"

#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "bindings/bind.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

std::vector<std::tuple<std::string, bool, std::string>> list_isas() {
  const cpu::Features present = cpu::detect_features();
  std::vector<std::tuple<std::string, bool, std::string>> result;
  result.reserve(cpu::isas().size());
  for (const cpu::Isa& isa : cpu::isas()) {
    std::string missing = cpu::missing_features(isa, present);
    result.emplace_back(isa.name, missing.empty(), std::move(missing));
  }
  return result;
}

}  // namespace

void bind_dispatch(py::module_& module) {
  module.def("isa", [] { return std::string(active_kernels().isa); });
  module.def("isas", &list_isas);
}

}  // namespace sakedge::bindings
