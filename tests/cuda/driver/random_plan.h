// Random plans of the kernel stir, and what they compute.
#pragma once

#include <random>

#include "cuda/plan/plan.h"
#include "testing.h"

namespace sakedge::cuda {

class RandomPlan {
 public:
  static constexpr std::size_t kWords = 32;  // of a buffer
  static constexpr int kScratch = 10;
  // Of fixed memory, at every half of a buffer: each overlaps its neighbours. In the end each
  // scratch buffer is written to one of its own behind them.
  static constexpr int kFixed = 6;
  static constexpr std::size_t kFixedWords = (kFixed + 1) * kWords / 2 + kScratch * kWords;

  // `fixed` is the fixed memory. A step that `lies` reads what it does not say.
  RandomPlan(const Kernel& stir, std::byte* fixed, unsigned seed, int steps, bool lies = false)
      : stir_(stir), random_(seed) {
    for (int b = 0; b < kScratch; ++b) {
      buffers_.push_back({plan.scratch(4 * kWords, "scratch"), Words(kWords), nullptr});
    }
    for (int b = 0; b < kFixed + kScratch; ++b) {
      const std::size_t at =
          static_cast<std::size_t>(b < kFixed ? b : 2 * b - kFixed + 1) * kWords / 2;
      buffers_.push_back({plan.fixed(fixed + 4 * at, 4 * kWords, "fixed"), {}, &expected[at]});
    }
    const auto any = [&](int first, int end) {
      return static_cast<std::size_t>(std::uniform_int_distribution(first, end - 1)(random_));
    };
    for (std::size_t b = 0; b < kScratch; ++b) {
      add(any(kScratch, kScratch + kFixed), any(kScratch, kScratch + kFixed), b, false);
    }
    for (int s = 0; s < steps; ++s) {
      add(any(0, kScratch + kFixed), any(0, kScratch + kFixed), any(0, kScratch + kFixed), lies);
    }
    for (std::size_t b = 0; b < kScratch; ++b) {
      add(b, b, kScratch + kFixed + b, false);
    }
  }

  Plan plan;
  // Fixed memory, before and after the plan.
  const Words before = count(kFixedWords);
  Words expected = before;

 private:
  struct Known {
    Plan::Buffer buffer;
    Words words;           // of a scratch buffer
    std::uint32_t* fixed;  // in `expected`

    std::uint32_t* data() { return fixed != nullptr ? fixed : words.data(); }
  };

  void add(std::size_t a, std::size_t b, std::size_t out, bool lies) {
    // A kernel whose input overlaps its output at another place would race with itself.
    const auto apart = [&](std::size_t in) {
      return in == out || in < kScratch || out < kScratch || (in > out ? in - out : out - in) > 1;
    };
    a = apart(a) ? a : out;
    b = apart(b) ? b : out;
    const auto salt = static_cast<std::uint32_t>(plan.steps().size());
    for (std::size_t i = 0; i < kWords; ++i) {
      std::uint32_t* to = buffers_[out].data();
      to[i] = 31 * buffers_[a].data()[i] + 17 * buffers_[b].data()[i] + salt;
    }
    std::vector<Plan::Buffer> reads = {buffers_[a].buffer};
    if (!lies) {
      reads.push_back(buffers_[b].buffer);
    }
    plan.launch<StirArgs>(stir_, {}, reads, {buffers_[out].buffer},
                          [a = buffers_[a].buffer, b = buffers_[b].buffer,
                           out = buffers_[out].buffer, salt](const Addresses& at) {
                            return StirArgs{at(a), at(b), at(out), salt, static_cast<int>(kWords)};
                          });
  }

  Kernel stir_;
  std::mt19937 random_;
  std::vector<Known> buffers_;
};

}  // namespace sakedge::cuda
