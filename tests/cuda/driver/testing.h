// What the programs of this folder share. Each runs one test, by name, on the emulated driver.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "cuda/driver/memory.h"
#include "cuda/driver/module.h"
#include "cuda/driver/stream.h"
#include "expect.h"
#include "toy.h"

namespace sakedge::cuda {

struct Test {
  const char* name;
  void (*run)();
};

inline int run_test(std::span<const Test> tests, int argc, char** argv) {
  for (const Test& test : tests) {
    if (argc == 2 && std::string(argv[1]) == test.name) {
      test.run();
      return 0;
    }
    if (argc == 1) {
      std::puts(test.name);
    }
  }
  return argc == 1 ? 0 : 2;
}

// The value, or the end of the test.
template <class T>
T must(Expected<T> expected) {
  if (!expected.ok()) {
    std::fprintf(stderr, "%s\n", expected.status().message().c_str());
    std::exit(1);
  }
  return std::move(expected).take();
}
inline void must(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    std::exit(1);
  }
}

// Whether a failure is of this kind and its message contains `text`.
inline bool fails(const Status& status, Code code, const char* text) {
  if (status.code() == code && status.message().find(text) != std::string::npos) {
    return true;
  }
  std::fprintf(stderr, "got: %s\n", status.message().c_str());
  return false;
}

// The kernels of toy.cu, from the file that TOY_IMAGE names.
inline std::string toy_image() {
  std::ifstream file(std::getenv("TOY_IMAGE"), std::ios::binary);
  std::string image{std::istreambuf_iterator<char>(file), {}};
  image.push_back('\0');
  return image;
}

inline Expected<std::shared_ptr<Module>> load(const std::shared_ptr<Context>& context,
                                              const std::string& image) {
  return Module::load(context, std::as_bytes(std::span(image.data(), image.size())));
}

// A device with toy.cu and a stream.
struct Toy {
  std::shared_ptr<Context> context = must(Context::make(0));
  std::shared_ptr<Module> module = must(load(context, toy_image()));
  Kernel stir = must(module->kernel("stir", 32, 0));
  Stream stream = must(Stream::make(context));

  DeviceMemory memory(Index words) { return must(DeviceMemory::make(context, 4 * words)); }

  Status zero(std::byte* data, Index bytes) {
    static const std::vector<std::byte> zeros(std::size_t{1} << 20);
    return stream.copy_in(data, zeros.data(), bytes);
  }
};

using Words = std::vector<std::uint32_t>;

inline Words count(std::size_t n, std::uint32_t first = 0) {
  Words words(n);
  std::iota(words.begin(), words.end(), first);
  return words;
}

inline Index bytes(const Words& words) { return static_cast<Index>(4 * words.size()); }

template <class T>
T* as(const DeviceMemory& memory) {
  return reinterpret_cast<T*>(memory.data());
}

}  // namespace sakedge::cuda
