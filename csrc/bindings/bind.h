#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <utility>

#include "core/status.h"
#include "cpu/dispatch.h"

namespace sakedge::bindings {

// One per bound class, in the file of that name.
void bind_adapter_path(pybind11::module_& module);
void bind_decoder(pybind11::module_& module);
void bind_dispatch(pybind11::module_& module);
// The exception that failures raise, by its full name.
void bind_errors(pybind11::module_& module, const char* name);
void bind_geometry(pybind11::module_& module);
void bind_head(pybind11::module_& module);
void bind_image(pybind11::module_& module);
void bind_mosaic(pybind11::module_& module);
void bind_router(pybind11::module_& module);
void bind_snapshot(pybind11::module_& module);
void bind_thread_pool(pybind11::module_& module);

// Raises the module's exception (code, message) unless the status is ok. Needs the GIL.
void raise_unless_ok(const Status& status);

// Raises it ("invalid", what) unless `condition` holds.
void require(bool condition, const std::string& what);

// The value, or raises as above.
template <typename T>
T value_of(Expected<T> expected) {
  if (!expected.ok()) {
    raise_unless_ok(expected.status());
  }
  return std::move(expected).take();
}

// What `work` returns, which neither needs nor has the GIL.
template <typename Work>
auto without_gil(const Work& work) {
  const pybind11::gil_scoped_release release;
  return work();
}

// The arithmetic of this name, as in kernel names; raises for an unknown one.
cpu::Arithmetic arithmetic_of(const std::string& name);

// The kernels in use; raises if SAKEDGE_ISA does not allow any.
const cpu::Active& active_kernels();

}  // namespace sakedge::bindings
