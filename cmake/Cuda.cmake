# The CUDA backend. Neither CUDA's headers nor its libraries are needed: the driver is found at run
# time.
add_library(sakedge_cuda_driver STATIC
  csrc/cuda/driver/context.cpp
  csrc/cuda/driver/device.cpp
  csrc/cuda/driver/driver.cpp
  csrc/cuda/driver/library.cpp
  csrc/cuda/driver/memory.cpp
  csrc/cuda/driver/module.cpp
  csrc/cuda/driver/status.cpp
  csrc/cuda/driver/stream.cpp)
target_link_libraries(sakedge_cuda_driver PUBLIC sakedge_core ${CMAKE_DL_LIBS})

add_library(sakedge_cuda_plan STATIC
  csrc/cuda/plan/arena.cpp
  csrc/cuda/plan/graph.cpp
  csrc/cuda/plan/order.cpp
  csrc/cuda/plan/plan.cpp)
target_link_libraries(sakedge_cuda_plan PUBLIC sakedge_cuda_driver)
