#pragma once

#include <pybind11/pybind11.h>

// Classes of the module whose objects always hold a value of their own type.
//
// pybind11 makes an object as Python does, in two steps: `__new__` leaves it empty and `__init__`
// fills it. What uses it in between, or after an `__init__` that was left out, reads memory that
// nobody wrote. Here `__new__` does both, so that no empty object is ever seen.
namespace sakedge::bindings {

// The `__new__` of these classes.
PyObject* new_whole(PyTypeObject* type, PyObject* args, PyObject* kwargs);

// A class without subclasses, for they could leave `__init__` out.
template <typename T>
pybind11::class_<T, pybind11::smart_holder> whole_class(pybind11::module_& module,
                                                        const char* name) {
  const pybind11::custom_type_setup setup(
      [](PyHeapTypeObject* made) { made->ht_type.tp_new = &new_whole; });
  return {module, name, pybind11::is_final(), setup};
}

// Makes a finished class immutable: its `__init__` stays, and no object of another class becomes
// one of it by assigning `__class__`.
void seal(pybind11::handle type);

}  // namespace sakedge::bindings
