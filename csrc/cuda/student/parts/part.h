#pragma once

#include <memory>
#include <vector>

#include "cuda/student/device.h"
#include "cuda/student/geometry.h"
#include "cuda/student/parts/image.h"

namespace sakedge::cuda {

// What all parts have: device memory that is written once, and what it was made for. Parts of one
// call may share it.
struct Part {
  std::shared_ptr<Device> device;
  Geometry geometry;
  Arithmetic arithmetic = Arithmetic::kF16;
  DeviceMemory memory;

  Part(std::shared_ptr<Device> on, const Geometry& sizes, Arithmetic chosen)
      : device(std::move(on)), geometry(sizes), arithmetic(chosen) {}
};

// Fills device memory with what `build` puts into an image: it is called to measure and then to
// write. Fails with kInvalid for weights that the arithmetic does not hold.
template <class Build>
Expected<DeviceMemory> filled(Device& device, const Build& build) {
  PartImage measured;
  build(measured);
  Expected<DeviceMemory> memory = DeviceMemory::make(device.context(), measured.used());
  if (!memory.ok()) {
    return memory;
  }
  // Zeros, which padding is; aligned as all that `new` gives.
  std::vector<std::byte> block(static_cast<std::size_t>(measured.used()));
  std::byte* const host = block.data();
  PartImage image(host, memory.value().data());
  build(image);
  if (!image.status().ok()) {
    return image.status();
  }
  if (Status status = device.upload(memory.value().data(), host, measured.used()); !status.ok()) {
    return status;
  }
  return memory;
}

}  // namespace sakedge::cuda
