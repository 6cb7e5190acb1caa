# The kernels' images, in one archive beside the module: compiled by NVRTC from its wheels, so that
# neither a toolkit nor a GPU is needed.
set(SAKEDGE_CUDA_ARCHS "sm_80;sm_87;sm_89;sm_90;sm_110;sm_120;compute_80" CACHE STRING
  "What the kernels are compiled for: machine code (sm_*) and PTX (compute_*)")

set(SAKEDGE_CUDA_ARCHIVE "" CACHE FILEPATH "The archive, where it was compiled before")
if(SAKEDGE_CUDA_ARCHIVE)
  install(FILES ${SAKEDGE_CUDA_ARCHIVE} DESTINATION sakedge)
  return()
endif()

file(GLOB SAKEDGE_CUDA_SOURCES CONFIGURE_DEPENDS csrc/cuda/device/*.h csrc/cuda/kernels/*)
list(TRANSFORM SAKEDGE_CUDA_ARCHS PREPEND "--arch=" OUTPUT_VARIABLE archs)
set(compiler ${PROJECT_SOURCE_DIR}/cmake/compile_kernels.py)
set(archive ${PROJECT_BINARY_DIR}/kernels.zip)
add_custom_command(
  OUTPUT ${archive}
  COMMAND ${Python_EXECUTABLE} ${compiler} ${archs} --archive ${archive}
  DEPENDS ${compiler} ${SAKEDGE_CUDA_SOURCES}
  COMMENT "Compiling the CUDA kernels"
  VERBATIM)
add_custom_target(sakedge_kernel_images ALL DEPENDS ${archive})
install(FILES ${archive} DESTINATION sakedge)
