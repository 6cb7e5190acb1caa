#include "decoder/weights/head.h"

#include <memory>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

std::shared_ptr<const Head> make_head(const Geometry& geometry, const std::string& arithmetic,
                                      const std::vector<Layer>& linears, const Layer& fuse,
                                      const FloatPair& last) {
  HeadSource source;
  source.linears.reserve(linears.size());
  for (const Layer& layer : linears) {
    source.linears.push_back(linear(layer));
  }
  source.fuse = weight(fuse.first);
  source.fuse_bias = vector(fuse.second);
  source.last = matrix(last.first);
  source.last_bias = vector(last.second);
  const cpu::KernelTable& kernels = active_kernels().kernels;
  const Arithmetic chosen = arithmetic_of(arithmetic);
  return value_of(without_gil([&] { return Head::pack(kernels, chosen, geometry, source); }));
}

}  // namespace

void bind_head(py::module_& module) {
  seal(whole_class<Head>(module, "Head")
           .def(py::init(&make_head), py::arg("geometry"), py::arg("arithmetic"),
                py::arg("linears").noconvert(), py::arg("fuse").noconvert(),
                py::arg("last").noconvert()));
}

}  // namespace sakedge::bindings
