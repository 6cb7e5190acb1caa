// The compiled module sakedge._cuda. sakedge.cuda is its only importer and checks all arguments;
// what is checked again here prevents memory errors. It loads where there is no CUDA: the driver is
// opened by the first call that needs it.
#include <pybind11/pybind11.h>

#include "bindings/bind.h"
#include "cuda/bindings/bind.h"

PYBIND11_MODULE(_cuda, module, pybind11::mod_gil_not_used()) {
  using namespace sakedge::cuda::bindings;
  module.doc() = "A whole student on a CUDA device (private; use sakedge.cuda)";
  sakedge::bindings::bind_errors(module, "sakedge._cuda.CudaError");
  bind_device(module);
  bind_stem(module);
  bind_parts(module);
  bind_snapshot(module);
  bind_student(module);
}
