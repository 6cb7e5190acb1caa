// The compiled module sakedge._core. sakedge.decoder is its only importer and checks all arguments;
// what is checked again here prevents memory errors.
#include <pybind11/pybind11.h>

#include "bindings/bind.h"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
  using namespace sakedge::bindings;
  module.doc() = "The pass after the stem, in C++ (private; use sakedge.decoder)";
  bind_errors(module, "sakedge._core.CoreError");
  bind_dispatch(module);
  bind_thread_pool(module);
  bind_geometry(module);
  bind_adapter_path(module);
  bind_router(module);
  bind_head(module);
  bind_snapshot(module);
  bind_decoder(module);
  bind_image(module);
  bind_mosaic(module);
}
