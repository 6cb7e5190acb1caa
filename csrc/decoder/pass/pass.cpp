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

}  // namespace

Index Pass::level_rows_offset(Index task) const {
  Index offset = 0;
  for (Index earlier = 0; earlier < task; ++earlier) {
    offset += geometry.tokens() * products.row_size(head(earlier).width);
  }
  return offset;
}

void run_pass(const Pass& pass) {
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
