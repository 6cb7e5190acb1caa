#include "core/thread_pool.h"

#include "bindings/bind.h"

namespace py = pybind11;

namespace sakedge::bindings {

void bind_thread_pool(py::module_& module) {
  py::class_<ThreadPool, py::smart_holder>(module, "ThreadPool")
      .def(py::init<int>(), py::arg("threads"))
      .def_property_readonly("threads", &ThreadPool::threads);
}

}  // namespace sakedge::bindings
