#include "cuda/launch/patches.h"

#include <algorithm>
#include <iterator>

namespace sakedge::cuda {
namespace {

constexpr Index kPatchesOfBlock = 4;  // a warp for each
constexpr int kThreads = 32 * kPatchesOfBlock;

}  // namespace

void add_patches(Steps& steps, const PatchesStep& step) {
  // One block more, for the class token's row.
  const Grid grid{1 + blocks_of(step.grid_height * step.grid_width, kPatchesOfBlock),
                  static_cast<int>(step.images)};
  steps.launch<PatchesArgs>(std::string("patches_") + name_of(step.arithmetic), kThreads, 0, grid,
                            {}, {step.out, step.x}, [step](const Addresses& at) {
                              PatchesArgs args{};
                              args.pictures = step.pictures;
                              args.out = at(step.out);
                              args.class_row = step.class_row;
                              args.x = at(step.x);
                              args.grid_height = static_cast<int>(step.grid_height);
                              args.grid_width = static_cast<int>(step.grid_width);
                              args.channels = static_cast<int>(step.channels);
                              std::copy(std::begin(step.mul), std::end(step.mul), args.mul);
                              std::copy(std::begin(step.add), std::end(step.add), args.add);
                              return args;
                            });
}

}  // namespace sakedge::cuda
