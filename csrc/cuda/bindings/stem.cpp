#include "cuda/student/parts/stem.h"

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

namespace py = pybind11;
using namespace sakedge::bindings;

namespace sakedge::cuda::bindings {
namespace {

// norm1, qkv, proj, norm2, fc1, fc2
using BlockArrays = std::tuple<FloatPair, Layer, Layer, FloatPair, Layer, Layer>;

std::shared_ptr<const Stem> make_stem(std::shared_ptr<Device> device, const Geometry& geometry,
                                      const std::string& arithmetic, const FloatPair& patch,
                                      const Floats& class_token, const Floats& position,
                                      const std::vector<BlockArrays>& blocks) {
  StemSource source;
  source.patch = matrix(patch.first);
  source.patch_bias = vector(patch.second);
  source.class_token = vector(class_token);
  source.position = matrix(position);
  for (const auto& [norm1, qkv, proj, norm2, fc1, fc2] : blocks) {
    source.blocks.push_back(
        {norm(norm1), linear(qkv), linear(proj), norm(norm2), linear(fc1), linear(fc2)});
  }
  const Arithmetic chosen = arithmetic_of(arithmetic);
  return value_of(
      without_gil([&] { return Stem::make(std::move(device), geometry, chosen, source); }));
}

}  // namespace

void bind_stem(py::module_& module) {
  seal(whole_class<Stem>(module, "Stem")
           .def(py::init(&make_stem), py::arg("device"), py::arg("geometry"), py::arg("arithmetic"),
                py::arg("patch").noconvert(), py::arg("class_token").noconvert(),
                py::arg("position").noconvert(), py::arg("blocks").noconvert()));
}

}  // namespace sakedge::cuda::bindings
