// The compiled module sakedge_kernels: single kernels by name, for tests and measurements. It is
// part of no wheel.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "calls/call.h"
#include "calls/variants/variants.h"

namespace py = pybind11;

namespace sakedge::calls {
namespace {

using Floats = py::array_t<float, py::array::c_style>;

// The value, or ValueError.
template <typename T>
const T& value_of(const Expected<T>& expected) {
  if (!expected.ok()) {
    throw py::value_error(expected.status().message());
  }
  return expected.value();
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

// Taken as its holder: pybind11 refuses one that was never initialised.
std::vector<Floats> call_on_numpy(const std::shared_ptr<Kernels>& kernels, const std::string& name,
                                  const std::vector<Floats>& inputs) {
  Arrays copies;
  std::transform(inputs.begin(), inputs.end(), std::back_inserter(copies), from_numpy);
  const Expected<Arrays> outputs = [&] {
    const py::gil_scoped_release release;
    return call(*kernels, name, copies);
  }();
  std::vector<Floats> result;
  const Arrays& values = value_of(outputs);
  std::transform(values.begin(), values.end(), std::back_inserter(result), to_numpy);
  return result;
}

// Name, and what is missing to run it.
std::vector<std::pair<std::string, std::string>> isas() {
  const cpu::Features present = cpu::detect_features();
  std::vector<std::pair<std::string, std::string>> result;
  for (const cpu::Isa& isa : all_isas()) {
    result.emplace_back(isa.name, cpu::missing_features(isa, present));
  }
  return result;
}

}  // namespace
}  // namespace sakedge::calls

PYBIND11_MODULE(sakedge_kernels, module, pybind11::mod_gil_not_used()) {
  using namespace sakedge::calls;
  module.doc() = "Single kernels of one instruction set, for tests and measurements";
  module.def("names", &names);
  module.def("isas", &isas);
  py::class_<Kernels, std::shared_ptr<Kernels>>(module, "Kernels")
      .def(py::init([](const std::string& isa) {
             return std::make_shared<Kernels>(value_of(kernels_of(isa)));
           }),
           py::arg("isa"))
      .def("call", &call_on_numpy, py::arg(), py::arg().noconvert());
}
