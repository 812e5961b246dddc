// Tries the doubles themselves: that what is right works and what is wrong is told. Linked with a fake libcuda of the kernels in Probes.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "control.h"
#include "cuda_names.h"

extern "C" {
int cuInit(unsigned);
int cuCtxSetCurrent(void*);
int cuCtxSynchronize();
int cuDevicePrimaryCtxRetain(void**, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuStreamCreate(void**, unsigned);
int cuStreamDestroy_v2(void*);
int cuStreamSynchronize(void*);
int cuStreamBeginCapture_v2(void*, int);
int cuStreamEndCapture(void*, void**);
int cuStreamIsCapturing(void*, int*);
int cuEventCreate(void**, unsigned);
int cuEventDestroy_v2(void*);
int cuEventRecord(void*, void*);
int cuEventQuery(void*);
int cuEventSynchronize(void*);
int cuMemAlloc_v2(CUdeviceptr*, size_t);
int cuMemFree_v2(CUdeviceptr);
int cuMemHostAlloc(void**, size_t, unsigned);
int cuMemFreeHost(void*);
int cuMemcpyHtoD_v2(CUdeviceptr, const void*, size_t);
int cuMemcpyDtoH_v2(void*, CUdeviceptr, size_t);
int cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, size_t, void*);
int cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, size_t, void*);
int cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D*, void*);
int cuMemsetD8Async(CUdeviceptr, unsigned char, size_t, void*);
int cuModuleLoadData(void**, const void*);
int cuModuleUnload(void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuLaunchCooperativeKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**);
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int*, void*, int, size_t);
int cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
int cuGraphLaunch(void*, void*);
int cuGraphDestroy(void*);
int cuGraphExecDestroy(void*);
int cublasCreate_v2(void**);
int cublasDestroy_v2(void*);
int cublasSetStream_v2(void*, void*);
int cublasSetMathMode(void*, int);
int cublasSgemm_v2(void*, int, int, int, int, int, const float*, const float*, int, const float*, int, const float*, float*, int);
}

namespace {

struct View {
    CUdeviceptr data;
    int rows, columns, stride;
};

int failures = 0;
void* stream;
void* module;

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            std::printf("checks.cpp:%d: not true: %s\n", __LINE__, #condition);   \
            failures++;                                                           \
        }                                                                         \
    } while (0)

#define OK(call) CHECK((call) == 0)

// Complaints so far, which are forgotten.
std::string complaints() {
    std::string text = lipschitz_double_complaints();
    lipschitz_double_reset();
    return text;
}

#define CHECK_COMPLAINT(part) \
    do { \
        std::string text = complaints(); \
        if (text.find(part) == std::string::npos) { \
            std::printf("checks.cpp:%d: no complaint of '%s' but '%s'\n", __LINE__, part, text.c_str()); \
            failures++; \
        } \
    } while (0)

#define CHECK_QUIET() \
    do { \
        std::string text = complaints(); \
        if (!text.empty()) { \
            std::printf("checks.cpp:%d: %s", __LINE__, text.c_str()); \
            failures++; \
        } \
    } while (0)

std::string entry(const char* name, std::vector<const char*> parameters) {
    std::string text = std::string(".visible .entry ") + name + "(\n";
    for (size_t i = 0; i < parameters.size(); i++) {
        text += std::string(i > 0 ? ",\n" : "") + "\t.param " + parameters[i];
    }

    return text + "\n)\n{\n\tret;\n}\n";
}

std::string header() { return ".version 7.5\n.target sm_80\n.address_size 64\n"; }

std::string ptx() {
    const char* view = ".align 8 .b8 view[24]";
    return header() + ".shared .align 4 .b8 total_parts[1024];\n" + entry("scale", {".f32 alpha", view, view}) + entry("total", {view, view}) +
        entry("sometimes", {view}) + entry("unwritten", {view}) + entry("left_alone", {view}) + entry("apart", {view}) + entry("hasty", {view}) +
        entry("together", {view, ".u64 arrived"}) + entry("beyond", {view});
}

struct Memory {
    CUdeviceptr address = 0;

    explicit Memory(const std::vector<float>& values) {
        OK(cuMemAlloc_v2(&address, values.size() * sizeof(float)));
        OK(cuMemcpyHtoD_v2(address, values.data(), values.size() * sizeof(float)));
    }

    explicit Memory(size_t count) { OK(cuMemAlloc_v2(&address, count * sizeof(float))); }

    Memory(const Memory&) = delete;

    ~Memory() { OK(cuMemFree_v2(address)); }

    std::vector<float> read(size_t count) const {
        std::vector<float> values(count);
        OK(cuStreamSynchronize(stream));
        OK(cuMemcpyDtoH_v2(values.data(), address, count * sizeof(float)));
        return values;
    }
};

int launch(const char* kernel, unsigned blocks, unsigned threads, std::vector<void*> parameters, bool isCooperative = false) {
    void* function;
    OK(cuModuleGetFunction(&function, module, kernel));
    return isCooperative ? cuLaunchCooperativeKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, parameters.data())
        : cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, parameters.data(), nullptr);
}

void checkStart() {
    CHECK(cuMemAlloc_v2(nullptr, 4) == CUDA_ERROR_NOT_INITIALIZED);
    lipschitz_double_set("devices", 0);
    CHECK(cuInit(0) == CUDA_ERROR_NO_DEVICE);
    lipschitz_double_reset();
    OK(cuInit(0));
    CUdeviceptr address;
    CHECK(cuMemAlloc_v2(&address, 4) == CUDA_ERROR_INVALID_CONTEXT);
    CHECK_COMPLAINT("no context is current");
    void* context;
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    CHECK(cuModuleLoadData(&module, "not a kernel") == CUDA_ERROR_INVALID_IMAGE);
    CHECK(cuModuleLoadData(&module, (header() + entry("scale", {".f64 alpha"})).c_str()) == CUDA_ERROR_INVALID_PTX);
    CHECK_COMPLAINT("other parameters of scale");
    OK(cuModuleLoadData(&module, ptx().c_str()));
    void* function;
    CHECK(cuModuleGetFunction(&function, module, "nothing") == CUDA_ERROR_NOT_FOUND);
    CHECK_QUIET();
}

void checkMemory() {
    Memory x(4);
    for (float value : x.read(4)) {
        CHECK(std::isnan(value));  // nobody cleared it
    }

    float four[4] = {1, 2, 3, 4};
    CHECK(cuMemcpyHtoD_v2(x.address + 4, four, 16) == CUDA_ERROR_INVALID_VALUE);
    CHECK_COMPLAINT("not within one allocation");
    CHECK(cuMemFree_v2(x.address + 4) == CUDA_ERROR_INVALID_VALUE);
    CHECK_COMPLAINT("not the start of an allocation");
    CUdeviceptr twice;
    OK(cuMemAlloc_v2(&twice, 4));
    OK(cuMemFree_v2(twice));
    CHECK(cuMemFree_v2(twice) == CUDA_ERROR_INVALID_VALUE);
    CHECK_COMPLAINT("not the start of an allocation");
    CHECK(cuMemAlloc_v2(&twice, 1ul << 60) == CUDA_ERROR_OUT_OF_MEMORY);
    lipschitz_double_fail("cuMemAlloc", 2, CUDA_ERROR_OUT_OF_MEMORY);
    Memory first(1);
    CHECK(cuMemAlloc_v2(&twice, 4) == CUDA_ERROR_OUT_OF_MEMORY);
    CHECK_QUIET();
    CHECK(std::string(lipschitz_double_leaks()).find("device memory of 4 bytes") != std::string::npos);

    CUDA_MEMCPY2D copy{};
    copy.srcMemoryType = CU_MEMORYTYPE_HOST;
    copy.srcHost = four;
    copy.srcPitch = 8;
    copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = x.address;
    copy.dstPitch = 12;
    copy.WidthInBytes = 4;
    copy.Height = 2;
    OK(cuMemsetD8Async(x.address, 0, 16, stream));
    OK(cuMemcpy2DAsync_v2(&copy, stream));
    CHECK((x.read(4) == std::vector<float>{1, 0, 0, 3}));
    copy.Height = 3;
    CHECK(cuMemcpy2DAsync_v2(&copy, stream) == CUDA_ERROR_INVALID_VALUE);
    CHECK_COMPLAINT("not within one allocation");
}

void checkKernels() {
    std::vector<float> numbers(3 * 100), sums(40);
    for (size_t i = 0; i < numbers.size(); i++) {
        numbers[i] = static_cast<float>(i);
    }

    Memory x(numbers), y(numbers);
    View from{x.address, 3, 99, 100}, to{y.address, 3, 99, 99};
    float alpha = 2;
    OK(launch("scale", 2, 64, {&alpha, &from, &to}));
    alpha = 3;  // was copied
    CHECK(y.read(297)[98 + 99] == 2 * 198);
    View row{x.address, 1, 300, 300}, wide{y.address, 1, 40, 40};
    for (int i = 0; i < 2; i++) {  // in either order of the threads
        OK(launch("total", 40, 256, {&row, &wide}));
        CHECK((y.read(40) == std::vector<float>(40, 44850.0f)));
    }

    View six{y.address, 1, 6 * 32, 6 * 32};
    OK(launch("sometimes", 6, 32, {&six}));
    CHECK(y.read(192)[64 + 9] == 9);
    CHECK(y.read(192)[96 + 9] == 103);
    OK(launch("unwritten", 5, 32, {&wide}));
    CHECK(std::isnan(y.read(5)[4]));
    Memory count(1);
    OK(cuMemsetD8Async(count.address, 0, 4, stream));
    OK(launch("together", 6, 256, {&wide, const_cast<CUdeviceptr*>(&count.address)}, true));
    CHECK((y.read(6) == std::vector<float>(6, 12.0f)));
    CHECK(launch("together", 7, 256, {&wide, const_cast<CUdeviceptr*>(&count.address)}, true) == CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
    CHECK_COMPLAINT("cannot be resident");

    // The order of threads changes from launch to launch, so one of two finds a number that is not there yet.
    View few{y.address, 1, 64, 64};
    bool isSeen = false;
    for (int i = 0; i < 2; i++) {
        OK(launch("hasty", 1, 64, {&few}));
        isSeen = isSeen || std::isnan(y.read(64)[30]);
    }

    CHECK(isSeen);
    CHECK(launch("scale", 0, 64, {&alpha, &from, &to}) == CUDA_ERROR_INVALID_VALUE);
    CHECK_COMPLAINT("a grid of 0");
    CHECK(launch("scale", 1, 1025, {&alpha, &from, &to}) == CUDA_ERROR_INVALID_VALUE);
    CHECK_COMPLAINT("1025");
}

void checkFaults() {
    Memory y(8);
    View eight{y.address, 1, 8, 8}, nine{y.address, 1, 9, 9};
    struct {
        const char *kernel, *complaint;
        View* view;
        int error;
    } faults[] = {
        {"left_alone", "31 of 32 threads wait at kernels.cu:", &eight, CUDA_ERROR_LAUNCH_FAILED},
        {"apart", "waits at kernels.cu:", &eight, CUDA_ERROR_LAUNCH_FAILED},
        {"unwritten", "parameter 0 [1, 9] of stride 9", &nine, CUDA_ERROR_ILLEGAL_ADDRESS},
    };
    for (auto& fault : faults) {
        OK(launch(fault.kernel, 2, 32, {fault.view}));
        CHECK(cuStreamSynchronize(stream) == fault.error);
        CHECK(cuStreamSynchronize(stream) == fault.error);  // sticks
        CHECK_COMPLAINT(fault.complaint);
        OK(cuStreamSynchronize(stream));
    }

#if !defined(__SANITIZE_ADDRESS__)
    OK(launch("beyond", 1, 32, {&eight}));
    CHECK_COMPLAINT("written at byte 32 of an allocation of 32 bytes");
#endif
}

void checkCapture() {
    Memory x({1, 2}), y({0, 0});
    View from{x.address, 1, 2, 2}, to{y.address, 1, 2, 2};
    float alpha = 5;
    void *graph, *executable;
    OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    OK(launch("scale", 1, 32, {&alpha, &from, &to}));
    alpha = 6;
    OK(cuStreamEndCapture(stream, &graph));
    OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
    OK(cuGraphDestroy(graph));
    CHECK((y.read(2) == std::vector<float>{0, 0}));
    OK(cuGraphLaunch(executable, stream));
    CHECK((y.read(2) == std::vector<float>{5, 10}));
    OK(cuGraphExecDestroy(executable));

    CUdeviceptr address;
    OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    CHECK(cuMemAlloc_v2(&address, 4) == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    int status;
    OK(cuStreamIsCapturing(stream, &status));
    CHECK(status == CU_STREAM_CAPTURE_STATUS_INVALIDATED);
    CHECK(launch("scale", 1, 32, {&alpha, &from, &to}) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CHECK(cuStreamEndCapture(stream, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CHECK(graph == nullptr);

    OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    OK(cuMemAlloc_v2(&address, 4));
    CHECK(cuStreamSynchronize(stream) == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    CHECK(cuStreamEndCapture(stream, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuMemFree_v2(address));
    CHECK(cuStreamEndCapture(stream, &graph) == CUDA_ERROR_ILLEGAL_STATE);
    CHECK_QUIET();
}

void checkDeferred() {
    Memory x({1, 2});
    void* pinned;
    void* event;
    OK(cuMemHostAlloc(&pinned, 8, 0));
    OK(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
    auto numbers = static_cast<float*>(pinned);
    lipschitz_double_set("deferred", 1);
    OK(cuMemcpyDtoHAsync_v2(pinned, x.address, 8, stream));
    OK(cuEventRecord(event, stream));
    CHECK(std::isnan(numbers[0]));  // nobody waited
    CHECK(cuEventQuery(event) == CUDA_ERROR_NOT_READY);
    OK(cuEventQuery(event));
    CHECK(numbers[1] == 2);
    numbers[0] = 3;
    OK(cuMemcpyHtoDAsync_v2(x.address, pinned, 8, stream));
    numbers[0] = 4;  // too early: the copy reads it later
    float pageable[2] = {7, 8};
    OK(cuMemcpyHtoDAsync_v2(x.address + 4, pageable, 4, stream));
    pageable[0] = 9;  // in time: it was taken at once
    OK(cuEventRecord(event, stream));
    OK(cuEventSynchronize(event));
    CHECK((x.read(2) == std::vector<float>{4, 7}));
    OK(cuMemcpyHtoDAsync_v2(x.address, pinned, 8, stream));
    OK(cuMemFreeHost(pinned));
    CHECK(cuStreamSynchronize(stream) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK_COMPLAINT("freed before the copy was done");
    OK(cuEventDestroy_v2(event));
    lipschitz_double_reset();
}

void checkProducts() {
    // [1 2; 3 4; 5 6] row-major is its transpose column-major.
    Memory a({1, 2, 3, 4, 5, 6}), c({0, 0, 0, 0});
    void* handle;
    float one = 1, zero = 0, two = 2;
    auto data = [](const Memory& m) { return reinterpret_cast<float*>(m.address); };
    OK(cublasCreate_v2(&handle));
    OK(cublasSetStream_v2(handle, stream));
    OK(cublasSgemm_v2(handle, 0, 1, 2, 2, 3, &one, data(a), 2, data(a), 2, &zero, data(c), 2));
    CHECK((c.read(4) == std::vector<float>{35, 44, 44, 56}));
    OK(cublasSgemm_v2(handle, 1, 0, 1, 1, 2, &two, data(a), 2, data(a), 2, &one, data(c), 1));
    CHECK(c.read(4)[0] == 35 + (2 * 5));
    CHECK(cublasSgemm_v2(handle, 0, 0, 2, 2, 3, &one, data(a), 1, data(a), 3, &zero, data(c), 2) == 7);
    CHECK_COMPLAINT("leading dimension");
    Memory fine({1 + std::ldexp(1.0f, -13), 1});
    OK(cublasSgemm_v2(handle, 0, 0, 1, 1, 1, &one, data(fine), 1, data(a), 1, &zero, data(c), 1));
    CHECK(c.read(1)[0] > 1);
    OK(cublasSetMathMode(handle, 3));
    OK(cublasSgemm_v2(handle, 0, 0, 1, 1, 1, &one, data(fine), 1, data(a), 1, &zero, data(c), 1));
    CHECK(c.read(1)[0] == 1);
    OK(cublasDestroy_v2(handle));
    CHECK_QUIET();
}

void checkEnd() {
    std::thread([] {
        CHECK(cuStreamSynchronize(stream) == CUDA_ERROR_INVALID_CONTEXT);  // of this thread
        CHECK_COMPLAINT("no context is current");
    }).join();
    OK(cuModuleUnload(module));
    OK(cuStreamDestroy_v2(stream));
    CHECK(cuStreamSynchronize(stream) == CUDA_ERROR_INVALID_HANDLE);
    CHECK_COMPLAINT("does not exist");
    OK(cuDevicePrimaryCtxRelease_v2(0));
    CHECK(cuCtxSynchronize() == CUDA_ERROR_CONTEXT_IS_DESTROYED);
    CHECK_QUIET();
    CHECK(std::strlen(lipschitz_double_leaks()) == 0);
}

}  // namespace

int main() {
    checkStart();
    checkMemory();
    checkKernels();
    checkFaults();
    checkCapture();
    checkDeferred();
    checkProducts();
    checkEnd();
    std::printf(failures == 0 ? "all is as it should be\n" : "%d checks failed\n", failures);
    return failures == 0 ? 0 : 1;
}
