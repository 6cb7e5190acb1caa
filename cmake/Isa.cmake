# One object library per instruction set. Its single translation unit is csrc/cpu/<name>/table.cpp;
# the folder's headers are its kernels.
#
#   sakedge_add_isa(<name> [flags...])
#
# Never with LTO: the linker could then move wide instructions out of the object that may run them.
set(SAKEDGE_ISA_LIBRARIES "")

function(sakedge_add_isa name)
  set(target sakedge_isa_${name})
  add_library(${target} OBJECT ${PROJECT_SOURCE_DIR}/csrc/cpu/${name}/table.cpp)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/csrc)
  set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
  if(MSVC)
    target_compile_options(${target} PRIVATE ${ARGN})
  else()
    # Kernels read neither errno nor floating-point flags; without this, loops with comparisons or
    # square roots are not vectorised. Value-changing options (-ffast-math) stay out, and multiply-adds
    # are fused where a kernel says so, not where a compiler finds some.
    target_compile_options(${target} PRIVATE
      $<$<NOT:$<CONFIG:Debug>>:-O3> -fno-math-errno -fno-trapping-math -ffp-contract=off ${ARGN})
  endif()
  set(SAKEDGE_ISA_LIBRARIES ${SAKEDGE_ISA_LIBRARIES} ${target} PARENT_SCOPE)
endfunction()
