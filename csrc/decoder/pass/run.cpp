#include "decoder/pass/run.h"

#include <algorithm>

#include "cpu/scratch.h"

namespace sakedge {

void Run::image(Index index) {
  if (task_count() == 0) {
    return;
  }
  if (index == 0) {
    reserve();
  }
  route(index);
  const auto first = request.outputs.begin() + index * task_count();
  const bool routing_only = std::all_of(first, first + task_count(), [](const Output& output) {
    return output.values == nullptr && output.logits == nullptr;
  });
  if (routing_only) {
    return;
  }
  mix(index);
  heads(index);
}

std::byte* Run::level_rows(Index task) const {
  Index offset = 0;
  for (Index earlier = 0; earlier < task; ++earlier) {
    offset += geometry.tokens() * products.row_size(part(earlier).head->width);
  }
  return workspace.levels.data() + offset;
}

// All memory of the run, before threads start: parallel bodies neither allocate nor throw.
void Run::reserve() {
  Index classes = 0;
  Index chunk = 0;
  for (Index task = 0; task < task_count(); ++task) {
    const Head& head = *part(task).head;
    classes = std::max(classes, head.classes);
    chunk = std::max(chunk, head.chunks.front().count);
  }
  const Index map = geometry.map_height() * geometry.map_width();
  workspace.router_sums.reserve(geometry.level_count() * task_count() * fixed_tiles() *
                                router_width());
  workspace.levels.reserve(level_rows(task_count()) - workspace.levels.data());
  for (AlignedBuffer& taps : workspace.taps) {
    taps.reserve(kTaps * geometry.tokens() * chunk);
  }
  for (AlignedBuffer& logits : workspace.maps) {
    logits.reserve(map * classes);
  }

  // A worker serves one kernel at a time.
  Carver routing;
  Carver mixing;
  Carver heads;
  route_scratch(routing);
  mix_scratch(mixing);
  const Index expanding = cpu::expand_scratch(chunk, geometry.grid_width, geometry.map_width());
  Index width = geometry.input_width;
  for (const Window& window : request.windows) {
    width = std::max(width, window.width);
  }
  const Index sampling = cpu::sample_scratch(geometry.map_width(), classes, width);
  heads.take<float>(std::max(expanding, sampling));
  workspace.reserve_scratch(std::max({routing.used(), mixing.used(), heads.used()}));
}

}  // namespace sakedge
