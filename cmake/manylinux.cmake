# Toolchain file of the wheels: modules of Python for glibc 2.28 and later, x86-64 or 64-bit Arm.
#
#   cmake --toolchain cmake/manylinux.cmake -DSAKEDGE_MACHINE=aarch64 -DSAKEDGE_ZIG=.../ziglang/zig
#
# GCC compiles, for its kernels are the faster (docs/platforms.md), and zig links, for it has the
# symbols of every glibc. libstdc++ is linked statically; libgcc_s, which unwinds, is the system's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${SAKEDGE_MACHINE})
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SAKEDGE_MACHINE SAKEDGE_ZIG)
set(CMAKE_CXX_COMPILER ${SAKEDGE_MACHINE}-linux-gnu-g++)
# No path of the machine that builds gets into a wheel.
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH root)
set(CMAKE_CXX_FLAGS_INIT "-ffile-prefix-map=${root}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=.")

foreach(library IN ITEMS libstdc++.a libgcc_s.so.1 libgcc.a)
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${library}
    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND libraries " ${path}")
endforeach()
string(JOIN " " CMAKE_CXX_CREATE_SHARED_MODULE
  "\"${SAKEDGE_ZIG}\" cc -target ${SAKEDGE_MACHINE}-linux-gnu.2.28 -shared -s -Wl,--gc-sections"
  "-Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map <LINK_FLAGS> -o <TARGET> <OBJECTS>"
  "-O2 ${CMAKE_CURRENT_LIST_DIR}/glibc_2_28.c <LINK_LIBRARIES> ${libraries} -lm -lpthread -ldl")
