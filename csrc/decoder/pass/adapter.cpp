#include "decoder/pass/adapter.h"

#include <algorithm>

#include "cpu/scratch.h"

namespace sakedge {

std::vector<Chain> chains(const Pass& pass) {
  std::vector<Chain> result;
  for (Index adapter = 0; adapter + 1 < pass.snapshot.experts(); ++adapter) {
    Index last_stage = -1;
    for (Index level = 0; level < pass.geometry.level_count(); ++level) {
      for (Index task = 0; task < pass.task_count(); ++task) {
        if (pass.contributes(task, level, adapter)) {
          last_stage = pass.geometry.stage(level);
        }
      }
    }
    if (last_stage >= 0) {
      result.push_back({adapter, pass.snapshot.path(adapter), last_stage});
    }
  }
  return result;
}

void Chain::advance(const Pass& pass, Index level, Index first, Index m, float* r, float* normed,
                    std::byte* scratch) const {
  const Index stage = pass.geometry.stage(level);
  if (last_stage < stage) {
    return;
  }
  const Index channels = pass.geometry.channels;
  for (Index i = level == 0 ? 0 : pass.geometry.stage(level - 1) + 1; i <= stage; ++i) {
    const AdapterPath::Adapter& a = path->blocks[static_cast<std::size_t>(i)];
    pass.products(*path).adapter({m, channels, a.down.out(), pass.tokens(i, first), channels, r,
                                  channels, a.down.weight.data.data(), a.down.bias.data(),
                                  a.up.weight.data.data(), a.up.bias.data(), scratch});
  }
  const Norm& norm = path->norms[static_cast<std::size_t>(level)];
  pass.kernels.layer_norm_f32({m, channels, r, channels, norm.gamma.data(), norm.beta.data(),
                               kNormEpsilon, normed, channels});
}

Index chain_scratch(const Pass& pass) {
  Index most = 0;
  for (const auto& path : pass.snapshot.paths) {
    if (path != nullptr) {
      most = std::max(most, cpu::adapter_scratch(pass.products(*path), kTokenTile,
                                                 pass.geometry.channels, path->hidden));
    }
  }
  return most;
}

}  // namespace sakedge
