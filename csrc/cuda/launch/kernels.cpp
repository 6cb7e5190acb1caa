#include "cuda/launch/kernels.h"

#include <utility>

#include "cuda/kernels/tiles.h"
#include "cuda/launch/gemm.h"

namespace sakedge::cuda {

Expected<Kernels> Kernels::make(const DeviceInfo& info, std::shared_ptr<const Module> module,
                                std::map<std::string, std::string> tiles) {
  for (const auto& [product, tile] : tiles) {
    if (!is_tile(tile)) {
      std::string what = "tiles: no tile '";
      what.append(tile).append("' for '").append(product).append("'");
      return Status(Code::kInvalid, std::move(what));
    }
  }
  return Kernels(info, std::move(module), std::move(tiles));
}

Kernels::Kernels(const DeviceInfo& info, std::shared_ptr<const Module> module,
                 std::map<std::string, std::string> tiles)
    : info_(info),
      module_(std::move(module)),
      has_warpgroups_(module_->has((std::string("gemm_f16_") + kWarpgroupTiles[0].name).c_str())),
      tiles_(std::move(tiles)) {}

}  // namespace sakedge::cuda
