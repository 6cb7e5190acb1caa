// Runs kernels for tests that are not in this process, nor perhaps on this kind of CPU: an emulator
// starts it.
//
//   runner isas         what is compiled in, one a line: name, a tab, what is missing to run it
//   runner features     what the CPU has
//   runner serve <isa>  answers calls on standard input until it ends
//
// A call is a kernel's name and its inputs, an answer an error message (empty for none) and the
// outputs; see csrc/calls/call.h. A text is its length and its bytes, a list of arrays its length
// and the arrays, an array its rank, its sizes and its floats; whole numbers have 32 bits, in the
// byte order of both sides.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

#include "calls/call.h"
#include "cpu/dispatch.h"

namespace {

using namespace sakedge;
using calls::Array;
using calls::Arrays;

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "runner: %s\n", message.c_str());
  std::exit(1);
}

// False at the end of the input. Of nothing there may be no address, which fread does not allow.
bool read(void* data, std::size_t size) {
  return size == 0 || std::fread(data, 1, size, stdin) == size;
}

void write(const void* data, std::size_t size) {
  if (size != 0 && std::fwrite(data, 1, size, stdout) != size) {
    fail("cannot write");
  }
}

std::size_t read_size() {
  std::uint32_t size = 0;
  if (!read(&size, sizeof(size))) {
    fail("a call breaks off");
  }
  return size;
}

void write_size(std::size_t size) {
  const auto value = static_cast<std::uint32_t>(size);
  write(&value, sizeof(value));
}

Arrays read_arrays() {
  Arrays arrays(read_size());
  for (Array& array : arrays) {
    array.shape.resize(read_size());
    for (Index& size : array.shape) {
      size = static_cast<Index>(read_size());
    }
    array.values.resize(static_cast<std::size_t>(calls::count(array.shape)));
    if (!read(array.values.data(), array.values.size() * sizeof(float))) {
      fail("a call breaks off");
    }
  }
  return arrays;
}

void answer(std::string_view error, const Arrays& outputs) {
  write_size(error.size());
  write(error.data(), error.size());
  write_size(outputs.size());
  for (const Array& array : outputs) {
    write_size(array.shape.size());
    for (const Index size : array.shape) {
      write_size(static_cast<std::size_t>(size));
    }
    write(array.values.data(), array.values.size() * sizeof(float));
  }
  std::fflush(stdout);
}

int serve(const std::string& isa) {
  const Expected<calls::Kernels> kernels = calls::kernels_of(isa);
  if (!kernels.ok()) {
    fail(kernels.status().message());
  }
#ifdef _WIN32
  // Not as text, in which ends of lines would be changed.
  _setmode(_fileno(stdin), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
#endif
  std::uint32_t length = 0;
  while (read(&length, sizeof(length))) {
    std::string name(length, '\0');
    if (!read(name.data(), length)) {
      fail("a call breaks off");
    }
    const Expected<Arrays> outputs = calls::call(kernels.value(), name, read_arrays());
    if (outputs.ok()) {
      answer("", outputs.value());
    } else {
      answer(outputs.status().message(), {});
    }
  }
  return 0;
}

int list_isas() {
  for (const cpu::Isa& isa : cpu::isas()) {
    std::printf("%s\t%s\n", std::string(isa.name).c_str(),
                cpu::missing_features(isa, cpu::detect_features()).c_str());
  }
  return 0;
}

int list_features() {
  for (cpu::Features rest = cpu::detect_features(); rest != 0; rest &= rest - 1) {
    std::printf("%s\n", cpu::feature_name(rest & (~rest + 1)));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "isas" && argc == 2) {
    return list_isas();
  }
  if (command == "features" && argc == 2) {
    return list_features();
  }
  if (command == "serve" && argc == 3) {
    return serve(argv[2]);
  }
  fail("expected isas, features or serve <isa>");
} catch (...) {
  fail("an exception");
}
