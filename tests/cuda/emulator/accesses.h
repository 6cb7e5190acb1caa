// Who touched a piece of memory, so that two accesses that nothing orders are found whichever came
// first.
//
// Time is counted in epochs: each barrier of a block begins one, and so does each block. Within a
// block's epoch a warp counts its warp barriers. Accesses of one thread are ordered; those of a
// warp by warp barriers; those of a block by barriers; those of two blocks of a launch by nothing.
#pragma once

#include <cstdint>

namespace sakedge::emulator {

struct Thread {
  int16_t thread;
  int16_t warp;
  uint32_t epoch;
  uint32_t warp_epoch;
  uint32_t block_start;   // the first epoch of its block
  uint32_t launch_start;  // and of its launch
};

// Of one word or byte.
class Accesses {
 public:
  // What a read (write) of `by` now would race with; null if nothing.
  const char* read_race(const Thread& by) const {
    if (wrote_at_ < by.launch_start) return nullptr;
    if (wrote_at_ < by.block_start) return "read of what another block wrote";
    return written_unordered(by) ? "read after a write without a barrier" : nullptr;
  }
  // `same`: the value written is there already, which another block may have written, too.
  const char* write_race(const Thread& by, bool same = false) const {
    if (wrote_at_ >= by.launch_start && !same) {
      if (wrote_at_ < by.block_start) return "write of what another block wrote";
      if (written_unordered(by)) return "write after a write without a barrier";
    }
    if (first_read_at_ >= by.launch_start && first_read_at_ < by.block_start)
      return "write of what another block read";
    return read_unordered(by) ? "write after a read without a barrier" : nullptr;
  }
  // The thread whose write or read such a race is with; -1: several.
  int other(bool write, const Thread& by) const {
    return write && !written_unordered(by) ? reader_ : writer_;
  }

  void read(const Thread& by) {
    if (first_read_at_ < by.launch_start) first_read_at_ = by.epoch;
    if (read_at_ != by.epoch) {
      reader_ = by.thread;
      reader_warp_ = by.warp;
    } else if (reader_warp_ != by.warp) {
      reader_warp_ = reader_ = -1;
    } else if (read_warp_at_ != by.warp_epoch) {
      reader_ = by.thread;  // the others' reads are ordered before all that the warp will do
    } else if (reader_ != by.thread) {
      reader_ = -1;
    }
    read_at_ = by.epoch;
    read_warp_at_ = by.warp_epoch;
  }
  // All that is ordered after a write is ordered after the reads that were ordered before it.
  void wrote(const Thread& by) {
    writer_ = by.thread;
    writer_warp_ = by.warp;
    wrote_at_ = by.epoch;
    wrote_warp_at_ = by.warp_epoch;
    read_at_ = 0;
  }

  bool in_flight = false;  // an asynchronous copy to it has not landed
  bool split = false;      // of a word: its bytes differ and have accesses of their own

 private:
  bool written_unordered(const Thread& by) const {
    return wrote_at_ == by.epoch && writer_ != by.thread &&
           !(writer_warp_ == by.warp && wrote_warp_at_ < by.warp_epoch);
  }
  bool read_unordered(const Thread& by) const {
    return read_at_ == by.epoch && reader_ != by.thread &&
           !(reader_warp_ == by.warp && read_warp_at_ < by.warp_epoch);
  }

  // -1: several. All zeros is memory that nobody touched.
  int16_t writer_ = 0, writer_warp_ = 0, reader_ = 0, reader_warp_ = 0;
  // 0: never.
  uint32_t wrote_at_ = 0, wrote_warp_at_ = 0, read_at_ = 0, read_warp_at_ = 0, first_read_at_ = 0;
};

}  // namespace sakedge::emulator
