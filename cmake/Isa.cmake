# An instruction set: an object library, whose single translation unit is csrc/cpu/<name>/table.cpp;
# the folder's headers are its kernels.
#
#   sakedge_add_isa(<name> [flags...])
#
# Appends its name to SAKEDGE_ISAS and keeps its flags as SAKEDGE_FLAGS_<name>.
set(SAKEDGE_ISAS "")

function(sakedge_add_isa name)
  sakedge_add_isa_object(sakedge_isa_${name}
    ${PROJECT_SOURCE_DIR}/csrc/cpu/${name}/table.cpp ${ARGN})
  set(SAKEDGE_ISAS ${SAKEDGE_ISAS} ${name} PARENT_SCOPE)
  set(SAKEDGE_FLAGS_${name} ${ARGN} PARENT_SCOPE)
endfunction()

# A translation unit of an instruction set with these flags.
#
#   sakedge_add_isa_object(<target> <source> [flags...])
#
# Never with LTO: the linker could then move wide instructions out of the object that may run them.
function(sakedge_add_isa_object target source)
  add_library(${target} OBJECT ${source})
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
endfunction()
