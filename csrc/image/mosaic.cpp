#include "image/mosaic.h"

#include <algorithm>
#include <utility>

#include "core/aligned.h"
#include "cpu/scratch.h"
#include "image/decode.h"

namespace sakedge {
namespace {

// Rows that are blended and decoded together: they lie between the same few rows of a map, and
// three classes of a row of 4000 pixels take 48 KiB, so that a band stays in the second-level
// cache.
constexpr Index kBandRows = 4;

// Whether tiles follow each other from the first pixel to the last, without a gap.
bool cover(const TileAxis& axis) {
  const std::vector<Index>& starts = axis.starts;
  const auto is_wrong = [&](Index start, Index next) {
    return next <= start || next > start + axis.tile;
  };
  return !starts.empty() && starts.front() == 0 && starts.back() == axis.length - axis.tile &&
         std::adjacent_find(starts.begin(), starts.end(), is_wrong) == starts.end();
}

bool sane(const TileAxis& axis, Index input) {
  return axis.tile > 0 && axis.tile <= axis.length && axis.tile <= input && cover(axis) &&
         static_cast<Index>(axis.weights.size()) == axis.count() * axis.tile;
}

// Where a tile that lies in the middle of an input begins, in whole pixels.
double centred(Index tile, Index input) {
  const Index offset = (input - tile) / 2;
  return static_cast<double>(offset);
}

// Tiles of an axis that cover one of the pixels [begin, end).
Index covering(const TileAxis& axis, Index begin, Index end) {
  return std::count_if(axis.starts.begin(), axis.starts.end(),
                       [&](Index start) { return start < end && start + axis.tile > begin; });
}

}  // namespace

// Logits of some rows of the picture, [classes][rows][picture width].
struct Mosaic::Band {
  Index begin, end;
  float* logits;
  Index plane;  // elements of a class

  Index rows() const { return end - begin; }
};

Expected<std::unique_ptr<Mosaic>> Mosaic::make(const cpu::KernelTable& kernels,
                                               std::shared_ptr<ThreadPool> pool, Size map,
                                               Size input, TileAxis rows, TileAxis columns) {
  const Size picture{rows.length, columns.length};
  for (const auto& [size, what] :
       {std::pair{map, "mosaic: its map"}, std::pair{input, "mosaic: its input"},
        std::pair{picture, "mosaic: its picture"}}) {
    if (Status status = check(size, 1, what); !status.ok()) {
      return status;
    }
  }
  if (pool == nullptr || !sane(rows, input.height) || !sane(columns, input.width)) {
    return Status(Code::kInvalid, "mosaic: sizes that contradict each other");
  }
  return std::unique_ptr<Mosaic>(
      new Mosaic(kernels, std::move(pool), map, input, std::move(rows), std::move(columns)));
}

Mosaic::Mosaic(const cpu::KernelTable& kernels, std::shared_ptr<ThreadPool> pool, Size map,
               Size input, TileAxis rows, TileAxis columns)
    : kernels_(kernels),
      pool_(std::move(pool)),
      map_(map),
      rows_(std::move(rows)),
      columns_(std::move(columns)),
      samples_({rows_.tile, columns_.tile, centred(rows_.tile, input.height),
                centred(columns_.tile, input.width)},
               map, input) {}

void Mosaic::blend(const TileMap& tile, Index classes, const Band& band, float* scratch) const {
  const Index top = rows_.starts[static_cast<std::size_t>(tile.row)];
  const Index left = columns_.starts[static_cast<std::size_t>(tile.column)];
  const Index begin = std::max(band.begin, top);
  const Index end = std::min(band.end, top + rows_.tile);
  if (begin >= end) {
    return;
  }
  kernels_.blend_f32(
      {sample_args(tile.map, map_.width, classes, samples_, begin - top, end - top, scratch),
       rows_.weights.data() + tile.row * rows_.tile,
       columns_.weights.data() + tile.column * columns_.tile, band.plane, columns_.length,
       band.logits + (begin - band.begin) * columns_.length + left});
}

Status Mosaic::decode(std::span<const TileMap> tiles, Index classes, const PixelDecoder& decoder,
                      Index begin, Index end, void* out) const {
  if (begin < 0 || begin > end || end > rows_.length) {
    return {Code::kInvalid, "mosaic: no such rows"};
  }
  std::vector<Index> places;
  places.reserve(tiles.size());
  Index needed = 0;
  for (const TileMap& tile : tiles) {
    if (tile.row < 0 || tile.row >= rows_.count() || tile.column < 0 ||
        tile.column >= columns_.count() || tile.map == nullptr) {
      return {Code::kInvalid, "mosaic: no such tile"};
    }
    places.push_back(tile.row * columns_.count() + tile.column);
    const Index top = rows_.starts[static_cast<std::size_t>(tile.row)];
    needed += top < end && top + rows_.tile > begin ? 1 : 0;
  }
  std::sort(places.begin(), places.end());
  if (std::adjacent_find(places.begin(), places.end()) != places.end()) {
    return {Code::kInvalid, "mosaic: a tile comes twice"};
  }
  if (needed != covering(rows_, begin, end) * columns_.count()) {
    return {Code::kInvalid, "mosaic: a tile over these rows is missing"};
  }

  const double work = sampling_work({samples_.height, samples_.width}, map_, classes);
  if (Status status = check_work(work * static_cast<double>(needed)); !status.ok()) {
    return status;
  }

  const Index width = columns_.length;
  const Index plane = kBandRows * width;
  std::vector<AlignedBuffer> logits;
  std::vector<AlignedBuffer> scratch;
  logits.reserve(static_cast<std::size_t>(pool_->threads()));
  scratch.reserve(logits.capacity());
  for (int worker = 0; worker < pool_->threads(); ++worker) {
    logits.emplace_back(classes * plane);
    scratch.emplace_back(cpu::sample_scratch(map_.width, classes, columns_.tile));
  }
  const Index bands = (end - begin + kBandRows - 1) / kBandRows;
  pool_->parallel_for(bands, [&](Index item, int worker) {
    const Index first = begin + item * kBandRows;
    const Band band{first, std::min(first + kBandRows, end),
                    logits[static_cast<std::size_t>(worker)].data(), plane};
    std::fill_n(band.logits, classes * plane, 0.0f);
    for (const TileMap& tile : tiles) {
      blend(tile, classes, band, scratch[static_cast<std::size_t>(worker)].data());
    }
    // The rows of a band follow each other, as they do in the picture.
    decoder.from_planes(
        kernels_, {band.logits, plane, classes, band.rows() * width},
        static_cast<std::byte*>(out) + (first - begin) * width * decoder.pixel_size());
  });
  return {};
}

}  // namespace sakedge
