#pragma once

#include <vector>

#include "decoder/pass/pass.h"
#include "image/interpolation.h"

namespace sakedge {

// Taps, expansion and final decoding of all heads (docs/algebra.md, section 1).
//
// A pipeline of three: while the taps of one chunk are formed, the chunk before it is expanded, and
// if the one before that was a head's last, that head is decoded. So each round is one parallel
// loop without a barrier inside; long pieces of work come first, so that short ones even out the
// end. The rounds are in the order of the chunks, which is that of the sums.
class HeadStage {
 public:
  // Reserves the memory for taps and maps.
  explicit HeadStage(const Pass& pass);

  Index scratch_size() const;  // bytes
  void run() const;

 private:
  // A chunk of a head whose output is wanted.
  struct Step {
    Index task;
    const Head::Chunk* chunk;
    const std::byte* levels;
    float* taps;
    float* map;
    bool is_last;  // of its head
  };

  std::vector<Step> steps() const;
  void form_taps(const Step& step, Index first, Index m) const;
  void expand(const Step& step, Index band, float* scratch) const;
  cpu::SampleArgs band_of(const Step& step, const Samples& samples, Index band,
                          float* scratch) const;
  void decode(const Step& step, Index band, float* scratch) const;
  void upsample(const Step& step, Index band, float* scratch) const;

  const Pass& pass_;
  Samples window_;  // pixels of the image's window
  Samples whole_;   // pixels of the input
};

}  // namespace sakedge
