// The driver API: streams, events, launches.
#include <chrono>

#include "exported.h"
#include "machine.h"

using namespace sakedge::emulated;

namespace {

double now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

EXPORTED CUresult cuStreamCreate(CUstream* stream, unsigned) {
  return in_context("cuStreamCreate", [&](Context& context) {
    *stream = machine().streams.add(std::make_unique<CUstream_st>());
    (*stream)->context = &context;
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuStreamDestroy_v2(CUstream stream) {
  return in_context("cuStreamDestroy", [&](Context&) {
    if (machine().streams.has(stream) && !stream->work.empty()) {
      finding("a stream is destroyed before its work is done");
    }
    return remove(machine().streams, stream, "a stream");
  });
}

EXPORTED CUresult cuStreamSynchronize(CUstream stream) {
  return in_context("cuStreamSynchronize", [&](Context&) {
    return machine().streams.has(stream) ? work(stream, [] { return false; }) : gone("a stream");
  });
}

EXPORTED CUresult cuEventCreate(CUevent* event, unsigned) {
  return in_context("cuEventCreate", [&](Context& context) {
    *event = machine().events.add(std::make_unique<CUevent_st>());
    (*event)->context = &context;
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuEventDestroy_v2(CUevent event) {
  return in_context("cuEventDestroy",
                    [&](Context&) { return remove(machine().events, event, "an event"); });
}

EXPORTED CUresult cuEventRecord(CUevent event, CUstream stream) {
  return in_context("cuEventRecord", [&](Context&) {
    if (!machine().events.has(event)) {
      return gone("an event");
    }
    ++event->recorded;
    return enqueue(stream, [event, record = event->recorded] {
      if (machine().events.has(event)) {
        event->done = record;
        event->at = now();
      }
      return CUDA_SUCCESS;
    });
  });
}

EXPORTED CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return in_context("cuEventElapsedTime", [&](Context&) {
    if (!machine().events.has(start) || !machine().events.has(end)) {
      return gone("an event");
    }
    if (start->recorded == 0 || end->recorded == 0) {
      return misuse("the time of an event that was not recorded", CUDA_ERROR_INVALID_HANDLE);
    }
    if (start->done != start->recorded || end->done != end->recorded) {
      return CUDA_ERROR_NOT_READY;
    }
    *milliseconds = static_cast<float>(end->at - start->at);
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                                 unsigned grid_z, unsigned block_x, unsigned block_y,
                                 unsigned block_z, unsigned shared, CUstream stream,
                                 void** parameters, void** extra) {
  return in_context("cuLaunchKernel", [&](Context& context) {
    Launch launch;
    const CUresult result = prepare({function, grid_x, grid_y, grid_z, block_x, block_y, block_z,
                                     shared, parameters, extra, nullptr, nullptr},
                                    launch);
    if (result != CUDA_SUCCESS) {
      return result;
    }
    return enqueue(stream,
                   [&context, launch = std::move(launch)] { return execute(context, launch); });
  });
}
