#pragma once

#include <map>
#include <memory>
#include <string>

#include "cuda/driver/module.h"
#include "cuda/launch/arithmetic.h"

namespace sakedge::cuda {

// The kernels of a device and the tiles that were measured to be best on it.
class Kernels {
 public:
  // `tiles`: of products, "gemm_f16 1025x2304x768" -> "128x128", where another than the rule of
  // launch/gemm.cpp is faster; m x n x k of one batch. Fails with kInvalid for an unknown tile.
  static Expected<Kernels> make(const DeviceInfo& info, std::shared_ptr<const Module> module,
                                std::map<std::string, std::string> tiles);

  const DeviceInfo& info() const { return info_; }
  Expected<Kernel> find(const std::string& name, int threads, Index shared) const {
    return module_->kernel(name.c_str(), threads, shared);
  }
  // Whether there are products of warpgroups.
  bool has_warpgroups() const { return has_warpgroups_; }
  // The tile that was measured for a product, or null.
  const std::string* tile(const std::string& product) const {
    const auto found = tiles_.find(product);
    return found == tiles_.end() ? nullptr : &found->second;
  }

 private:
  Kernels(const DeviceInfo& info, std::shared_ptr<const Module> module,
          std::map<std::string, std::string> tiles);

  DeviceInfo info_;
  std::shared_ptr<const Module> module_;
  bool has_warpgroups_;
  std::map<std::string, std::string> tiles_;
};

}  // namespace sakedge::cuda
