#include <algorithm>

#include "decoder/axis.h"
#include "decoder/run.h"

namespace sakedge {
namespace {

// Output rows that one call of a kernel handles: enough calls to keep many threads busy.
constexpr Index kExpandRows = 4;
constexpr Index kDecodeRows = 16;

struct Band {
  Index begin, end;
};

Band band(Index item, Index size, Index rows) {
  return {item * size, std::min((item + 1) * size, rows)};
}

bool wide_labels(Index classes) { return classes > 256; }

void decode_band(const cpu::KernelTable& kernels, Kind kind, const cpu::SampleArgs& args,
                 void* out) {
  switch (kind) {
    case Kind::kLabels:
      if (wide_labels(args.classes)) {
        kernels.decode_labels_u16_f32(args, static_cast<std::uint16_t*>(out));
      } else {
        kernels.decode_labels_u8_f32(args, static_cast<std::uint8_t*>(out));
      }
      return;
    case Kind::kProbability:
      kernels.decode_probability_f32(args, static_cast<float*>(out));
      return;
    case Kind::kTwoClass:
      kernels.decode_two_class_f32(args, static_cast<float*>(out));
      return;
    case Kind::kNormals:
      kernels.decode_normals_f32(args, static_cast<float*>(out));
      return;
    case Kind::kScalar:
      kernels.decode_scalar_f32(args, static_cast<float*>(out));
      return;
  }
}

}  // namespace

void Run::head(Index image, Index task) {
  const Output& output = request.outputs[static_cast<std::size_t>(image * task_count() + task)];
  if (output.values == nullptr && output.logits == nullptr) {
    return;
  }
  const Head& head = *part(task).head;
  for (const Head::Chunk& chunk : head.chunks) {
    taps(head, chunk, level_map(task));
    expand(head, chunk, chunk.first == 0);
  }
  if (output.values != nullptr) {
    decode(image, task);
  }
  if (output.logits != nullptr) {
    upsample(head, output.logits);
  }
}

void Run::taps(const Head& head, const Head::Chunk& chunk, const float* levels) {
  const Index plane = geometry.tokens() * chunk.count;
  pool.parallel_for(tiles(), [&](Index tile, int) {
    const Index first = tile * kTokenTile;
    for (std::size_t tap = 0; tap < chunk.taps.size(); ++tap) {
      float* map = workspace.taps.data() + static_cast<Index>(tap) * plane;
      kernels.linear_f32({tile_rows(tile), chunk.count, head.width, levels + first * head.width,
                          head.width, chunk.taps[tap].data.data(), nullptr, false,
                          map + first * chunk.count, chunk.count});
    }
  });
}

void Run::expand(const Head& head, const Head::Chunk& chunk, bool first) {
  const Index rows = geometry.map_height();
  pool.parallel_for(tile_count(rows, kExpandRows), [&](Index item, int slot) {
    const auto [begin, end] = band(item, kExpandRows, rows);
    kernels.head_expand_f32({chunk.count, head.classes, geometry.grid_width,
                             geometry.tokens() * chunk.count, workspace.taps.data(),
                             expand_rows.data(), expand_columns.data(), begin, end,
                             geometry.map_width(), head.fuse_bias.data() + chunk.first,
                             chunk.last.data.data(), first ? head.last_bias.data() : nullptr,
                             !first, workspace.map.data(), workspace.slot(slot)});
  });
}

void Run::decode(Index image, Index task) {
  const TaskPart& p = part(task);
  const Window& window = request.windows[static_cast<std::size_t>(image)];
  const std::vector<cpu::Tap> rows = window_taps(geometry.map_height(), geometry.input_height,
                                                 window.height, window.top, window.scale_y);
  const std::vector<cpu::Tap> columns = window_taps(geometry.map_width(), geometry.input_width,
                                                    window.width, window.left, window.scale_x);
  void* out = request.outputs[static_cast<std::size_t>(image * task_count() + task)].values;
  pool.parallel_for(tile_count(window.height, kDecodeRows), [&](Index item, int slot) {
    const auto [begin, end] = band(item, kDecodeRows, window.height);
    decode_band(kernels, p.kind,
                {workspace.map.data(), geometry.map_width(), p.head->classes, rows.data(),
                 columns.data(), begin, end, window.width, workspace.slot(slot)},
                out);
  });
}

// The network's own output: the map at the input's size.
void Run::upsample(const Head& head, float* logits) {
  const Index height = geometry.input_height;
  const Index width = geometry.input_width;
  const std::vector<cpu::Tap> rows = window_taps(geometry.map_height(), height, height, 0.0, 1.0);
  const std::vector<cpu::Tap> columns = window_taps(geometry.map_width(), width, width, 0.0, 1.0);
  pool.parallel_for(tile_count(height, kDecodeRows), [&](Index item, int slot) {
    const auto [begin, end] = band(item, kDecodeRows, height);
    kernels.upsample_f32({workspace.map.data(), geometry.map_width(), head.classes, rows.data(),
                          columns.data(), begin, end, width, workspace.slot(slot)},
                         height * width, logits);
  });
}

}  // namespace sakedge
