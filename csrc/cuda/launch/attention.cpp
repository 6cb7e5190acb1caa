#include "cuda/launch/attention.h"

#include "cuda/kernels/args.h"
#include "cuda/kernels/attention_shape.h"

namespace sakedge::cuda {
namespace {

// 1 / sqrt(64) of the products, and log2(e): the kernel's exponentials are powers of two.
constexpr float kScale = 0.125f * 1.44269504f;

// 128 queries read keys and values half as often; of 64 twice as many blocks fill the machine
// better.
int queries_of(const AttentionStep& step, int multiprocessors) {
  const auto rounds = [&](Index queries) {
    const Index blocks = blocks_of(step.tokens, queries) * step.heads * step.images;
    return blocks_of(blocks, multiprocessors) * queries;
  };
  return rounds(64) < rounds(128) ? 64 : 128;
}

}  // namespace

void add_attention(Steps& steps, const AttentionStep& step) {
  const int queries = queries_of(step, steps.kernels().info().multiprocessors);
  const Grid grid{blocks_of(step.tokens, queries), static_cast<int>(step.heads),
                  static_cast<int>(step.images)};
  steps.launch<AttentionArgs>(
      std::string("attention_") + name_of(step.arithmetic) + "_" + std::to_string(queries),
      kAttentionThreads, attention_shared(queries), grid, {step.qkv}, {step.out},
      [step](const Addresses& at) {
        AttentionArgs args{};
        args.qkv = at(step.qkv);
        args.out = at(step.out);
        args.tokens = static_cast<int>(step.tokens);
        args.heads = static_cast<int>(step.heads);
        args.scale = kScale;
        return args;
      });
}

}  // namespace sakedge::cuda
