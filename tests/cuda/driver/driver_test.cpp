// Calls of the driver: how they go, and how they fail.
#include <algorithm>
#include <thread>

#include "cuda/driver/pinned_pool.h"
#include "testing.h"

namespace {

using namespace sakedge;
using namespace sakedge::cuda;

StirArgs stir_args(const DeviceMemory& a, const DeviceMemory& b, const DeviceMemory& out) {
  return {as<std::uint32_t>(a), as<std::uint32_t>(b), as<std::uint32_t>(out), 5,
          static_cast<int>(out.size() / 4)};
}

void what_is_no_driver_is_refused() {
  EXPECT(fails(open_driver("libnone.so").status(), Code::kDriverMissing,
               "no CUDA driver: libnone.so: cannot open"));
  EXPECT(fails(open_driver("libm.so.6").status(), Code::kDriverMissing,
               "expected 12.0 or newer, got 0.0, without cuInit; install"));
}

// Prints why there is no device, for a test that knows.
void say_what_is_missing() {
  const Status status = devices().status();
  std::printf("%d %s\n", static_cast<int>(status.code()), status.message().c_str());
}

void a_device_is_described() {
  const std::vector<DeviceInfo> found = must(devices());
  EXPECT(found.size() == 2);
  EXPECT(found[1].name == "Orin" && found[1].ordinal == 1);
  EXPECT(found[1].major == 8 && found[1].minor == 7 && found[1].multiprocessors == 16);
  EXPECT(found[1].memory == Index{1} << 33 && found[1].shared == 166912);
  EXPECT(found[1].integrated && found[1].driver_version == 12060);
  EXPECT(fails(Context::make(2).status(), Code::kInvalid, "from 0 to 1, got 2"));
}

void work_is_done() {
  Toy toy;
  const Words a = count(100);
  const Words b = count(100, 7);
  DeviceMemory x = toy.memory(100);
  DeviceMemory y = toy.memory(100);
  Words out(100);
  must(toy.stream.copy_in(x.data(), a.data(), bytes(a)));
  must(toy.stream.copy_in(y.data(), b.data(), bytes(b)));
  const StirArgs args = stir_args(x, y, y);
  must(toy.stream.launch(toy.stir, {4}, &args));
  must(toy.zero(y.data() + 4, 4));
  must(toy.stream.copy_out(out.data(), y.data(), bytes(out)));
  must(toy.stream.wait());
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT(out[i] == (i == 1 ? 0 : 31 * i + 17 * (i + 7) + 5));
  }
}

// What a copy reads is not free before the stream is waited for.
void a_copy_reads_late() {
  Toy toy;
  DeviceMemory x = toy.memory(1);
  std::uint32_t value = 1;
  std::uint32_t out = 0;
  must(toy.stream.copy_in(x.data(), &value, 4));
  value = 2;
  must(toy.stream.copy_out(&out, x.data(), 4));
  EXPECT(out == 0);
  must(toy.stream.wait());
  EXPECT(out == 2);
}

void shared_memory_is_asked_for() {
  Toy toy;
  const Index most = toy.context->info().shared;
  const int n = static_cast<int>(most / 4);
  const Kernel turn = must(toy.module->kernel("turn", 32, most));
  DeviceMemory x = toy.memory(n);
  DeviceMemory y = toy.memory(n);
  const Words in = count(static_cast<std::size_t>(n));
  Words out(in.size());
  must(toy.stream.copy_in(x.data(), in.data(), bytes(in)));
  const TurnArgs args{as<std::uint32_t>(x), as<std::uint32_t>(y), n};
  must(toy.stream.launch(turn, {}, &args));
  must(toy.stream.copy_out(out.data(), y.data(), bytes(out)));
  must(toy.stream.wait());
  EXPECT(out[0] == 1 && out[in.size() - 1] == 0);
}

void a_kernel_that_cannot_run_is_refused() {
  Toy toy;
  EXPECT(fails(toy.module->kernel("shake", 32, 0).status(), Code::kInvalid, "shake"));
  EXPECT(fails(toy.module->kernel("stir", 64, 0).status(), Code::kInvalid, "got 64"));
  EXPECT(fails(toy.module->kernel("stir", 32, 1 << 20).status(), Code::kInvalid, "got 32 and 104"));
  EXPECT(fails(toy.stream.launch(toy.stir, {0}, nullptr), Code::kDriver, "stir: cuLaunchKernel"));
}

void an_image_for_another_device_is_refused() {
  Toy toy;
  EXPECT(fails(load(toy.context,
                    "\x7f"
                    "ELF")
                   .status(),
               Code::kDriver,
               "CUDA_ERROR_NO_BINARY_FOR_GPU (emulated): this build has no kernels"));
  EXPECT(fails(load(toy.context, "\n.version 8.7\n").status(), Code::kDriver, "12.6 or newer"));
  EXPECT(fails(load(toy.context, "\n.version 8.5\n.target sm_90\n").status(), Code::kDriver,
               "CUDA_ERROR_NO_BINARY_FOR_GPU"));
  EXPECT(fails(load(toy.context, "\n.version 8.5\n.target sm_80\n").status(), Code::kDriver,
               "not translated"));
}

void out_of_memory_leaves_everything_usable() {
  Toy toy;  // a device of 1 MiB
  DeviceMemory x = toy.memory(1 << 17);
  EXPECT(must(toy.context->memory()).free == 1 << 19);
  EXPECT(fails(DeviceMemory::make(toy.context, (1 << 19) + 1).status(), Code::kDeviceMemory,
               "expected 1 MiB of device memory, got 1 MiB that are free of 1 MiB; cuMemAlloc_v2"));
  EXPECT(fails(HostMemory::make(toy.context, 1 << 21).status(), Code::kDeviceMemory,
               "expected 2 MiB of pinned memory"));
  must(toy.zero(x.data(), x.size()));
  must(toy.stream.wait());
  x = {};
  EXPECT(DeviceMemory::make(toy.context, 1 << 20).ok());
  PinnedPool pool(toy.context, 1 << 24);
  PinnedPool::Block block = must(pool.take(1 << 20));
  EXPECT(block != nullptr && must(pool.take(1)) == nullptr);
  block = nullptr;
  EXPECT(pool.size() == 1 << 20 && must(pool.take(1)) != nullptr);
  EXPECT(must(pool.take(1 << 21)) == nullptr && pool.size() == 0);
}

void a_lost_device_stays_lost() {
  Toy toy;
  DeviceMemory x = toy.memory(8);
  must(toy.zero(x.data(), x.size()));
  const StirArgs args = stir_args(x, x, x);
  must(toy.stream.launch(toy.stir, {}, &args));
  must(toy.stream.wait());
  must(toy.stream.launch(toy.stir, {}, &args));
  EXPECT(fails(toy.stream.wait(), Code::kDeviceLost,
               "cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS"));
  EXPECT(fails(toy.zero(x.data(), 1), Code::kDeviceLost, "cuMemcpyHtoDAsync_v2"));
  EXPECT(fails(DeviceMemory::make(toy.context, 8).status(), Code::kDeviceLost, "cuMemAlloc_v2"));
  EXPECT(fails(Context::make(0).status(), Code::kDeviceLost, "cuDevicePrimaryCtxRetain"));
}

void a_stray_write_loses_the_device() {
  Toy toy;
  const Kernel stray = must(toy.module->kernel("stray", 32, 0));
  DeviceMemory x = toy.memory(8);
  must(toy.zero(x.data(), x.size()));
  const StirArgs args = stir_args(x, x, x);
  must(toy.stream.launch(stray, {}, &args));
  EXPECT(fails(toy.stream.wait(), Code::kDeviceLost, "CUDA_ERROR_LAUNCH_FAILED"));
}

void mapped_memory_is_the_same_on_both_sides() {
  Toy toy;
  HostMemory host = must(HostMemory::make(toy.context, 32));
  EXPECT(host.device() != nullptr && host.device() != host.data());
  auto* words = reinterpret_cast<std::uint32_t*>(host.data());
  std::fill(words, words + 8, 1u);
  auto* there = reinterpret_cast<std::uint32_t*>(host.device());
  const StirArgs args{there, there, there, 0, 8};
  must(toy.stream.launch(toy.stir, {}, &args));
  EXPECT(words[7] == 1);
  must(toy.stream.wait());
  EXPECT(words[7] == 48);
}

void pinned_blocks_are_lent_again() {
  constexpr Index kMiB = Index{1} << 20;
  Toy toy;
  PinnedPool::Block late;
  {
    PinnedPool pool(toy.context, 4 * kMiB);
    PinnedPool::Block a = must(pool.take(1));
    PinnedPool::Block b = must(pool.take(kMiB + 1));
    EXPECT(a->size() == kMiB && b->size() == 2 * kMiB && pool.size() == 3 * kMiB);
    EXPECT(must(pool.take(2 * kMiB)) == nullptr);  // 5 of 4 MiB
    const std::byte* data = a->data();
    a = nullptr;
    EXPECT(pool.size() == 3 * kMiB);
    a = must(pool.take(100));
    EXPECT(a->data() == data);
    b = nullptr;
    late = must(pool.take(3 * kMiB));  // in place of the one that waits
    EXPECT(late->size() == 3 * kMiB && pool.size() == 4 * kMiB);
  }
  late->data()[3 * kMiB - 1] = std::byte{1};
}

// Few calls have their blocks, however large, and one that is far too large stays for others.
void a_small_pool_lends_to_few() {
  constexpr Index kMiB = Index{1} << 20;
  Toy toy;
  PinnedPool pool(toy.context, kMiB);
  PinnedPool::Block a = must(pool.take(8 * kMiB));
  PinnedPool::Block b = must(pool.take(2 * kMiB));
  EXPECT(a != nullptr && b != nullptr && must(pool.take(1)) == nullptr);
  a = nullptr;
  a = must(pool.take(2 * kMiB));
  EXPECT(a->size() == 2 * kMiB && pool.size() == 4 * kMiB);
}

void threads_share_a_pool() {
  Toy toy;
  PinnedPool pool(toy.context, Index{1} << 23);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, mark = std::byte(t)] {
      for (Index round = 0; round < 50; ++round) {
        const PinnedPool::Block block = must(pool.take((1 + round % 3) << 20));
        if (block != nullptr) {
          std::fill_n(block->data(), 4096, mark);
          std::this_thread::yield();
          EXPECT(std::count(block->data(), block->data() + 4096, mark) == 4096);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT(pool.size() <= Index{1} << 23);
}

void events_tell_the_time() {
  Toy toy;
  Event begin = must(Event::make(toy.context));
  Event end = must(Event::make(toy.context));
  must(toy.stream.record(begin));
  must(toy.stream.record(end));
  EXPECT(fails(end.since(begin).status(), Code::kDriver, "cuEventElapsedTime"));
  must(toy.stream.wait());
  EXPECT(must(end.since(begin)) >= 0.0f);
}

void threads_share_a_device() {
  Toy toy;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&toy] {
      Stream stream = must(Stream::make(toy.context));
      for (std::uint32_t round = 0; round < 20; ++round) {
        DeviceMemory x = toy.memory(32);
        const Words in(32, round);
        Words out(32);
        must(stream.copy_in(x.data(), in.data(), bytes(in)));
        const StirArgs args = stir_args(x, x, x);
        must(stream.launch(toy.stir, {}, &args));
        must(stream.copy_out(out.data(), x.data(), bytes(out)));
        must(stream.wait());
        EXPECT(out == Words(32, 48 * round + 5));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

// What follows is wrong, and the emulated driver tells.

void memory_is_used_after_it_was_freed() {
  Toy toy;
  DeviceMemory x = toy.memory(8);
  must(toy.zero(x.data(), x.size()));
  x = {};
  EXPECT(fails(toy.stream.wait(), Code::kDeviceLost, "CUDA_ERROR_ILLEGAL_ADDRESS"));
}

void a_kernel_uses_freed_memory() {
  Toy toy;
  DeviceMemory x = toy.memory(8);
  DeviceMemory y = toy.memory(8);
  const StirArgs args = stir_args(x, x, y);
  must(toy.stream.launch(toy.stir, {}, &args));
  x = {};
  EXPECT(fails(toy.stream.wait(), Code::kDeviceLost, "CUDA_ERROR_LAUNCH_FAILED"));
}

void a_kernel_outlives_its_module() {
  Toy toy;
  DeviceMemory x = toy.memory(8);
  const StirArgs args = stir_args(x, x, x);
  must(toy.stream.launch(toy.stir, {}, &args));
  toy.module = nullptr;
  EXPECT(fails(toy.stream.launch(toy.stir, {}, &args), Code::kDriver, "stir: cuLaunchKernel"));
  EXPECT(!toy.stream.wait().ok());
}

void memory_is_freed_twice() {
  Toy toy;
  const Current current(*toy.context);
  CUdeviceptr data = 0;
  must(SAKEDGE_CALL(*toy.context, cuMemAlloc_v2, &data, 16));
  must(SAKEDGE_CALL(*toy.context, cuMemFree_v2, data));
  EXPECT(!SAKEDGE_CALL(*toy.context, cuMemFree_v2, data).ok());
}

void memory_is_never_freed() {
  Toy toy;
  const Current current(*toy.context);
  CUdeviceptr data = 0;
  must(SAKEDGE_CALL(*toy.context, cuMemAlloc_v2, &data, 16));
}

void a_copy_is_longer_than_its_memory() {
  Toy toy;
  DeviceMemory x = toy.memory(8);
  EXPECT(!toy.zero(x.data(), 33).ok());
}

void the_host_touches_device_memory() {
  Toy toy;
  DeviceMemory x = toy.memory(8);
  *as<volatile std::uint32_t>(x) = 1;
}

constexpr Test kTests[] = {
#define TEST(name) {#name, name}
    TEST(what_is_no_driver_is_refused),
    TEST(say_what_is_missing),
    TEST(a_device_is_described),
    TEST(work_is_done),
    TEST(a_copy_reads_late),
    TEST(shared_memory_is_asked_for),
    TEST(a_kernel_that_cannot_run_is_refused),
    TEST(an_image_for_another_device_is_refused),
    TEST(out_of_memory_leaves_everything_usable),
    TEST(a_lost_device_stays_lost),
    TEST(a_stray_write_loses_the_device),
    TEST(mapped_memory_is_the_same_on_both_sides),
    TEST(pinned_blocks_are_lent_again),
    TEST(a_small_pool_lends_to_few),
    TEST(threads_share_a_pool),
    TEST(events_tell_the_time),
    TEST(threads_share_a_device),
    TEST(memory_is_used_after_it_was_freed),
    TEST(a_kernel_uses_freed_memory),
    TEST(a_kernel_outlives_its_module),
    TEST(memory_is_freed_twice),
    TEST(memory_is_never_freed),
    TEST(a_copy_is_longer_than_its_memory),
    TEST(the_host_touches_device_memory),
#undef TEST
};

}  // namespace

int main(int argc, char** argv) { return run_test(kTests, argc, argv); }
