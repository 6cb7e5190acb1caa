#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "cuda/student/device.h"
#include "cuda/student/request.h"

namespace sakedge::cuda::bindings {

// The structs of DLPack 0.x and 1.x that arrays are exchanged by between libraries.
namespace dlpack {

struct Tensor {
  void* data;
  std::int32_t device_type;
  std::int32_t device_id;
  std::int32_t axes;
  std::uint8_t type_code;
  std::uint8_t type_bits;
  std::uint16_t type_lanes;
  std::int64_t* shape;
  std::int64_t* strides;  // elements, or null: dense
  std::uint64_t byte_offset;
};

struct Managed {
  Tensor tensor;
  void* manager;
  void (*deleter)(Managed* self);
};

struct Versioned {
  std::uint32_t major;
  std::uint32_t minor;
  void* manager;
  void (*deleter)(Versioned* self);
  std::uint64_t flags;
  Tensor tensor;
};

}  // namespace dlpack

// A picture [height, width, 3] that another library has on the device, held while this exists.
class DevicePicture {
 public:
  // Takes the capsule over, as DLPack says: nobody else can then. Raises CudaError("invalid") for
  // one that is not a dense picture of uint8, uint16 or float32 on this device. Needs the GIL, as
  // the end does.
  DevicePicture(const pybind11::capsule& capsule, const Device& device);
  DevicePicture(DevicePicture&& other) noexcept;
  ~DevicePicture();

  DevicePicture(const DevicePicture&) = delete;
  DevicePicture& operator=(const DevicePicture&) = delete;
  DevicePicture& operator=(DevicePicture&&) = delete;

  // At the origin.
  const PictureSource& source() const { return source_; }

 private:
  const dlpack::Tensor& take(const pybind11::capsule& capsule);
  void release();

  PictureSource source_;
  dlpack::Managed* managed_ = nullptr;  // one of the two
  dlpack::Versioned* versioned_ = nullptr;
};

}  // namespace sakedge::cuda::bindings
