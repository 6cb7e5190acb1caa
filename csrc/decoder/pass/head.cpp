#include <algorithm>

#include "decoder/pass/run.h"

namespace sakedge {
// The chunks of all heads whose outputs are wanted. Neighbouring chunks have different tap buffers
// and neighbouring tasks different maps.
std::vector<Run::Step> Run::steps(Index image) const {
  std::vector<Step> result;
  Index heads = 0;
  for (Index task = 0; task < task_count(); ++task) {
    const Output& output = request.outputs[static_cast<std::size_t>(image * task_count() + task)];
    if (output.values == nullptr && output.logits == nullptr) {
      continue;
    }
    const Head& head = *part(task).head;
    for (const Head::Chunk& chunk : head.chunks) {
      result.push_back({task, &head, &chunk, level_rows(task),
                        workspace.taps[result.size() % 2].data(), workspace.maps[heads % 2].data(),
                        &output});
    }
    ++heads;
  }
  return result;
}

// A pipeline of three: while the taps of one chunk are formed, the chunk before it is expanded, and
// if the one before that was a head's last, that head is decoded. So each round is one parallel
// loop without a barrier inside; long pieces of work come first, so that short ones even out the
// end. The rounds are in the order of the chunks, which is that of the sums.
void Run::heads(Index image) {
  const std::vector<Step> all = steps(image);
  const Samples window = samples(request.windows[static_cast<std::size_t>(image)]);
  const Samples whole = samples({geometry.input_height, geometry.input_width});
  const Tiling tiles = tiling();
  const auto at = [&](Index round) {
    return round >= 0 && round < std::ssize(all) ? &all[static_cast<std::size_t>(round)] : nullptr;
  };
  for (Index round = 0; round < std::ssize(all) + 2; ++round) {
    const Step* tapped = at(round);
    const Step* expanded = at(round - 1);
    const Step* ended = at(round - 2);
    ended = ended != nullptr && ended->is_last() ? ended : nullptr;
    const bool values = ended != nullptr && ended->output->values != nullptr;
    const bool logits = ended != nullptr && ended->output->logits != nullptr;

    const Index tap_count = tapped == nullptr ? 0 : tiles.count;
    const Index value_count = values ? tile_count(window.height, kDecodeRows) : 0;
    const Index logit_count = logits ? tile_count(whole.height, kDecodeRows) : 0;
    const Index expand_count =
        expanded == nullptr ? 0 : tile_count(geometry.map_height(), kExpandRows);
    pool.parallel_for(tap_count + value_count + logit_count + expand_count,
                      [&](Index item, int worker) {
                        if (item < tap_count) {
                          return tap_tile(*tapped, tiles.first(item), tiles.rows(item));
                        }
                        item -= tap_count;
                        if (item < value_count) {
                          return decode_band(*ended, window, item, worker);
                        }
                        item -= value_count;
                        if (item < logit_count) {
                          return upsample_band(*ended, whole, item, worker);
                        }
                        expand_band(*expanded, item - logit_count, worker);
                      });
  }
}

void Run::tap_tile(const Step& step, Index first, Index m) {
  const Head& head = *step.head;
  const Index columns = step.chunk->taps.columns;
  products.linear({m, columns, head.width, step.levels + first * products.row_size(head.width),
                   step.chunk->taps.data.data(), nullptr, false, step.taps + first * columns,
                   columns});
}

void Run::expand_band(const Step& step, Index item, int worker) {
  const Head& head = *step.head;
  const Index first = step.chunk->first;
  const Index count = step.chunk->count;
  kernels.head_expand_f32(
      {count, head.classes, geometry.grid_width, step.taps, kTaps * count, count,
       expand_rows.data(), expand_columns.data(), item * kExpandRows,
       std::min((item + 1) * kExpandRows, geometry.map_height()), geometry.map_width(),
       head.fuse_bias.data() + first, head.last.data() + first, head.fused,
       first == 0 ? head.last_bias.data() : nullptr, first != 0, step.map, float_scratch(worker)});
}

}  // namespace sakedge
