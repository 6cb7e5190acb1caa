#include "cpu/dispatch.h"

#include <pybind11/stl.h>

#include <map>
#include <string>
#include <tuple>
#include <utility>
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

// Arithmetic -> instruction set of its kernels, and whether that has instructions for it.
std::map<std::string, std::pair<std::string, bool>> arithmetics() {
  std::map<std::string, std::pair<std::string, bool>> result;
  const cpu::Active& active = active_kernels();
  for (std::size_t i = 0; i < active.providers.size(); ++i) {
    const auto& [isa, native] = active.providers[i];
    result[cpu::name_of(cpu::kArithmetics[i])] = {std::string(isa), native};
  }
  return result;
}

}  // namespace

const cpu::Active& active_kernels() {
  const Expected<cpu::Active>& active = cpu::active();
  if (!active.ok()) {
    raise_unless_ok(active.status());
  }
  return active.value();
}

cpu::Arithmetic arithmetic_of(const std::string& name) {
  for (const cpu::Arithmetic arithmetic : cpu::kArithmetics) {
    if (name == cpu::name_of(arithmetic)) {
      return arithmetic;
    }
  }
  require(false, "no arithmetic " + name);
  return {};
}

void bind_dispatch(py::module_& module) {
  module.def("isa", [] { return std::string(active_kernels().isa); });
  module.def("isas", &list_isas);
  module.def("arithmetics", &arithmetics);
}

}  // namespace sakedge::bindings
