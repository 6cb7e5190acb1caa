// Times every kernel of every instruction set that this CPU runs, on one thread, and prints JSON
// lines. python -m tools.bench_kernels builds and runs it and makes the table.
//
// A row of a matrix kernel counts the operations of its products only; `peak` is what the innermost
// loop of the same instruction set reaches with all operands in the first-level cache, measured
// between the rows of its arithmetic.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "calls/peak/peaks.h"
#include "core/aligned.h"
#include "cpu/dispatch.h"
#include "cpu/scratch.h"
#include "image/interpolation.h"

namespace {

using namespace sakedge;
using namespace sakedge::cpu;

constexpr Index kTile = 64;
constexpr double kSeconds = 0.15;  // for one row

// The fastest of many calls: other load can only slow a call down.
double fastest(const std::function<void()>& call) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(kSeconds);
  double best = 1e9;
  do {
    const auto start = Clock::now();
    call();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  } while (Clock::now() < end);
  return best;
}

AlignedBuffer random(Index count, float scale) {
  static std::mt19937 engine(0);
  std::normal_distribution<float> normal(0.0f, scale);
  AlignedBuffer buffer(count);
  std::generate_n(buffer.data(), count, [&] { return normal(engine); });
  return buffer;
}

struct Sizes {
  const char* student;
  Index channels;
};

constexpr Sizes kSizes[] = {{"ViT-S", 384}, {"ViT-B", 768}, {"ViT-L", 1024}};

class Bench {
 public:
  Bench(std::string_view isa, Arithmetic arithmetic, const PackedKernels& kernels)
      : isa_(isa),
        arithmetic_(name_of(arithmetic)),
        kernels_(kernels),
        peak_loop_(select(calls::peaks_of(isa), arithmetic)) {}

  void run() {
    measure_peak();
    for (const Sizes& sizes : kSizes) {
      const Index c = sizes.channels;
      linear(sizes, "head_project", c, c / 4);
      linear(sizes, "head_taps", c, 9 * 64);
      adapter(sizes);
      router(sizes);
      prepare(sizes);
      measure_peak();
    }
    for (const std::string& row : rows_) {
      std::printf("%s, \"peak_gflops\": %.2f}\n", row.c_str(), 2e-9 * peak_);
    }
  }

 private:
  void measure_peak() {
    AlignedBytes words(calls::kPeakBytes);
    std::fill_n(words.data(), calls::kPeakBytes, std::byte{0});
    float out = 0.0f;
    Index count = 0;
    const double seconds = fastest([&] { count = peak_loop_(5000, words.data(), &out); });
    peak_ = std::max(peak_, static_cast<double>(count) / seconds);
  }

  void report(const Sizes& sizes, const char* kernel, Index m, Index n, Index k, double products,
              double seconds) {
    char row[400];
    std::snprintf(row, sizeof(row),
                  "{\"isa\": \"%s\", \"arithmetic\": \"%s\", \"kernel\": \"%s\", \"student\": "
                  "\"%s\", \"m\": %td, \"n\": %td, \"k\": %td, \"microseconds\": %.3f, "
                  "\"gflops\": %.2f",
                  isa_.c_str(), arithmetic_, kernel, sizes.student, m, n, k, 1e6 * seconds,
                  2e-9 * products / seconds);
    rows_.emplace_back(row);
  }

  AlignedBytes packed(Index k, Index n) const {
    const AlignedBuffer weight = random(k * n, 0.05f);
    AlignedBytes out(kernels_.packed_size(k, n));
    kernels_.pack({k, n, weight.data(), n, 1, out.data(), nullptr});
    return out;
  }

  AlignedBytes prepared(const AlignedBuffer& x, Index m, Index k) const {
    AlignedBytes out(m * kernels_.row_size(k));
    kernels_.prepare({m, k, x.data(), k, out.data()});
    return out;
  }

  void linear(const Sizes& sizes, const char* name, Index k, Index n) {
    const AlignedBytes rows = prepared(random(kTile * k, 1.0f), kTile, k);
    const AlignedBytes weight = packed(k, n);
    const AlignedBuffer bias = random(n, 1.0f);
    AlignedBuffer y(kTile * n);
    const double seconds = fastest([&] {
      kernels_.linear({kTile, n, k, rows.data(), weight.data(), bias.data(), false, y.data(), n});
    });
    report(sizes, name, kTile, n, k, static_cast<double>(kTile * n * k), seconds);
  }

  void adapter(const Sizes& sizes) {
    const Index c = sizes.channels;
    const Index h = c / 4;
    const AlignedBuffer x = random(kTile * c, 1.0f);
    const AlignedBuffer start = random(kTile * c, 1.0f);
    AlignedBuffer r(kTile * c);
    const AlignedBytes down = packed(c, h);
    const AlignedBytes up = packed(h, c);
    const AlignedBuffer bias = random(c, 1.0f);
    AlignedBytes scratch(cpu::adapter_scratch(kernels_, kTile, c, h));
    const double seconds = fastest([&] {
      std::copy_n(start.data(), kTile * c, r.data());
      kernels_.adapter({kTile, c, h, x.data(), c, r.data(), c, down.data(), bias.data(), up.data(),
                        bias.data(), scratch.data()});
    });
    report(sizes, "adapter_path", kTile, h, c, 2.0 * static_cast<double>(kTile * c * h), seconds);
  }

  void router(const Sizes& sizes) {
    const Index c = sizes.channels;
    const Index h = c / 2;
    const AlignedBytes rows = prepared(random(kTile * c, 1.0f), kTile, c);
    const AlignedBytes weight = packed(c, h);
    const AlignedBuffer affine = random(h, 1.0f);
    AlignedBuffer scratch(kTile * h);
    AlignedBuffer total(h);
    const double seconds = fastest([&] {
      kernels_.router({kTile, c, h, rows.data(), weight.data(), affine.data(), affine.data(),
                       affine.data(), 1e-5f, scratch.data(), total.data()});
    });
    report(sizes, "router", kTile, h, c, static_cast<double>(kTile * c * h), seconds);
  }

  void prepare(const Sizes& sizes) {
    const Index c = sizes.channels;
    const AlignedBuffer x = random(kTile * c, 1.0f);
    AlignedBytes rows(kTile * kernels_.row_size(c));
    const double seconds = fastest([&] { kernels_.prepare({kTile, c, x.data(), c, rows.data()}); });
    report(sizes, "prepare", kTile, 0, c, 0.0, seconds);
  }

  std::string isa_;
  const char* arithmetic_;
  const PackedKernels& kernels_;
  calls::Peak peak_loop_;
  double peak_ = 0.0;
  std::vector<std::string> rows_;
};

void report_alone(std::string_view isa, const char* kernel, Index items, double seconds) {
  std::printf(
      "{\"isa\": \"%s\", \"arithmetic\": \"f32\", \"kernel\": \"%s\", \"items\": %td, "
      "\"microseconds\": %.3f, \"nanoseconds_per_item\": %.4f}\n",
      std::string(isa).c_str(), kernel, items, 1e6 * seconds,
      1e9 * seconds / static_cast<double>(items));
}

// Kernels that do not depend on the arithmetic, at the sizes of ViT-B and 512 x 512 pixels.
void bench_alone(std::string_view isa, const KernelTable& t) {
  constexpr Index kChannels = 768;
  constexpr Index kValues = kTile * kChannels;
  AlignedBuffer x = random(kValues, 1.0f);
  AlignedBuffer y(kValues);
  const AlignedBuffer affine = random(kChannels, 1.0f);
  report_alone(isa, "gelu", kValues, fastest([&] {
                 std::copy_n(x.data(), kValues, y.data());
                 t.gelu_f32(kValues, y.data());
               }));
  report_alone(isa, "layer_norm", kValues, fastest([&] {
                 t.layer_norm_f32({kTile, kChannels, x.data(), kChannels, affine.data(),
                                   affine.data(), 1e-5f, y.data(), kChannels});
               }));
  const float* inputs[] = {x.data(), x.data(), x.data(), x.data()};
  const Index strides[] = {kChannels, kChannels, kChannels, kChannels};
  const float weights[] = {0.1f, 0.2f, 0.3f, 0.4f};
  report_alone(isa, "mix", kValues, fastest([&] {
                 t.mix_f32({kTile, kChannels, 4, inputs, strides, weights, y.data(), kChannels});
               }));

  constexpr Index kGrid = 32;
  constexpr Index kMap = 4 * kGrid;
  constexpr Index kChunk = 64;
  constexpr Index kPixels = 4 * kMap;
  const std::vector<Lerp> expansion = expansion_lerps(kGrid, kMap);
  const std::vector<Lerp> window = window_lerps(kMap, kPixels, kPixels, 0.0, 1.0);
  const AlignedBuffer taps = random(kGrid * kGrid * 9 * kChunk, 1.0f);
  AlignedBuffer scratch(cpu::expand_scratch(kChunk, kGrid, kMap));
  std::vector<std::uint8_t> labels(kPixels * kPixels);
  std::vector<float> floats(3 * kPixels * kPixels);
  for (const Index classes : {1, 2, 3, 7, 21}) {
    const AlignedBuffer last = random(classes * kChannels, 1.0f);
    const AlignedBuffer map = random(kMap * kMap * classes, 1.0f);
    AlignedBuffer logits(kMap * kMap * classes);
    const std::string expand = "head_expand " + std::to_string(classes) + " classes";
    report_alone(isa, expand.c_str(), kMap * kMap * kChunk, fastest([&] {
                   t.head_expand_f32({kChunk, classes, kGrid, taps.data(), 9 * kChunk, kChunk,
                                      expansion.data(), expansion.data(), 0, kMap, kMap,
                                      affine.data(), last.data(), kChannels, affine.data(), false,
                                      logits.data(), scratch.data()});
                 }));
    AlignedBuffer line(cpu::sample_scratch(kMap, classes, kPixels));
    const SampleArgs args{map.data(), kMap,    classes, window.data(), window.data(),
                          0,          kPixels, kPixels, line.data()};
    const auto decode = [&] {
      if (classes == 1) {
        t.decode_probability_f32(args, floats.data());
      } else if (classes == 2) {
        t.decode_two_class_f32(args, floats.data());
      } else if (classes == 3) {
        t.decode_normals_f32(args, floats.data());
      } else {
        t.decode_labels_u8_f32(args, labels.data());
      }
    };
    const std::string name = "decode " + std::to_string(classes) + " classes";
    report_alone(isa, name.c_str(), kPixels * kPixels, fastest(decode));
  }
}

}  // namespace

int main() {
  const Features present = detect_features();
  for (std::size_t i = 0; i < isas().size(); ++i) {
    const Isa& isa = isas()[i];
    if (!missing_features(isa, present).empty()) {
      continue;
    }
    // Only kernels of this instruction set's own table, not inherited ones.
    const KernelTable& own = *isa.table;
    for (const Arithmetic arithmetic : kArithmetics) {
      const PackedKernels& kernels = select(own, arithmetic);
      if (kernels.linear != nullptr) {
        Bench(isa.name, arithmetic, kernels).run();
      }
    }
    if (own.gelu_f32 != nullptr) {
      bench_alone(isa.name, compose(isas(), present, static_cast<Index>(i)));
    }
    std::fflush(stdout);
  }
  return 0;
}
