#include "cuda/driver/module.h"

#include <array>
#include <utility>

namespace sakedge::cuda {

Expected<std::shared_ptr<Module>> Module::load(std::shared_ptr<Context> context,
                                               std::span<const std::byte> image) {
  const Current current(*context);
  std::array<char, 4096> log = {};
  // Values that are no pointers are passed as if they were.
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  void* values[] = {log.data(), reinterpret_cast<void*>(log.size() - 1)};
  CUmodule handle = nullptr;
  const Status status =
      SAKEDGE_CALL(*context, cuModuleLoadDataEx, &handle, image.data(), 2, options, values);
  if (!status.ok()) {
    const std::string words = log.data();
    return words.empty() ? status : Status(status.code(), status.message() + "\n" + words);
  }
  return std::shared_ptr<Module>(new Module(std::move(context), handle));
}

Module::Module(std::shared_ptr<Context> context, CUmodule handle)
    : context_(std::move(context)), handle_(handle) {}

Module::~Module() {
  const Current current(*context_);
  context_->driver().cuModuleUnload(handle_);
}

Expected<Kernel> Module::kernel(const char* name, int threads, Index shared) const {
  const Current current(*context_);
  Kernel kernel{nullptr, name, threads, shared};
  const CUresult found = context_->driver().cuModuleGetFunction(&kernel.function, handle_, name);
  if (found == CUDA_ERROR_NOT_FOUND) {
    return Status(Code::kInvalid, std::string("expected a kernel of the image, got ") + name +
                                      ": image and module are of different builds");
  }
  Status status = context_->check(found, "cuModuleGetFunction");
  int most = 0;
  if (status.ok()) {
    status = SAKEDGE_CALL(*context_, cuFuncGetAttribute, &most,
                          CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernel.function);
  }
  if (status.ok() && (threads > most || shared > context_->info().shared)) {
    return Status(Code::kInvalid, std::string(name) + ": expected at most " + std::to_string(most) +
                                      " threads and " + std::to_string(context_->info().shared) +
                                      " bytes of shared memory a block, got " +
                                      std::to_string(threads) + " and " + std::to_string(shared));
  }
  // Without being asked the driver gives a block no more than 48 KB.
  if (status.ok()) {
    status =
        SAKEDGE_CALL(*context_, cuFuncSetAttribute, kernel.function,
                     CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, static_cast<int>(shared));
  }
  if (!status.ok()) {
    return status;
  }
  return kernel;
}

bool Module::has(const char* name) const {
  const Current current(*context_);
  CUfunction function = nullptr;
  return context_->driver().cuModuleGetFunction(&function, handle_, name) == CUDA_SUCCESS;
}

}  // namespace sakedge::cuda
