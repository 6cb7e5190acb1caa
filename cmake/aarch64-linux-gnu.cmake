# Toolchain file: 64-bit Arm on another machine, with Debian's g++-aarch64-linux-gnu.
# Programs are linked statically, so that qemu-aarch64-static needs no library of that architecture.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static;-cpu;max)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
