#include "cuda/launch/attention.h"

#include "cuda/kernels/args.h"
#include "cuda/kernels/attention_shape.h"

namespace sakedge::cuda {
namespace {

// 1 / sqrt(64) of the products, and log2(e): the kernel's exponentials are powers of two.
constexpr float kScale = 0.125f * 1.44269504f;

// Two blocks of two splits, of which one computes while the other begins or ends, or one block of
// four: whichever takes fewer rounds for one image. More images take the same, for splits decide in
// which order a query's sums are formed: an image's results are the same beside any others.
int splits_of(Index blocks_of_image, int multiprocessors) {
  const Index twice = Index{2} * multiprocessors;
  return blocks_of(blocks_of_image, multiprocessors) < 2 * blocks_of(blocks_of_image, twice) ? 4
                                                                                             : 2;
}

}  // namespace

void add_attention(Steps& steps, const AttentionStep& step) {
  const Grid grid{blocks_of(step.tokens, kQueries), static_cast<int>(step.heads),
                  static_cast<int>(step.images)};
  const int splits = splits_of(Index{grid.x} * grid.y, steps.kernels().info().multiprocessors);
  steps.launch<AttentionArgs>(
      std::string("attention_") + name_of(step.arithmetic) + "_" + std::to_string(splits),
      attention_threads(splits), attention_shared(splits), grid, {step.qkv}, {step.out},
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
