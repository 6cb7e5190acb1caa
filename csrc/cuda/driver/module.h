#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/index.h"
#include "core/status.h"
#include "cuda/driver/context.h"

namespace sakedge::cuda {

// A kernel of a module, and how it is launched; valid as long as the module.
struct Kernel {
  CUfunction function = nullptr;
  std::string name;
  int threads = 0;   // of a block
  Index shared = 0;  // bytes of shared memory of a block
};

struct Grid {
  int x = 1;
  int y = 1;
  int z = 1;
};

// Compiled kernels on a device.
class Module {
 public:
  // `image` is a fatbin, a cubin, or PTX that ends with a zero. Fails with kDriver where it holds
  // nothing for the device, with what its compiler says.
  static Expected<std::shared_ptr<Module>> load(std::shared_ptr<Context> context,
                                                std::span<const std::byte> image);
  ~Module();

  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Fails with kInvalid if the device has no such kernel, or cannot launch it so.
  Expected<Kernel> kernel(const char* name, int threads, Index shared) const;

  bool has(const char* name) const;

 private:
  Module(std::shared_ptr<Context> context, CUmodule handle);

  std::shared_ptr<Context> context_;
  CUmodule handle_;
};

}  // namespace sakedge::cuda
