# The CUDA backend. Neither CUDA's headers nor its libraries are needed: the driver is found at run
# time.
add_library(sakedge_cuda_driver STATIC
  csrc/cuda/driver/context.cpp
  csrc/cuda/driver/device.cpp
  csrc/cuda/driver/driver.cpp
  csrc/cuda/driver/library.cpp
  csrc/cuda/driver/memory.cpp
  csrc/cuda/driver/module.cpp
  csrc/cuda/driver/pinned_pool.cpp
  csrc/cuda/driver/status.cpp
  csrc/cuda/driver/stream.cpp)
target_link_libraries(sakedge_cuda_driver PUBLIC sakedge_core ${CMAKE_DL_LIBS})

add_library(sakedge_cuda_plan STATIC
  csrc/cuda/plan/arena.cpp
  csrc/cuda/plan/graph.cpp
  csrc/cuda/plan/order.cpp
  csrc/cuda/plan/plan.cpp)
target_link_libraries(sakedge_cuda_plan PUBLIC sakedge_cuda_driver)

add_library(sakedge_cuda_student STATIC
  csrc/cuda/launch/attention.cpp
  csrc/cuda/launch/gemm.cpp
  csrc/cuda/launch/heads.cpp
  csrc/cuda/launch/kernels.cpp
  csrc/cuda/launch/patches.cpp
  csrc/cuda/launch/paths.cpp
  csrc/cuda/launch/rows.cpp
  csrc/cuda/launch/steps.cpp
  csrc/cuda/student/call.cpp
  csrc/cuda/student/call_tables.cpp
  csrc/cuda/student/device.cpp
  csrc/cuda/student/geometry.cpp
  csrc/cuda/student/graphs.cpp
  csrc/cuda/student/mirror.cpp
  csrc/cuda/student/parts/adapter_path.cpp
  csrc/cuda/student/parts/head.cpp
  csrc/cuda/student/parts/matrix.cpp
  csrc/cuda/student/parts/router.cpp
  csrc/cuda/student/parts/stem.cpp
  csrc/cuda/student/pipeline.cpp
  csrc/cuda/student/request.cpp
  csrc/cuda/student/results.cpp
  csrc/cuda/student/shape.cpp
  csrc/cuda/student/snapshot.cpp
  csrc/cuda/student/student.cpp)
target_link_libraries(sakedge_cuda_student PUBLIC sakedge_cuda_plan sakedge_decoder)
