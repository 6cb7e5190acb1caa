#include "core/thread_pool.h"

#include "bindings/bind.h"
#include "bindings/whole.h"

namespace py = pybind11;

namespace sakedge::bindings {

void bind_thread_pool(py::module_& module) {
  seal(whole_class<ThreadPool>(module, "ThreadPool")
           .def(py::init([](Index threads) {
                  return value_of(without_gil([&] { return ThreadPool::make(threads); }));
                }),
                py::arg("threads"))
           .def_property_readonly("threads", &ThreadPool::threads));
}

}  // namespace sakedge::bindings
