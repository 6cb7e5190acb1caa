# Toolchain file: 64-bit Windows on another machine, with Debian's g++-mingw-w64-x86-64-posix; Wine
# runs what comes out.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_CROSSCOMPILING_EMULATOR wine)
# Windows aligns stacks to 16 bytes and GCC does not raise that for the wider vectors that it spills
# (gcc bug 54412), so they must be moved without alignment.
set(CMAKE_CXX_FLAGS_INIT -Wa,-muse-unaligned-vector-move)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
