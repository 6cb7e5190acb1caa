// Kernels that the emulator of a block runs: tests/cuda/emulator, built into libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sakedge::emulated {

class Kernels {
 public:
  // Loads a library once; null if that fails, which is a finding.
  static std::shared_ptr<Kernels> load(const std::string& path);

  // Threads of a block and bytes of the arguments; false if there is no such kernel.
  bool entry(const char* name, int& threads, std::size_t& args) const;
  // Returns what went wrong, empty if nothing did.
  std::string launch(const char* name, const int (&grid)[3], std::size_t shared, const void* args,
                     std::uint64_t seed) const;

  void allocate(const void* data, std::size_t bytes, const std::string& name) const;
  void release(const void* data) const;

 private:
  template <class Function>
  void resolve(Function& function, void* library, const char* name);

  void (*allocate_)(const void*, std::size_t, const char*, int) = nullptr;
  void (*release_)(const void*) = nullptr;
  int (*entry_)(const char*, unsigned*) = nullptr;
  const char* (*launch_)(const char*, const int*, std::size_t, const void*, const void*,
                         void*) = nullptr;
};

// All that were loaded: each must know all of device memory.
const std::vector<std::shared_ptr<Kernels>>& all_kernels();

// The library that an image was translated to; empty if it was not.
std::string library_of(const std::string& image);

}  // namespace sakedge::emulated
