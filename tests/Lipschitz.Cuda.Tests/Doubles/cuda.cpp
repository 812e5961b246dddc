// A libcuda.so.1 whose device is this machine: device memory is host memory, and the kernels are kernels.cu compiled for it (kernels.cpp). It
// keeps the rules of the driver API as cuda.h (12.6, 13.0) documents them, and complains where they are broken.
#include "device.h"

namespace doubles {

#define EXPORT extern "C" __attribute__((visibility("default")))

// Begins each call: one at a time, noted, unless a test wants it to fail.
#define ENTER(name)                                            \
    std::lock_guard<std::recursive_mutex> lock(driver.mutex); \
    if (int injected = driver.ledger.enter(name)) {            \
        return static_cast<CUresult>(injected);                \
    }

#define ENTER_INITIALISED(name)              \
    ENTER(name)                              \
    if (!driver.isInitialised) {             \
        return CUDA_ERROR_NOT_INITIALIZED;   \
    }

// A call that needs a current context.
#define ENTER_CONTEXT(name)                          \
    ENTER_INITIALISED(name)                          \
    if (CUresult error = currentContext(name)) {     \
        return error;                                \
    }

// A call that stream capture forbids.
#define ENTER_UNSAFE(name)                             \
    ENTER_CONTEXT(name)                                \
    if (driver.spoilsCapture()) {                      \
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;  \
    }

#define REQUIRE(condition, error)     \
    do {                              \
        if (!(condition)) {           \
            return error;             \
        }                             \
    } while (0)

namespace {

CUresult currentContext(const char* call) {
    Context* context = thread.context;
    if (context == nullptr) {
        driver.ledger.complain(std::string(call) + ": no context is current");
        return CUDA_ERROR_INVALID_CONTEXT;
    }

    return driver.isLive(context) ? context->error : CUDA_ERROR_CONTEXT_IS_DESTROYED;
}

CUresult wrong(const char* call, const std::string& what, CUresult error = CUDA_ERROR_INVALID_VALUE) {
    driver.ledger.complain(std::string(call) + ": " + what);
    return error;
}

// The stream of a handle, checked: null and a complaint where it is none or belongs to another context.
Stream* knownStream(const char* call, void* handle) {
    Stream* stream = driver.streamOf(handle);
    if (stream == nullptr) {
        wrong(call, "the stream does not exist");
    }

    return stream;
}

std::string hex(uint64_t address) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
    return text;
}

// ---- copies ----

enum class Side { Host, Device };

bool isWithin(const char* call, Side side, uint64_t address, size_t bytes) {
    bool isDevice = driver.isDevice(address, bytes);
    if (side == Side::Device && driver.pieceAt(address, bytes) == nullptr) {
        wrong(call, std::to_string(bytes) + " bytes at " + hex(address) + " are not within one allocation on the device");
        return false;
    }

    if (side == Side::Host && (isDevice || address == 0)) {
        wrong(call, "the host's address " + hex(address) + (isDevice ? " is memory of the device" : ""));
        return false;
    }

    return true;
}

bool isPinned(uint64_t address, size_t bytes) {
    const Piece* piece = driver.pieceAt(address, bytes);
    return piece != nullptr && piece->isPinned;
}

struct Copy {
    Side from, to;
    uint64_t source, target;
    size_t sourcePitch, targetPitch, width, height;

    size_t sourceBytes() const { return height == 0 ? 0 : ((height - 1) * sourcePitch) + width; }

    size_t targetBytes() const { return height == 0 ? 0 : ((height - 1) * targetPitch) + width; }

    void perform(const unsigned char* source) const {
        for (size_t row = 0; row < height; row++) {
            std::memmove(reinterpret_cast<unsigned char*>(target) + (row * targetPitch), source + (row * sourcePitch), width);
        }
    }
};

CUresult copy(const char* call, const Copy& c, Stream* stream, bool isAsync) {
    if (c.width == 0 || c.height == 0) {
        return CUDA_SUCCESS;
    }

    REQUIRE(isWithin(call, c.from, c.source, c.sourceBytes()) && isWithin(call, c.to, c.target, c.targetBytes()), CUDA_ERROR_INVALID_VALUE);
    bool isPageable = (c.from == Side::Host && !isPinned(c.source, c.sourceBytes())) || (c.to == Side::Host && !isPinned(c.target, c.targetBytes()));
    if (stream->capture != nullptr && (isPageable || !isAsync)) {
        stream->capture->isInvalid = true;
        return wrong(call, "a captured copy must be asynchronous and its host memory pinned", CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    }

    bool isFromPinned = isPinned(c.source, c.sourceBytes()), isToPinned = isPinned(c.target, c.targetBytes());
    Work work{call, [call, c, isFromPinned, isToPinned] {
        bool isLive = isWithin(call, c.from, c.source, c.sourceBytes()) && isWithin(call, c.to, c.target, c.targetBytes());
        if ((isFromPinned && !isPinned(c.source, c.sourceBytes())) || (isToPinned && !isPinned(c.target, c.targetBytes()))) {
            isLive = false;
            wrong(call, "pinned memory was freed before the copy was done");
        }

        REQUIRE(isLive, CUDA_ERROR_ILLEGAL_ADDRESS);
        c.perform(reinterpret_cast<const unsigned char*>(c.source));
        return CUDA_SUCCESS;
    }};
    if (isPageable && c.from == Side::Host) {  // taken before the call returns
        auto from = reinterpret_cast<const unsigned char*>(c.source);
        std::vector<unsigned char> bytes(from, from + c.sourceBytes());
        work.run = [c, bytes] {
            c.perform(bytes.data());
            return CUDA_SUCCESS;
        };
    }

    if (CUresult error = driver.submit(stream, work)) {
        return error;
    }

    if (!isAsync || (isPageable && c.to == Side::Host)) {
        driver.drain(stream);
    }

    return stream->context->error;
}

CUresult copyNow(const char* call, Side from, uint64_t source, Side to, uint64_t target, size_t bytes) {
    return copy(call, {from, to, source, target, bytes, bytes, bytes, 1}, thread.context->legacy, false);
}

CUresult copyInStream(const char* call, Side from, uint64_t source, Side to, uint64_t target, size_t bytes, void* handle) {
    Stream* stream = knownStream(call, handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    return copy(call, {from, to, source, target, bytes, bytes, bytes, 1}, stream, true);
}

bool sideOf(CUmemorytype type, const void* host, CUdeviceptr device, Side& side, uint64_t& address) {
    side = type == CU_MEMORYTYPE_HOST ? Side::Host : Side::Device;
    address = type == CU_MEMORYTYPE_HOST ? reinterpret_cast<uint64_t>(host) : device;
    if (type == CU_MEMORYTYPE_UNIFIED) {
        side = driver.isDevice(device, 1) ? Side::Device : Side::Host;
    }

    return type == CU_MEMORYTYPE_HOST || type == CU_MEMORYTYPE_DEVICE || type == CU_MEMORYTYPE_UNIFIED;
}

CUresult copy2D(const char* call, const CUDA_MEMCPY2D* p, Stream* stream, bool isAsync) {
    REQUIRE(p != nullptr, CUDA_ERROR_INVALID_VALUE);
    Copy c{};
    if (!sideOf(p->srcMemoryType, p->srcHost, p->srcDevice, c.from, c.source) ||
        !sideOf(p->dstMemoryType, p->dstHost, p->dstDevice, c.to, c.target)) {
        return wrong(call, "a kind of memory that the fake does not have");
    }

    bool fits = (p->srcPitch == 0 || p->srcPitch >= p->WidthInBytes + p->srcXInBytes) &&
        (p->dstPitch == 0 || p->dstPitch >= p->WidthInBytes + p->dstXInBytes);
    if (!fits) {
        return wrong(call, "a pitch is less than the width");
    }

    c.sourcePitch = p->srcPitch != 0 ? p->srcPitch : p->WidthInBytes + p->srcXInBytes;
    c.targetPitch = p->dstPitch != 0 ? p->dstPitch : p->WidthInBytes + p->dstXInBytes;
    c.source += (p->srcY * c.sourcePitch) + p->srcXInBytes;
    c.target += (p->dstY * c.targetPitch) + p->dstXInBytes;
    c.width = p->WidthInBytes;
    c.height = p->Height;
    return copy(call, c, stream, isAsync);
}

template <class T>
CUresult fill(const char* call, CUdeviceptr target, size_t pitch, T value, size_t width, size_t height, Stream* stream, bool isAsync) {
    size_t bytes = height == 0 || width == 0 ? 0 : ((height - 1) * pitch) + (width * sizeof(T));
    if (bytes == 0) {
        return CUDA_SUCCESS;
    }

    REQUIRE(target % sizeof(T) == 0 && isWithin(call, Side::Device, target, bytes), CUDA_ERROR_INVALID_VALUE);
    CUresult error = driver.submit(stream, {call, [=] {
        REQUIRE(isWithin(call, Side::Device, target, bytes), CUDA_ERROR_ILLEGAL_ADDRESS);
        for (size_t row = 0; row < height; row++) {
            auto values = reinterpret_cast<T*>(target + (row * pitch));
            std::fill(values, values + width, value);
        }

        return CUDA_SUCCESS;
    }});
    if (error == CUDA_SUCCESS && !isAsync) {
        driver.drain(stream);
    }

    return error;
}

// ---- launches ----

// The values of a launch's parameters, copied.
struct Values {
    std::vector<std::vector<uint64_t>> words;
    std::vector<void*> addresses;

    Values(const Kernel& kernel, void* const* parameters) {
        for (size_t i = 0; i < kernel.parameters.size(); i++) {
            words.emplace_back((kernel.parameters[i].bytes + 7) / 8);
            std::memcpy(words[i].data(), parameters[i], kernel.parameters[i].bytes);
            addresses.push_back(words[i].data());
        }
    }

    Values(const Values&) = delete;
};

// View in prelude.cuh.
struct Matrix {
    uint64_t data;
    int rows, columns, stride;
};

// Matrices and addresses must lie in live memory; a null address stands for something absent.
bool areLive(const Kernel& kernel, const Values& values) {
    for (size_t i = 0; i < kernel.parameters.size(); i++) {
        uint64_t address;
        std::memcpy(&address, values.addresses[i], std::min<size_t>(8, kernel.parameters[i].bytes));
        size_t bytes = 1;
        std::string what = "address";
        if (kernel.parameters[i].kind == ParameterKind::Number) {
            continue;
        }

        if (kernel.parameters[i].kind == ParameterKind::Matrix) {
            Matrix view;
            std::memcpy(&view, values.addresses[i], sizeof view);
            what = "[" + std::to_string(view.rows) + ", " + std::to_string(view.columns) + "] of stride " + std::to_string(view.stride);
            bytes = view.rows <= 0 || view.columns <= 0 ? 0 : ((static_cast<size_t>(view.rows - 1) * view.stride) + view.columns) * sizeof(float);
            if (view.rows < 0 || view.columns < 0 || (view.rows > 1 && view.stride < view.columns)) {
                driver.ledger.complain(kernel.name + ": parameter " + std::to_string(i) + " " + what + " makes no sense");
                return false;
            }
        }

        if (address != 0 && bytes > 0 && driver.pieceAt(address, bytes) == nullptr) {
            driver.ledger.complain(
                kernel.name + ": parameter " + std::to_string(i) + " " + what + " at " + hex(address) + " is not within one allocation");
            return false;
        }
    }

    return true;
}

int blocksPerMultiprocessor(const Function& function, long threads, size_t dynamicBytes) {
    long shared = function.entry.sharedBytes + static_cast<long>(dynamicBytes);
    return static_cast<int>(threads <= 0 || threads > 1024 ? 0 : std::min({2L, 2048 / threads, 100 * 1024 / std::max(shared, 1L)}));
}

CUresult launch(
    const char* call, void* handle, Index grid, Index block, unsigned sharedBytes, void* streamHandle, void** parameters, void** extra,
    bool isCooperative) {
    auto function = static_cast<Function*>(handle);
    REQUIRE(driver.isLive(function), wrong(call, "the function does not exist", CUDA_ERROR_INVALID_HANDLE));
    const Kernel& kernel = *function->kernel;
    Stream* stream = knownStream(call, streamHandle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(
        stream->context == function->module->context,
        wrong(call, kernel.name + " and the stream have different contexts", CUDA_ERROR_INVALID_CONTEXT));
    bool isGrid = grid.x > 0 && grid.x <= 0x7fffffffu && grid.y > 0 && grid.y <= 65535 && grid.z > 0 && grid.z <= 65535;
    bool isBlock = block.x > 0 && block.x <= 1024 && block.y == 1 && block.z == 1;  // ours are one-dimensional
    if (!isGrid || !isBlock) {
        return wrong(call, kernel.name + ": a grid of " + std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " + std::to_string(grid.z) +
            " blocks of " + std::to_string(block.x) + " x " + std::to_string(block.y) + " x " + std::to_string(block.z) + " threads");
    }

    if (sharedBytes != 0 || extra != nullptr || (parameters == nullptr && !kernel.parameters.empty())) {
        return wrong(call, kernel.name + ": dynamic shared memory, packed parameters or none at all are not what the plug-in does");
    }

    long blocks = static_cast<long>(grid.x) * grid.y * grid.z;
    if (isCooperative && blocks > blocksPerMultiprocessor(*function, block.x, 0) * driver.ledger.options["multiprocessors"]) {
        return wrong(
            call, kernel.name + ": " + std::to_string(blocks) + " blocks cannot be resident at once", CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
    }

    auto values = std::make_shared<Values>(kernel, parameters);
    driver.ledger.launches[kernel.name]++;
    return driver.submit(stream, {kernel.name, [&kernel, values, grid, block, isCooperative] {
        REQUIRE(areLive(kernel, *values), CUDA_ERROR_ILLEGAL_ADDRESS);
        std::string complaint = run(kernel, values->addresses.data(), grid, block.x, isCooperative);
        REQUIRE(complaint.empty(), wrong("launch", kernel.name + ": " + complaint, CUDA_ERROR_LAUNCH_FAILED));
        return CUDA_SUCCESS;
    }});
}

void destroyContext(Context* context) {
    driver.drain(context);
    auto left = driver.leaks();
    for (auto at = driver.memory.begin(); at != driver.memory.end();) {
        uintptr_t address = at->first;
        bool isMine = at->second.context == context;
        ++at;
        if (isMine) {
            driver.ledger.complain("the context is released while memory of " + std::to_string(driver.memory[address].bytes) + " bytes is not");
            driver.release(address);
        }
    }

    driver.streams.erase(context->legacy);
    delete context->legacy;
    driver.remove("context", context);
}

}  // namespace

// ---- start and devices ----

EXPORT CUresult cuInit(unsigned flags) {
    ENTER("cuInit")
    REQUIRE(flags == 0, CUDA_ERROR_INVALID_VALUE);
    REQUIRE(driver.ledger.options["devices"] > 0, CUDA_ERROR_NO_DEVICE);
    driver.isInitialised = true;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDriverGetVersion(int* version) {
    ENTER("cuDriverGetVersion")
    *version = static_cast<int>(driver.ledger.options["driver"]);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetCount(int* count) {
    ENTER_INITIALISED("cuDeviceGetCount")
    *count = static_cast<int>(driver.ledger.options["devices"]);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    ENTER_INITIALISED("cuDeviceGet")
    REQUIRE(ordinal >= 0 && ordinal < driver.ledger.options["devices"], CUDA_ERROR_INVALID_DEVICE);
    *device = ordinal;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    ENTER_INITIALISED("cuDeviceGetName")
    REQUIRE(device >= 0 && device < driver.ledger.options["devices"], CUDA_ERROR_INVALID_DEVICE);
    std::snprintf(name, static_cast<size_t>(length), "Test double %d", device);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    ENTER_INITIALISED("cuDeviceTotalMem")
    REQUIRE(device >= 0 && device < driver.ledger.options["devices"], CUDA_ERROR_INVALID_DEVICE);
    *bytes = static_cast<size_t>(driver.ledger.options["memory"]);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
    ENTER_INITIALISED("cuDeviceGetUuid")
    std::memset(uuid, device + 1, sizeof *uuid);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
    ENTER_INITIALISED("cuDeviceGetAttribute")
    REQUIRE(device >= 0 && device < driver.ledger.options["devices"], CUDA_ERROR_INVALID_DEVICE);
    auto option = [](const char* name) { return static_cast<int>(driver.ledger.options[name]); };
    switch (attribute) {
        case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: *value = 1024; break;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: *value = 64; break;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: *value = 0x7fffffff; break;
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
        case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: *value = 65535; break;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: *value = 48 * 1024; break;
        case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY: *value = 64 * 1024; break;
        case CU_DEVICE_ATTRIBUTE_WARP_SIZE: *value = 32; break;
        case CU_DEVICE_ATTRIBUTE_MAX_PITCH: *value = 0x7fffffff; break;
        case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
        case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR: *value = 65536; break;
        case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: *value = 1000000; break;
        case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT: *value = 512; break;
        case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = option("multiprocessors"); break;
        case CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT:
        case CU_DEVICE_ATTRIBUTE_INTEGRATED:
        case CU_DEVICE_ATTRIBUTE_COMPUTE_MODE: *value = 0; break;
        case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY:
        case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
        case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
        case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED:
        case CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY: *value = 1; break;
        case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: *value = 1000000; break;
        case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH: *value = 256; break;
        case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE: *value = 1 << 22; break;
        case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: *value = 2048; break;
        case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT: *value = 2; break;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = option("major"); break;
        case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = option("minor"); break;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: *value = 100 * 1024; break;
        case CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH: *value = option("cooperative"); break;
        case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *value = 99 * 1024; break;
        case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR: *value = 2; break;
        case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED: *value = option("pools"); break;
        default: return wrong("cuDeviceGetAttribute", "attribute " + std::to_string(attribute) + " is not known to the fake");
    }

    return CUDA_SUCCESS;
}

// ---- contexts ----

EXPORT CUresult cuDevicePrimaryCtxRetain(Context** context, CUdevice device) {
    ENTER_INITIALISED("cuDevicePrimaryCtxRetain")
    REQUIRE(device >= 0 && device < driver.ledger.options["devices"], CUDA_ERROR_INVALID_DEVICE);
    auto& [primary, retained] = driver.primary[device];
    if (retained++ == 0) {
        primary = driver.add("context", new Context{device, CUDA_SUCCESS, nullptr});
        primary->legacy = new Stream{primary, 0, {}, nullptr};
        driver.streams.insert(primary->legacy);
    }

    *context = primary;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    ENTER_INITIALISED("cuDevicePrimaryCtxRelease")
    REQUIRE(device >= 0 && device < driver.ledger.options["devices"], CUDA_ERROR_INVALID_DEVICE);
    auto& [primary, retained] = driver.primary[device];
    REQUIRE(retained > 0, wrong("cuDevicePrimaryCtxRelease", "the context is not retained", CUDA_ERROR_INVALID_CONTEXT));
    if (--retained == 0) {
        destroyContext(primary);
        primary = nullptr;
    }

    return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
    ENTER_INITIALISED("cuDevicePrimaryCtxSetFlags")
    REQUIRE(device >= 0 && device < driver.ledger.options["devices"], CUDA_ERROR_INVALID_DEVICE);
    REQUIRE((flags & ~0xffu) == 0, CUDA_ERROR_INVALID_VALUE);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    ENTER_INITIALISED("cuDevicePrimaryCtxGetState")
    *flags = 0;
    *active = driver.primary[device].second > 0;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSetCurrent(Context* context) {
    ENTER_INITIALISED("cuCtxSetCurrent")
    REQUIRE(context == nullptr || driver.isLive(context), wrong("cuCtxSetCurrent", "the context does not exist", CUDA_ERROR_INVALID_CONTEXT));
    thread.context = context;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetCurrent(Context** context) {
    ENTER_INITIALISED("cuCtxGetCurrent")
    *context = thread.context;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxPushCurrent_v2(Context* context) {
    ENTER_INITIALISED("cuCtxPushCurrent")
    REQUIRE(driver.isLive(context), wrong("cuCtxPushCurrent", "the context does not exist", CUDA_ERROR_INVALID_CONTEXT));
    driver.below[std::this_thread::get_id()].push_back(thread.context);
    thread.context = context;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxPopCurrent_v2(Context** context) {
    ENTER_INITIALISED("cuCtxPopCurrent")
    auto& below = driver.below[std::this_thread::get_id()];
    REQUIRE(thread.context != nullptr, CUDA_ERROR_INVALID_CONTEXT);
    if (context != nullptr) {
        *context = thread.context;
    }

    thread.context = below.empty() ? nullptr : below.back();
    if (!below.empty()) {
        below.pop_back();
    }

    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
    ENTER_CONTEXT("cuCtxGetDevice")
    *device = thread.context->device;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSynchronize() {
    ENTER_UNSAFE("cuCtxSynchronize")
    driver.drain(thread.context);
    return thread.context->error;
}

// ---- memory ----

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    ENTER_UNSAFE("cuMemAlloc")
    REQUIRE(bytes > 0, wrong("cuMemAlloc", "0 bytes"));
    REQUIRE(driver.deviceBytes + bytes <= static_cast<size_t>(driver.ledger.options["memory"]), CUDA_ERROR_OUT_OF_MEMORY);
    *address = driver.allocate(bytes, false, false, thread.context);
    return *address != 0 ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
    ENTER_UNSAFE("cuMemFree")
    auto piece = driver.memory.find(address);
    REQUIRE(piece != driver.memory.end() && !piece->second.isPinned, wrong("cuMemFree", hex(address) + " is not the start of an allocation"));
    driver.drain(piece->second.context);
    driver.release(address);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, void* handle) {
    ENTER_CONTEXT("cuMemAllocAsync")
    Stream* stream = knownStream("cuMemAllocAsync", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(driver.ledger.options["pools"] != 0, CUDA_ERROR_NOT_SUPPORTED);
    REQUIRE(stream->capture == nullptr, wrong("cuMemAllocAsync", "the fake has no allocations in graphs", CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED));
    REQUIRE(bytes > 0, wrong("cuMemAllocAsync", "0 bytes"));
    REQUIRE(driver.deviceBytes + bytes <= static_cast<size_t>(driver.ledger.options["memory"]), CUDA_ERROR_OUT_OF_MEMORY);
    *address = driver.allocate(bytes, false, true, stream->context);
    return *address != 0 ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, void* handle) {
    ENTER_CONTEXT("cuMemFreeAsync")
    Stream* stream = knownStream("cuMemFreeAsync", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(stream->capture == nullptr, wrong("cuMemFreeAsync", "the fake has no releases in graphs", CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED));
    auto piece = driver.memory.find(address);
    REQUIRE(piece != driver.memory.end() && !piece->second.isPinned, wrong("cuMemFreeAsync", hex(address) + " is not the start of an allocation"));
    return driver.submit(stream, {"cuMemFreeAsync", [address] {
        REQUIRE(driver.memory.count(address) != 0, wrong("cuMemFreeAsync", hex(address) + " is already free"));
        driver.release(address);
        return CUDA_SUCCESS;
    }});
}

EXPORT CUresult cuDeviceGetDefaultMemPool(void** pool, CUdevice device) {
    ENTER_INITIALISED("cuDeviceGetDefaultMemPool")
    REQUIRE(driver.ledger.options["pools"] != 0, CUDA_ERROR_NOT_SUPPORTED);
    *pool = reinterpret_cast<void*>(static_cast<uintptr_t>(0x9001) + static_cast<unsigned>(device));
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemPoolSetAttribute(void* pool, int attribute, void* value) {
    ENTER_INITIALISED("cuMemPoolSetAttribute")
    REQUIRE(pool != nullptr && attribute >= 1 && attribute <= 8 && value != nullptr, CUDA_ERROR_INVALID_VALUE);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemPoolTrimTo(void* pool, size_t) {
    ENTER_INITIALISED("cuMemPoolTrimTo")
    REQUIRE(pool != nullptr, CUDA_ERROR_INVALID_VALUE);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
    ENTER_CONTEXT("cuMemGetInfo")
    *total = static_cast<size_t>(driver.ledger.options["memory"]);
    *free = *total - std::min(*total, driver.deviceBytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
    ENTER_UNSAFE("cuMemHostAlloc")
    REQUIRE(bytes > 0 && flags <= 7, wrong("cuMemHostAlloc", "0 bytes or unknown flags"));
    *address = reinterpret_cast<void*>(driver.allocate(bytes, true, false, thread.context));
    return *address != nullptr ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

EXPORT CUresult cuMemAllocHost_v2(void** address, size_t bytes) {
    ENTER_UNSAFE("cuMemAllocHost")
    REQUIRE(bytes > 0, wrong("cuMemAllocHost", "0 bytes"));
    *address = reinterpret_cast<void*>(driver.allocate(bytes, true, false, thread.context));
    return *address != nullptr ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

EXPORT CUresult cuMemFreeHost(void* address) {
    ENTER_UNSAFE("cuMemFreeHost")
    auto piece = driver.memory.find(reinterpret_cast<uintptr_t>(address));
    REQUIRE(
        piece != driver.memory.end() && piece->second.isPinned,
        wrong("cuMemFreeHost", hex(reinterpret_cast<uint64_t>(address)) + " is not the start of pinned memory"));
    driver.release(reinterpret_cast<uintptr_t>(address));
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr target, const void* source, size_t bytes) {
    ENTER_UNSAFE("cuMemcpyHtoD")
    return copyNow("cuMemcpyHtoD", Side::Host, reinterpret_cast<uint64_t>(source), Side::Device, target, bytes);
}

EXPORT CUresult cuMemcpyDtoH_v2(void* target, CUdeviceptr source, size_t bytes) {
    ENTER_UNSAFE("cuMemcpyDtoH")
    return copyNow("cuMemcpyDtoH", Side::Device, source, Side::Host, reinterpret_cast<uint64_t>(target), bytes);
}

EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
    ENTER_UNSAFE("cuMemcpyDtoD")
    return copyNow("cuMemcpyDtoD", Side::Device, source, Side::Device, target, bytes);
}

EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr target, const void* source, size_t bytes, void* stream) {
    ENTER_CONTEXT("cuMemcpyHtoDAsync")
    return copyInStream("cuMemcpyHtoDAsync", Side::Host, reinterpret_cast<uint64_t>(source), Side::Device, target, bytes, stream);
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void* target, CUdeviceptr source, size_t bytes, void* stream) {
    ENTER_CONTEXT("cuMemcpyDtoHAsync")
    return copyInStream("cuMemcpyDtoHAsync", Side::Device, source, Side::Host, reinterpret_cast<uint64_t>(target), bytes, stream);
}

EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr target, CUdeviceptr source, size_t bytes, void* stream) {
    ENTER_CONTEXT("cuMemcpyDtoDAsync")
    return copyInStream("cuMemcpyDtoDAsync", Side::Device, source, Side::Device, target, bytes, stream);
}

EXPORT CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* p) {
    ENTER_UNSAFE("cuMemcpy2D")
    return copy2D("cuMemcpy2D", p, thread.context->legacy, false);
}

EXPORT CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D* p) {
    ENTER_UNSAFE("cuMemcpy2DUnaligned")
    return copy2D("cuMemcpy2DUnaligned", p, thread.context->legacy, false);
}

EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* p, void* handle) {
    ENTER_CONTEXT("cuMemcpy2DAsync")
    Stream* stream = knownStream("cuMemcpy2DAsync", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    return copy2D("cuMemcpy2DAsync", p, stream, true);
}

EXPORT CUresult cuMemsetD8_v2(CUdeviceptr target, unsigned char value, size_t count) {
    ENTER_UNSAFE("cuMemsetD8")
    return fill("cuMemsetD8", target, count, value, count, 1, thread.context->legacy, false);
}

EXPORT CUresult cuMemsetD32_v2(CUdeviceptr target, unsigned value, size_t count) {
    ENTER_UNSAFE("cuMemsetD32")
    return fill("cuMemsetD32", target, count * 4, value, count, 1, thread.context->legacy, false);
}

EXPORT CUresult cuMemsetD8Async(CUdeviceptr target, unsigned char value, size_t count, void* handle) {
    ENTER_CONTEXT("cuMemsetD8Async")
    Stream* stream = knownStream("cuMemsetD8Async", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    return fill("cuMemsetD8Async", target, count, value, count, 1, stream, true);
}

EXPORT CUresult cuMemsetD32Async(CUdeviceptr target, unsigned value, size_t count, void* handle) {
    ENTER_CONTEXT("cuMemsetD32Async")
    Stream* stream = knownStream("cuMemsetD32Async", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    return fill("cuMemsetD32Async", target, count * 4, value, count, 1, stream, true);
}

EXPORT CUresult cuMemsetD2D32Async(CUdeviceptr target, size_t pitch, unsigned value, size_t width, size_t height, void* handle) {
    ENTER_CONTEXT("cuMemsetD2D32Async")
    Stream* stream = knownStream("cuMemsetD2D32Async", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    return fill("cuMemsetD2D32Async", target, pitch, value, width, height, stream, true);
}

// ---- streams and events ----

EXPORT CUresult cuStreamCreateWithPriority(Stream** stream, unsigned flags, int) {
    ENTER_CONTEXT("cuStreamCreateWithPriority")
    REQUIRE(flags <= CU_STREAM_NON_BLOCKING, CUDA_ERROR_INVALID_VALUE);
    *stream = driver.add("stream", new Stream{thread.context, flags, {}, nullptr});
    driver.streams.insert(*stream);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamCreate(Stream** stream, unsigned flags) {
    ENTER_CONTEXT("cuStreamCreate")
    REQUIRE(flags <= CU_STREAM_NON_BLOCKING, CUDA_ERROR_INVALID_VALUE);
    *stream = driver.add("stream", new Stream{thread.context, flags, {}, nullptr});
    driver.streams.insert(*stream);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamDestroy_v2(Stream* stream) {
    ENTER_INITIALISED("cuStreamDestroy")
    REQUIRE(
        driver.isLive(stream) && driver.streams.count(stream) != 0, wrong("cuStreamDestroy", "the stream does not exist", CUDA_ERROR_INVALID_HANDLE));
    driver.drain(stream);
    driver.streams.erase(stream);
    driver.remove("stream", stream);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamSynchronize(void* handle) {
    ENTER_CONTEXT("cuStreamSynchronize")
    Stream* stream = knownStream("cuStreamSynchronize", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    if (stream->capture != nullptr) {
        stream->capture->isInvalid = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }

    if (CUresult error = driver.joinLegacy(stream)) {
        return error;
    }

    driver.drain(stream);
    return stream->context->error;
}

EXPORT CUresult cuStreamQuery(void* handle) {
    ENTER_CONTEXT("cuStreamQuery")
    Stream* stream = knownStream("cuStreamQuery", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    if (stream->capture != nullptr) {
        stream->capture->isInvalid = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }

    bool isBusy = !stream->waiting.empty();
    driver.drain(stream);  // by the next query it is done
    return isBusy ? CUDA_ERROR_NOT_READY : stream->context->error;
}

EXPORT CUresult cuEventCreate(Event** event, unsigned flags) {
    ENTER_CONTEXT("cuEventCreate")
    REQUIRE(flags <= 7, CUDA_ERROR_INVALID_VALUE);
    *event = driver.add("event", new Event{thread.context, flags, nullptr, 0, false, false, {}});
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventDestroy_v2(Event* event) {
    ENTER_INITIALISED("cuEventDestroy")
    REQUIRE(driver.isLive(event), wrong("cuEventDestroy", "the event does not exist", CUDA_ERROR_INVALID_HANDLE));
    if (event->stream != nullptr && driver.isLive(event->stream)) {
        driver.drain(event->stream);
    }

    driver.remove("event", event);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventRecord(Event* event, void* handle) {
    ENTER_CONTEXT("cuEventRecord")
    Stream* stream = knownStream("cuEventRecord", handle);
    REQUIRE(stream != nullptr && driver.isLive(event), wrong("cuEventRecord", "the event or stream does not exist", CUDA_ERROR_INVALID_HANDLE));
    REQUIRE(event->context == stream->context, CUDA_ERROR_INVALID_HANDLE);
    event->stream = stream;
    event->isCaptured = stream->capture != nullptr;
    event->isRecorded = true;
    event->pending += event->isCaptured ? 0 : 1;
    bool isCaptured = event->isCaptured;
    return driver.submit(stream, {"cuEventRecord", [event, isCaptured] {
        event->pending -= isCaptured ? 0 : 1;
        event->time = std::chrono::steady_clock::now();
        return CUDA_SUCCESS;
    }});
}

EXPORT CUresult cuEventQuery(Event* event) {
    ENTER_CONTEXT("cuEventQuery")
    REQUIRE(driver.isLive(event), wrong("cuEventQuery", "the event does not exist", CUDA_ERROR_INVALID_HANDLE));
    REQUIRE(!event->isCaptured, CUDA_ERROR_CAPTURED_EVENT);
    bool isBusy = event->pending > 0;
    if (isBusy) {
        driver.drain(event->stream);  // by the next query it is done
    }

    return isBusy ? CUDA_ERROR_NOT_READY : event->context->error;
}

EXPORT CUresult cuEventSynchronize(Event* event) {
    ENTER_CONTEXT("cuEventSynchronize")
    REQUIRE(driver.isLive(event), wrong("cuEventSynchronize", "the event does not exist", CUDA_ERROR_INVALID_HANDLE));
    REQUIRE(!event->isCaptured, CUDA_ERROR_CAPTURED_EVENT);
    if (event->pending > 0) {
        driver.drain(event->stream);
    }

    return event->context->error;
}

EXPORT CUresult cuStreamWaitEvent(void* handle, Event* event, unsigned) {
    ENTER_CONTEXT("cuStreamWaitEvent")
    Stream* stream = knownStream("cuStreamWaitEvent", handle);
    REQUIRE(stream != nullptr && driver.isLive(event), wrong("cuStreamWaitEvent", "the event or stream does not exist", CUDA_ERROR_INVALID_HANDLE));
    if (event->pending > 0 && event->stream != stream) {
        driver.drain(event->stream);
    }

    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
    ENTER_CONTEXT("cuEventElapsedTime")
    REQUIRE(driver.isLive(start) && driver.isLive(end) && start->isRecorded && end->isRecorded, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING) == 0, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(start->pending == 0 && end->pending == 0, CUDA_ERROR_NOT_READY);
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
    return CUDA_SUCCESS;
}

// ---- modules and launches ----

namespace {

CUresult loadModule(const char* call, Module** module, const void* image) {
    REQUIRE(image != nullptr, CUDA_ERROR_INVALID_VALUE);
    std::string ptx(static_cast<const char*>(image));
    bool isPtx = ptx.find(".version") != std::string::npos && ptx.find(".address_size 64") != std::string::npos;
    REQUIRE(isPtx, wrong(call, "the image is not PTX text for 64 bits", CUDA_ERROR_INVALID_IMAGE));
    REQUIRE(ptx.find(".extern .func") == std::string::npos, wrong(call, "the PTX calls functions that are not in it", CUDA_ERROR_INVALID_PTX));
    static std::string lastPtx;
    static std::vector<Entry> lastEntries;
    if (ptx != lastPtx) {
        lastEntries = entriesOf(ptx);
        lastPtx = ptx;
    }

    auto made = std::make_unique<Module>();
    made->context = thread.context;
    for (const Entry& entry : lastEntries) {
        auto found = kernels().find(entry.name);
        REQUIRE(found != kernels().end(), wrong(call, "the PTX has " + entry.name + ", kernels.cu has not", CUDA_ERROR_INVALID_PTX));
        std::vector<int> bytes;
        for (const Parameter& parameter : found->second.parameters) {
            bytes.push_back(parameter.bytes);
        }

        REQUIRE(bytes == entry.parameters, wrong(call, "the PTX has other parameters of " + entry.name + " than kernels.cu", CUDA_ERROR_INVALID_PTX));
        REQUIRE(entry.sharedBytes <= 48 * 1024, wrong(call, entry.name + " takes more than 48 KiB of shared memory", CUDA_ERROR_INVALID_PTX));
        auto function = std::make_unique<Function>(Function{made.get(), &found->second, entry});
        driver.live.insert(function.get());
        made->functions[entry.name] = std::move(function);
    }

    *module = driver.add("module", made.release());
    return CUDA_SUCCESS;
}

}  // namespace

EXPORT CUresult cuModuleLoadData(Module** module, const void* image) {
    ENTER_UNSAFE("cuModuleLoadData")
    return loadModule("cuModuleLoadData", module, image);
}

EXPORT CUresult cuModuleLoadDataEx(Module** module, const void* image, unsigned count, int* options, void** values) {
    ENTER_CONTEXT("cuModuleLoadDataEx")
    for (unsigned i = 0; i < count; i++) {
        if (options[i] == CU_JIT_ERROR_LOG_BUFFER || options[i] == CU_JIT_INFO_LOG_BUFFER) {
            static_cast<char*>(values[i])[0] = 0;
        }
    }

    REQUIRE(!driver.spoilsCapture(), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    return loadModule("cuModuleLoadDataEx", module, image);
}

EXPORT CUresult cuModuleUnload(Module* module) {
    ENTER_UNSAFE("cuModuleUnload")
    REQUIRE(driver.isLive(module), wrong("cuModuleUnload", "the module does not exist", CUDA_ERROR_INVALID_HANDLE));
    driver.drain(module->context);
    for (auto& [name, function] : module->functions) {
        driver.live.erase(function.get());
    }

    driver.remove("module", module);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuModuleGetFunction(Function** function, Module* module, const char* name) {
    ENTER_CONTEXT("cuModuleGetFunction")
    REQUIRE(driver.isLive(module), wrong("cuModuleGetFunction", "the module does not exist", CUDA_ERROR_INVALID_HANDLE));
    auto found = module->functions.find(name);
    REQUIRE(found != module->functions.end(), CUDA_ERROR_NOT_FOUND);
    *function = found->second.get();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, Function* function) {
    ENTER_CONTEXT("cuFuncGetAttribute")
    REQUIRE(driver.isLive(function), wrong("cuFuncGetAttribute", "the function does not exist", CUDA_ERROR_INVALID_HANDLE));
    switch (attribute) {
        case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = 1024; break;
        case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = static_cast<int>(function->entry.sharedBytes); break;
        case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
        case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES: *value = 0; break;
        case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = 32; break;
        case CU_FUNC_ATTRIBUTE_PTX_VERSION:
        case CU_FUNC_ATTRIBUTE_BINARY_VERSION: *value = 80; break;
        default: return CUDA_ERROR_INVALID_VALUE;
    }

    return CUDA_SUCCESS;
}

EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function* function, int threads, size_t dynamicBytes) {
    ENTER_CONTEXT("cuOccupancyMaxActiveBlocksPerMultiprocessor")
    REQUIRE(driver.isLive(function), wrong("cuOccupancyMaxActiveBlocksPerMultiprocessor", "the function does not exist", CUDA_ERROR_INVALID_HANDLE));
    REQUIRE(threads > 0, CUDA_ERROR_INVALID_VALUE);
    *blocks = blocksPerMultiprocessor(*function, threads, dynamicBytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuLaunchKernel(
    void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
    void* stream, void** parameters, void** extra) {
    ENTER_CONTEXT("cuLaunchKernel")
    return launch("cuLaunchKernel", function, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, stream, parameters, extra, false);
}

EXPORT CUresult cuLaunchCooperativeKernel(
    void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
    void* stream, void** parameters) {
    ENTER_CONTEXT("cuLaunchCooperativeKernel")
    return launch(
        "cuLaunchCooperativeKernel", function, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, stream, parameters, nullptr, true);
}

// ---- graphs ----

EXPORT CUresult cuStreamBeginCapture_v2(void* handle, CUstreamCaptureMode mode) {
    ENTER_CONTEXT("cuStreamBeginCapture")
    Stream* stream = knownStream("cuStreamBeginCapture", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(stream != stream->context->legacy, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    REQUIRE(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED, CUDA_ERROR_INVALID_VALUE);
    REQUIRE(stream->capture == nullptr, CUDA_ERROR_ILLEGAL_STATE);
    stream->capture = std::make_unique<Capture>(Capture{new Graph, mode, std::this_thread::get_id()});
    return CUDA_SUCCESS;
}

// A capture is over even where this fails on request.
static void dropCapture(void* handle) {
    if (Stream* stream = driver.streamOf(handle); stream != nullptr && stream->capture != nullptr) {
        delete stream->capture->graph;
        stream->capture = nullptr;
    }
}

EXPORT CUresult cuStreamEndCapture(void* handle, Graph** graph) {
    std::lock_guard<std::recursive_mutex> lock(driver.mutex);
    *graph = nullptr;
    if (int injected = driver.ledger.enter("cuStreamEndCapture")) {
        dropCapture(handle);
        return static_cast<CUresult>(injected);
    }

    REQUIRE(driver.isInitialised, CUDA_ERROR_NOT_INITIALIZED);
    if (CUresult error = currentContext("cuStreamEndCapture")) {
        return error;
    }

    Stream* stream = knownStream("cuStreamEndCapture", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(stream->capture != nullptr, CUDA_ERROR_ILLEGAL_STATE);
    bool isOther = stream->capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && stream->capture->owner != std::this_thread::get_id();
    REQUIRE(!isOther, CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
    std::unique_ptr<Capture> capture = std::move(stream->capture);
    if (capture->isInvalid) {
        delete capture->graph;
        return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }

    *graph = driver.add("graph", capture->graph);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamIsCapturing(void* handle, CUstreamCaptureStatus* status) {
    ENTER_CONTEXT("cuStreamIsCapturing")
    Stream* stream = knownStream("cuStreamIsCapturing", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    *status = stream->capture == nullptr ? CU_STREAM_CAPTURE_STATUS_NONE
        : stream->capture->isInvalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
    ENTER_INITIALISED("cuThreadExchangeStreamCaptureMode")
    REQUIRE(*mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && *mode <= CU_STREAM_CAPTURE_MODE_RELAXED, CUDA_ERROR_INVALID_VALUE);
    auto old = static_cast<CUstreamCaptureMode>(thread.captureMode);
    thread.captureMode = *mode;
    *mode = old;
    return CUDA_SUCCESS;
}

namespace {

using Executable = std::shared_ptr<std::vector<Work>>;

CUresult instantiate(const char* call, Executable** executable, Graph* graph, uint64_t flags) {
    REQUIRE(driver.isLive(graph), wrong(call, "the graph does not exist"));
    REQUIRE(flags <= 15, CUDA_ERROR_INVALID_VALUE);
    *executable = driver.add("executable graph", new Executable(std::make_shared<std::vector<Work>>(graph->work)));
    return CUDA_SUCCESS;
}

}  // namespace

EXPORT CUresult cuGraphInstantiateWithFlags(Executable** executable, Graph* graph, unsigned long long flags) {
    ENTER_INITIALISED("cuGraphInstantiateWithFlags")
    return instantiate("cuGraphInstantiateWithFlags", executable, graph, flags);
}

EXPORT CUresult cuGraphInstantiateWithParams(Executable** executable, Graph* graph, CUDA_GRAPH_INSTANTIATE_PARAMS* parameters) {
    ENTER_INITIALISED("cuGraphInstantiateWithParams")
    REQUIRE(parameters != nullptr, CUDA_ERROR_INVALID_VALUE);
    parameters->hErrNode_out = nullptr;
    parameters->result_out = 0;
    return instantiate("cuGraphInstantiateWithParams", executable, graph, parameters->flags);
}

// What the name meant before CUDA 12.
EXPORT CUresult cuGraphInstantiate_v2(Executable** executable, Graph* graph, void** errorNode, char* log, size_t) {
    ENTER_INITIALISED("cuGraphInstantiate")
    if (errorNode != nullptr) {
        *errorNode = nullptr;
    }

    if (log != nullptr) {
        *log = 0;
    }

    return instantiate("cuGraphInstantiate", executable, graph, 0);
}

EXPORT CUresult cuGraphExecUpdate_v2(Executable* executable, Graph* graph, CUgraphExecUpdateResultInfo* information) {
    ENTER_INITIALISED("cuGraphExecUpdate")
    REQUIRE(driver.isLive(executable) && driver.isLive(graph), wrong("cuGraphExecUpdate", "the graph does not exist"));
    std::vector<Work>& old = **executable;
    bool isSame = old.size() == graph->work.size();
    for (size_t i = 0; isSame && i < old.size(); i++) {
        isSame = old[i].what == graph->work[i].what;
    }

    constexpr CUresult UpdateFailure = static_cast<CUresult>(910);
    information->result = isSame ? 0 : 2;
    information->errorNode = nullptr;
    information->errorFromNode = nullptr;
    REQUIRE(isSame, UpdateFailure);
    *executable = std::make_shared<std::vector<Work>>(graph->work);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphUpload(Executable* executable, void* handle) {
    ENTER_CONTEXT("cuGraphUpload")
    REQUIRE(driver.isLive(executable) && knownStream("cuGraphUpload", handle) != nullptr, CUDA_ERROR_INVALID_VALUE);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphLaunch(Executable* executable, void* handle) {
    ENTER_CONTEXT("cuGraphLaunch")
    Stream* stream = knownStream("cuGraphLaunch", handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    REQUIRE(driver.isLive(executable), wrong("cuGraphLaunch", "the executable graph does not exist"));
    Executable all = *executable;
    return driver.submit(stream, {"cuGraphLaunch", [all] {
        for (const Work& work : *all) {
            if (CUresult error = work.run()) {
                return error;
            }
        }

        return CUDA_SUCCESS;
    }});
}

EXPORT CUresult cuGraphGetNodes(Graph* graph, void** nodes, size_t* count) {
    ENTER_INITIALISED("cuGraphGetNodes")
    REQUIRE(driver.isLive(graph) && nodes == nullptr, CUDA_ERROR_INVALID_VALUE);  // only their number
    *count = graph->work.size();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphDestroy(Graph* graph) {
    ENTER_INITIALISED("cuGraphDestroy")
    REQUIRE(driver.isLive(graph), wrong("cuGraphDestroy", "the graph does not exist"));
    driver.remove("graph", graph);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphExecDestroy(Executable* executable) {
    ENTER_INITIALISED("cuGraphExecDestroy")
    REQUIRE(driver.isLive(executable), wrong("cuGraphExecDestroy", "the executable graph does not exist"));
    driver.remove("executable graph", executable);
    return CUDA_SUCCESS;
}

// ---- errors ----

namespace {

struct ErrorText {
    CUresult error;
    const char *name, *text;
};

#define ERROR_TEXT(name, text) {name, #name, text}
const ErrorText ErrorTexts[] = {
    ERROR_TEXT(CUDA_SUCCESS, "no error"),
    ERROR_TEXT(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    ERROR_TEXT(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    ERROR_TEXT(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    ERROR_TEXT(CUDA_ERROR_DEINITIALIZED, "driver shutting down"),
    ERROR_TEXT(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    ERROR_TEXT(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    ERROR_TEXT(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    ERROR_TEXT(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    ERROR_TEXT(CUDA_ERROR_INVALID_PTX, "a PTX JIT compilation failed"),
    ERROR_TEXT(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "the provided PTX was compiled with an unsupported toolchain."),
    ERROR_TEXT(CUDA_ERROR_OPERATING_SYSTEM, "OS call failed or operation not supported on this OS"),
    ERROR_TEXT(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    ERROR_TEXT(CUDA_ERROR_ILLEGAL_STATE, "the operation cannot be performed in the present state"),
    ERROR_TEXT(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    ERROR_TEXT(CUDA_ERROR_NOT_READY, "device not ready"),
    ERROR_TEXT(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    ERROR_TEXT(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    ERROR_TEXT(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    ERROR_TEXT(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    ERROR_TEXT(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "too many blocks in cooperative launch"),
    ERROR_TEXT(CUDA_ERROR_NOT_SUPPORTED, "operation not supported"),
    ERROR_TEXT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"),
    ERROR_TEXT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"),
    ERROR_TEXT(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "operation would result in a stream capture that does not match"),
    ERROR_TEXT(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "dependency on uncaptured work through the default stream"),
    ERROR_TEXT(CUDA_ERROR_CAPTURED_EVENT, "operation not permitted on an event last recorded in a capturing stream"),
    ERROR_TEXT(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "attempt to terminate a thread-local capture sequence from another thread"),
    ERROR_TEXT(CUDA_ERROR_UNKNOWN, "unknown error"),
};

const ErrorText* textOf(CUresult error) {
    for (const ErrorText& one : ErrorTexts) {
        if (one.error == error) {
            return &one;
        }
    }

    return nullptr;
}

}  // namespace

EXPORT CUresult cuGetErrorName(CUresult error, const char** name) {
    const ErrorText* text = textOf(error);
    *name = text != nullptr ? text->name : nullptr;
    return text != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult cuGetErrorString(CUresult error, const char** string) {
    const ErrorText* text = textOf(error);
    *string = text != nullptr ? text->text : nullptr;
    return text != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace doubles

// ---- for tests and the other fakes ----

using doubles::driver;

#define LOCK std::lock_guard<std::recursive_mutex> lock(driver.mutex)

void lipschitz_double_fail(const char* call, int nth, int status) {
    LOCK;
    if (nth <= 0) {
        driver.ledger.failures.erase(call);
    } else {
        driver.ledger.failures[call] = {nth, status};
    }
}

void lipschitz_double_set(const char* option, long value) {
    LOCK;
    if (driver.ledger.options.count(option) == 0) {
        driver.ledger.complain(std::string("there is no option ") + option);
    }

    driver.ledger.options[option] = value;
}

long lipschitz_double_get(const char* option) {
    LOCK;
    return driver.ledger.options[option];
}

long lipschitz_double_calls(const char* name) {
    LOCK;
    return driver.ledger.calls[name];
}

long lipschitz_double_launches(const char* kernel) {
    LOCK;
    return driver.ledger.launches[kernel];
}

__attribute__((destructor)) static void report() { driver.ledger.report(); }

const char* lipschitz_double_called() {
    LOCK;
    driver.answer.clear();
    for (const std::string& name : driver.ledger.called) {
        driver.answer += name + "\n";
    }

    return driver.answer.c_str();
}

const char* lipschitz_double_complaints() {
    LOCK;
    for (auto& [address, piece] : driver.memory) {
        driver.checkMargins(address);
    }

    driver.answer = driver.ledger.complaints;
    return driver.answer.c_str();
}

const char* lipschitz_double_leaks() {
    LOCK;
    driver.answer = driver.leaks();
    return driver.answer.c_str();
}

long lipschitz_double_bytes() {
    LOCK;
    return static_cast<long>(driver.deviceBytes);
}

void lipschitz_double_reset() {
    LOCK;
    driver.ledger.reset();
    for (auto& [device, primary] : driver.primary) {
        if (primary.first != nullptr) {
            primary.first->error = CUDA_SUCCESS;
        }
    }
}

void lipschitz_double_forget() {
    LOCK;
    driver.forget();
}

int lipschitz_double_enter(const char* call) {
    LOCK;
    return driver.ledger.enter(call);
}

void lipschitz_double_complain(const char* what) {
    LOCK;
    driver.ledger.complain(what);
}

void lipschitz_double_resource(const char* kind, const void* handle, int change) {
    LOCK;
    if (change > 0) {
        driver.resources[kind].insert(handle);
    } else {
        driver.resources[kind].erase(handle);
    }
}

int lipschitz_double_submit(void* handle, const char* what, void (*work)(void* data), const void* data, unsigned long bytes) {
    LOCK;
    if (CUresult error = doubles::currentContext(what)) {
        return error;
    }

    doubles::Stream* stream = doubles::knownStream(what, handle);
    REQUIRE(stream != nullptr, CUDA_ERROR_INVALID_HANDLE);
    auto copied = std::make_shared<std::vector<uint64_t>>((bytes + 7) / 8);
    std::memcpy(copied->data(), data, bytes);
    return driver.submit(stream, {what, [work, copied] {
        work(copied->data());
        return CUDA_SUCCESS;
    }});
}

int lipschitz_double_isDeviceMemory(const void* address, unsigned long bytes) {
    LOCK;
    return driver.pieceAt(reinterpret_cast<uintptr_t>(address), bytes) != nullptr;
}

int lipschitz_double_isCapturing(void* handle) {
    LOCK;
    doubles::Stream* stream = driver.streamOf(handle);
    return stream != nullptr && stream->capture != nullptr;
}

int lipschitz_double_hasContext() {
    LOCK;
    return doubles::thread.context != nullptr && driver.isLive(doubles::thread.context);
}
