// Kernels(isa): single kernels of one instruction set, for tests and measurements.
#include "calls/call.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

using calls::Array;
using calls::Arrays;

struct Kernels {
  cpu::KernelTable table;
};

Kernels make(const std::string& isa) {
  const cpu::Features present = cpu::detect_features();
  const Expected<Index> chosen = cpu::choose(cpu::isas(), present, isa);
  if (!chosen.ok()) {
    raise_unless_ok(chosen.status());
  }
  return {cpu::compose(cpu::isas(), present, chosen.value())};
}

Array from_numpy(const Floats& array) {
  return {{array.shape(), array.shape() + array.ndim()},
          {array.data(), array.data() + array.size()}};
}

Floats to_numpy(const Array& array) {
  Floats result(array.shape);
  std::copy(array.values.begin(), array.values.end(), result.mutable_data());
  return result;
}

std::vector<Floats> call(const Kernels& kernels, const std::string& name,
                         const std::vector<Floats>& inputs) {
  Arrays copies;
  std::transform(inputs.begin(), inputs.end(), std::back_inserter(copies), from_numpy);
  const Expected<Arrays> outputs = [&] {
    const py::gil_scoped_release release;
    return calls::call(kernels.table, name, copies);
  }();
  if (!outputs.ok()) {
    raise_unless_ok(outputs.status());
  }
  std::vector<Floats> result;
  std::transform(outputs.value().begin(), outputs.value().end(), std::back_inserter(result),
                 to_numpy);
  return result;
}

}  // namespace

void bind_kernels(py::module_& module) {
  py::class_<Kernels>(module, "Kernels")
      .def(py::init(&make), py::arg("isa"))
      .def_static("names", &calls::names)
      .def("call", &call);
}

}  // namespace sakedge::bindings
