#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "core/status.h"
#include "cpu/dispatch.h"

namespace sakedge::bindings {

// One per bound class, in the file of that name.
void bind_adapter_path(pybind11::module_& module);
void bind_decoder(pybind11::module_& module);
void bind_dispatch(pybind11::module_& module);
void bind_errors(pybind11::module_& module);
void bind_geometry(pybind11::module_& module);
void bind_head(pybind11::module_& module);
void bind_image(pybind11::module_& module);
void bind_mosaic(pybind11::module_& module);
void bind_router(pybind11::module_& module);
void bind_snapshot(pybind11::module_& module);
void bind_thread_pool(pybind11::module_& module);

// Raises _core.CoreError(code, message) unless the status is ok. Needs the GIL.
void raise_unless_ok(const Status& status);

// The arithmetic of this name, as in kernel names; raises ValueError for an unknown one.
cpu::Arithmetic arithmetic_of(const std::string& name);

// The kernels in use; raises if SAKEDGE_ISA does not allow any.
const cpu::Active& active_kernels();

}  // namespace sakedge::bindings
