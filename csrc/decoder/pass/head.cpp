#include "decoder/pass/head.h"

#include <algorithm>
#include <cmath>

#include "cpu/scratch.h"
#include "image/decode.h"

namespace sakedge {
namespace {

// Output rows of a map that one call of the kernel expands: enough calls to keep many threads busy.
constexpr Index kExpandRows = 4;

struct Widest {
  Index classes = 0;
  Index chunk = 0;
};

Widest widest_head(const Pass& pass) {
  Widest widest;
  for (Index task = 0; task < pass.task_count(); ++task) {
    widest.classes = std::max(widest.classes, pass.head(task).classes);
    widest.chunk = std::max(widest.chunk, pass.head(task).chunks.front().count);
  }
  return widest;
}

}  // namespace

HeadStage::HeadStage(const Pass& pass)
    : pass_(pass),
      window_(pass.image.window, pass.geometry.map(), pass.geometry.input),
      whole_({pass.geometry.input.height, pass.geometry.input.width}, pass.geometry.map(),
             pass.geometry.input) {
  const Widest widest = widest_head(pass);
  for (AlignedBuffer& taps : pass.workspace.taps) {
    taps.reserve(kTaps * pass.geometry.tokens() * widest.chunk);
  }
  for (AlignedBuffer& map : pass.workspace.maps) {
    map.reserve(pass.geometry.map().area() * widest.classes);
  }
}

Index HeadStage::scratch_size() const {
  const Widest widest = widest_head(pass_);
  const Index map_width = pass_.geometry.map().width;
  const Index expanding = cpu::expand_scratch(widest.chunk, pass_.geometry.grid_width, map_width);
  const Index sampling =
      cpu::sample_scratch(map_width, widest.classes, std::max(window_.width, whole_.width));
  Carver carver;
  carver.take<float>(std::max(expanding, sampling));
  return carver.used();
}

// Neighbouring chunks have different tap buffers and neighbouring tasks different maps, unless the
// map itself is wanted.
std::vector<HeadStage::Step> HeadStage::steps() const {
  std::vector<Step> result;
  Index heads = 0;
  for (Index task = 0; task < pass_.task_count(); ++task) {
    const Output& output = pass_.output(task);
    if (output.values == nullptr && output.logits == nullptr && output.map == nullptr) {
      continue;
    }
    float* map = output.map == nullptr ? pass_.workspace.maps[heads % 2].data() : output.map;
    const std::vector<Head::Chunk>& chunks = pass_.head(task).chunks;
    for (const Head::Chunk& chunk : chunks) {
      result.push_back({task, &chunk, pass_.level_rows(task),
                        pass_.workspace.taps[result.size() % 2].data(), map,
                        &chunk == &chunks.back()});
    }
    ++heads;
  }
  return result;
}

void HeadStage::run() const {
  const std::vector<Step> all = steps();
  const Tiling tiles = pass_.tiling();
  const auto at = [&](Index round) {
    return round >= 0 && round < std::ssize(all) ? &all[static_cast<std::size_t>(round)] : nullptr;
  };
  for (Index round = 0; round < std::ssize(all) + 2; ++round) {
    const Step* tapped = at(round);
    const Step* expanded = at(round - 1);
    const Step* ended = at(round - 2);
    ended = ended != nullptr && ended->is_last ? ended : nullptr;
    const bool values = ended != nullptr && pass_.output(ended->task).values != nullptr;
    const bool logits = ended != nullptr && pass_.output(ended->task).logits != nullptr;

    const Index tap_count = tapped == nullptr ? 0 : tiles.count;
    const Index value_count = values ? tile_count(window_.height, kDecodeRows) : 0;
    const Index logit_count = logits ? tile_count(whole_.height, kDecodeRows) : 0;
    const Index expand_count =
        expanded == nullptr ? 0 : tile_count(pass_.geometry.map().height, kExpandRows);
    pass_.pool.parallel_for(
        tap_count + value_count + logit_count + expand_count, [&](Index item, int worker) {
          if (item < tap_count) {
            return form_taps(*tapped, tiles.first(item), tiles.rows(item));
          }
          float* scratch = Carver(pass_.workspace.scratch_of(worker)).take<float>(0);
          item -= tap_count;
          if (item < value_count) {
            return decode(*ended, item, scratch);
          }
          item -= value_count;
          if (item < logit_count) {
            return upsample(*ended, item, scratch);
          }
          expand(*expanded, item - logit_count, scratch);
        });
  }
}

void HeadStage::form_taps(const Step& step, Index first, Index m) const {
  const Head& head = pass_.head(step.task);
  const cpu::PackedKernels& products = pass_.products(head);
  const Index columns = step.chunk->taps.columns;
  products.linear({m, columns, head.width, step.levels + first * products.row_size(head.width),
                   step.chunk->taps.data.data(), nullptr, false, step.taps + first * columns,
                   columns});
}

void HeadStage::expand(const Step& step, Index band, float* scratch) const {
  const Head& head = pass_.head(step.task);
  const Size map = pass_.geometry.map();
  const Index first = step.chunk->first;
  const Index count = step.chunk->count;
  pass_.kernels.head_expand_f32(
      {count, head.classes, pass_.geometry.grid_width, step.taps, kTaps * count, count,
       pass_.expand_rows.data(), pass_.expand_columns.data(), band * kExpandRows,
       std::min((band + 1) * kExpandRows, map.height), map.width, head.fuse_bias.data() + first,
       head.last.data() + first, head.fused, first == 0 ? head.last_bias.data() : nullptr,
       first != 0, step.map, scratch});
  if (step.is_last) {
    const Index begin = band * kExpandRows;
    const Index rows = std::min(kExpandRows, map.height - begin);
    const Index row = map.width * head.classes;
    if (!std::isfinite(pass_.kernels.magnitude_f32(rows * row, step.map + begin * row))) {
      pass_.finite = false;
    }
  }
}

cpu::SampleArgs HeadStage::band_of(const Step& step, const Samples& samples, Index band,
                                   float* scratch) const {
  return sample_args(step.map, pass_.geometry.map().width, pass_.head(step.task).classes, samples,
                     band * kDecodeRows, std::min((band + 1) * kDecodeRows, samples.height),
                     scratch);
}

void HeadStage::decode(const Step& step, Index band, float* scratch) const {
  const PixelDecoder& decoder = *pass_.snapshot.task(step.task).decoder;
  decoder.from_map(pass_.kernels, band_of(step, window_, band, scratch),
                   pass_.output(step.task).values);
}

// The network's own output: the map at the input's size.
void HeadStage::upsample(const Step& step, Index band, float* scratch) const {
  pass_.kernels.upsample_f32(band_of(step, whole_, band, scratch), whole_.height * whole_.width,
                             pass_.output(step.task).logits);
}

}  // namespace sakedge
