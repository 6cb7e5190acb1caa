#include "cuda/bindings/dlpack.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "bindings/bind.h"

namespace py = pybind11;
using namespace sakedge::bindings;

namespace sakedge::cuda::bindings {
namespace {

// Numbers of dlpack.h.
constexpr std::int32_t kCuda = 2;
constexpr std::int32_t kCudaManaged = 13;
constexpr std::uint8_t kUint = 1;
constexpr std::uint8_t kFloat = 2;
constexpr std::uint32_t kMajor = 1;

static_assert(offsetof(dlpack::Tensor, shape) == 24 && sizeof(dlpack::Tensor) == 48);
static_assert(sizeof(dlpack::Managed) == 64 && offsetof(dlpack::Versioned, tensor) == 32);

bool is_dense(const dlpack::Tensor& tensor) {
  std::int64_t stride = 1;
  for (int axis = tensor.axes - 1; axis >= 0; --axis) {
    if (tensor.strides != nullptr && tensor.shape[axis] > 1 && tensor.strides[axis] != stride) {
      return false;
    }
    stride *= tensor.shape[axis];
  }
  return true;
}

int type_of(const dlpack::Tensor& tensor) {
  require(tensor.type_lanes == 1, "a picture by DLPack: expected numbers, got vectors");
  if (tensor.type_code == kUint && tensor.type_bits == 8) {
    return PictureSource::kUint8;
  }
  if (tensor.type_code == kUint && tensor.type_bits == 16) {
    return PictureSource::kUint16;
  }
  require(tensor.type_code == kFloat && tensor.type_bits == 32,
          "a picture by DLPack: expected uint8, uint16 or float32");
  return PictureSource::kFloat;
}

}  // namespace

const dlpack::Tensor& DevicePicture::take(const py::capsule& capsule) {
  const char* name = PyCapsule_GetName(capsule.ptr());
  if (name != nullptr && std::strcmp(name, "dltensor") == 0) {
    managed_ = static_cast<dlpack::Managed*>(PyCapsule_GetPointer(capsule.ptr(), name));
    PyCapsule_SetName(capsule.ptr(), "used_dltensor");
    return managed_->tensor;
  }
  require(name != nullptr && std::strcmp(name, "dltensor_versioned") == 0,
          "a picture by DLPack: expected what __dlpack__() returned, not used before");
  auto* versioned = static_cast<dlpack::Versioned*>(PyCapsule_GetPointer(capsule.ptr(), name));
  require(versioned->major == kMajor,
          "a picture by DLPack: expected version 1, got " + std::to_string(versioned->major));
  versioned_ = versioned;
  PyCapsule_SetName(capsule.ptr(), "used_dltensor_versioned");
  return versioned->tensor;
}

DevicePicture::DevicePicture(const py::capsule& capsule, const Device& device) {
  const dlpack::Tensor& tensor = take(capsule);
  try {
    require((tensor.device_type == kCuda || tensor.device_type == kCudaManaged) &&
                tensor.device_id == device.info().ordinal,
            "a picture by DLPack: expected it on CUDA device " +
                std::to_string(device.info().ordinal) + ", got device " +
                std::to_string(tensor.device_id) + " of type " +
                std::to_string(tensor.device_type));
    require(tensor.axes == 3 && tensor.shape[2] == 3 && is_dense(tensor),
            "a picture by DLPack: expected a dense array [height, width, 3]");
    source_.pixels = static_cast<const std::byte*>(tensor.data) + tensor.byte_offset;
    source_.on_device = true;
    source_.type = type_of(tensor);
    source_.height = static_cast<Index>(tensor.shape[0]);
    source_.width = static_cast<Index>(tensor.shape[1]);
  } catch (...) {
    release();
    throw;
  }
}

DevicePicture::DevicePicture(DevicePicture&& other) noexcept
    : source_(other.source_),
      managed_(std::exchange(other.managed_, nullptr)),
      versioned_(std::exchange(other.versioned_, nullptr)) {}

DevicePicture::~DevicePicture() { release(); }

void DevicePicture::release() {
  if (managed_ != nullptr && managed_->deleter != nullptr) {
    managed_->deleter(managed_);
  }
  if (versioned_ != nullptr && versioned_->deleter != nullptr) {
    versioned_->deleter(versioned_);
  }
  managed_ = nullptr;
  versioned_ = nullptr;
}

}  // namespace sakedge::cuda::bindings
