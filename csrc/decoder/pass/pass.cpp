#include "decoder/pass/pass.h"

#include <algorithm>

#include "decoder/pass/head.h"
#include "decoder/pass/mix.h"
#include "decoder/pass/router.h"

namespace sakedge {
namespace {

bool is_wanted(const Output& output) {
  return output.values != nullptr || output.logits != nullptr || output.map != nullptr;
}

// A residual stream keeps what goes wrong in any of its blocks, so its end tells of all.
void check_stem(const Pass& pass) {
  // Squares of so large numbers, summed over 2^16 channels, still fit: a layer norm cannot
  // overflow.
  constexpr float kMost = 0x1p55f;
  const Tiling tiles = pass.tiling();
  const Index channels = pass.geometry.channels;
  pass.pool.parallel_for(tiles.count, [&](Index item, int) {
    const float* tokens = pass.tokens(pass.geometry.blocks, tiles.first(item));
    if (!(pass.kernels.magnitude_f32(tiles.rows(item) * channels, tokens) < kMost)) {
      pass.finite = false;
    }
  });
}

}  // namespace

Index Pass::level_rows_offset(Index task) const {
  Index offset = 0;
  for (Index earlier = 0; earlier < task; ++earlier) {
    offset += geometry.tokens() * products(head(earlier)).row_size(head(earlier).width);
  }
  return offset;
}

void run_pass(const Pass& pass) {
  check_stem(pass);
  const auto& outputs = pass.image.outputs;
  const bool anything = std::any_of(outputs.begin(), outputs.end(), is_wanted);
  const RouterStage router(pass);
  const MixStage mix(pass);
  const HeadStage head(pass);
  // A worker's scratch memory serves one stage at a time.
  pass.workspace.reserve_scratch(
      anything ? std::max({router.scratch_size(), mix.scratch_size(), head.scratch_size()})
               : router.scratch_size());
  router.run();
  if (anything) {
    mix.run();
    head.run();
  }
}

}  // namespace sakedge
