#pragma once

#include <pybind11/pybind11.h>

// One for each file that binds something.
namespace sakedge::cuda::bindings {

void bind_device(pybind11::module_& module);
void bind_parts(pybind11::module_& module);
void bind_snapshot(pybind11::module_& module);
void bind_stem(pybind11::module_& module);
void bind_student(pybind11::module_& module);

}  // namespace sakedge::cuda::bindings
