// A libcudnn.so.9 that convolves by plain loops, as the documentation of cuDNN's legacy convolution API describes. Signatures and values as in
// cudnn_graph.h, cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <set>
#include <string>

#include "control.h"
#include "tf32.h"

namespace doubles {

enum Status : int {
    CUDNN_STATUS_SUCCESS = 0,
    CUDNN_STATUS_NOT_INITIALIZED = 1001,
    CUDNN_STATUS_BAD_PARAM = 2000,
    CUDNN_STATUS_BAD_PARAM_NULL_POINTER = 2002,
    CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT = 2006,
    CUDNN_STATUS_NOT_SUPPORTED = 3000,
    CUDNN_STATUS_INTERNAL_ERROR = 4000,
    CUDNN_STATUS_EXECUTION_FAILED = 5000,
};

constexpr int CUDNN_DATA_FLOAT = 0;
constexpr int CUDNN_TENSOR_NCHW = 0, CUDNN_TENSOR_NHWC = 1;
constexpr int CUDNN_CONVOLUTION = 0, CUDNN_CROSS_CORRELATION = 1;
constexpr int CUDNN_DEFAULT_MATH = 0, CUDNN_FMA_MATH = 3;
constexpr int CUDNN_NON_DETERMINISTIC = 0, CUDNN_DETERMINISTIC = 1;

struct Handle {
    void* stream = nullptr;
};

// A tensor n x c x h x w with any strides.
struct Tensor {
    bool isSet = false;
    int n = 0, c = 0, h = 0, w = 0;
    int nStride = 0, cStride = 0, hStride = 0, wStride = 0;

    long at(long i, long channel, long y, long x) const { return (i * nStride) + (channel * cStride) + (y * hStride) + (x * wStride); }

    unsigned long bytes() const { return (static_cast<unsigned long>(at(n - 1, c - 1, h - 1, w - 1)) + 1) * sizeof(float); }

    bool hasGaps() const { return static_cast<unsigned long>(n) * c * h * w * sizeof(float) != bytes(); }
};

// Filters k x c x h x w without gaps; NHWC means [k, h, w, c].
struct Filter {
    bool isSet = false;
    int format = 0, k = 0, c = 0, h = 0, w = 0;

    long at(long output, long input, long y, long x) const {
        return format == CUDNN_TENSOR_NHWC ? (((((output * h) + y) * w) + x) * c) + input : (((((output * c) + input) * h) + y) * w) + x;
    }

    unsigned long bytes() const { return static_cast<unsigned long>(k) * c * h * w * sizeof(float); }
};

struct Convolution {
    bool isSet = false;
    int padH = 0, padW = 0, strideH = 1, strideW = 1, dilationH = 1, dilationW = 1, mode = CUDNN_CROSS_CORRELATION, math = CUDNN_DEFAULT_MATH,
        groups = 1;
};

struct Performance {
    int algorithm;
    Status status;
    float time;
    size_t memory;
    int determinism;
    int math;
    int reserved[3];
};

static std::set<const void*> live;

#define EXPORT extern "C" __attribute__((visibility("default")))

// One call at a time.
static std::recursive_mutex& mutex = *new std::recursive_mutex();

#define ENTER(name)                                             \
    std::lock_guard<std::recursive_mutex> lock(mutex);          \
    if (int injected = lipschitz_double_enter(name)) {     \
        return static_cast<Status>(injected);              \
    }

static Status bad(const char* call, const char* what, Status status = CUDNN_STATUS_BAD_PARAM) {
    lipschitz_double_complain((std::string(call) + ": " + what).c_str());
    return status;
}

#define REQUIRE_LIVE(name, object)                      \
    if (live.count(object) == 0) {                      \
        return bad(name, "a descriptor or handle does not exist"); \
    }

template <class T>
static Status create(const char* kind, T** object) {
    *object = new T;
    live.insert(*object);
    lipschitz_double_resource(kind, *object, 1);
    return CUDNN_STATUS_SUCCESS;
}

template <class T>
static Status destroy(const char* call, const char* kind, T* object) {
    REQUIRE_LIVE(call, object)
    live.erase(object);
    lipschitz_double_resource(kind, object, -1);
    delete object;
    return CUDNN_STATUS_SUCCESS;
}

// ---- handle and descriptors ----

EXPORT size_t cudnnGetVersion() { return static_cast<size_t>(lipschitz_double_get("cudnn")); }

EXPORT size_t cudnnGetCudartVersion() { return static_cast<size_t>(lipschitz_double_get("cudart")); }

EXPORT Status cudnnGetProperty(int type, int* value) {
    ENTER("cudnnGetProperty")
    int version = static_cast<int>(lipschitz_double_get("cudnn"));
    *value = type == 0 ? version / 10000 : type == 1 ? version / 100 % 100 : version % 100;
    return CUDNN_STATUS_SUCCESS;
}

EXPORT Status cudnnCreate(Handle** handle) {
    ENTER("cudnnCreate")
    return lipschitz_double_hasContext() != 0 ? create("cuDNN handle", handle)
                                              : bad("cudnnCreate", "no context is current", CUDNN_STATUS_NOT_INITIALIZED);
}

EXPORT Status cudnnDestroy(Handle* handle) {
    ENTER("cudnnDestroy")
    return destroy("cudnnDestroy", "cuDNN handle", handle);
}

EXPORT Status cudnnSetStream(Handle* handle, void* stream) {
    ENTER("cudnnSetStream")
    REQUIRE_LIVE("cudnnSetStream", handle)
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

EXPORT Status cudnnCreateTensorDescriptor(Tensor** tensor) {
    ENTER("cudnnCreateTensorDescriptor")
    return create("cuDNN tensor descriptor", tensor);
}

EXPORT Status cudnnDestroyTensorDescriptor(Tensor* tensor) {
    ENTER("cudnnDestroyTensorDescriptor")
    return destroy("cudnnDestroyTensorDescriptor", "cuDNN tensor descriptor", tensor);
}

EXPORT Status cudnnSetTensor4dDescriptorEx(Tensor* tensor, int type, int n, int c, int h, int w, int nStride, int cStride, int hStride, int wStride) {
    ENTER("cudnnSetTensor4dDescriptorEx")
    REQUIRE_LIVE("cudnnSetTensor4dDescriptorEx", tensor)
    if (n <= 0 || c <= 0 || h <= 0 || w <= 0 || nStride <= 0 || cStride <= 0 || hStride <= 0 || wStride <= 0) {
        return bad("cudnnSetTensor4dDescriptorEx", "a size or stride is not positive");
    }

    if (type != CUDNN_DATA_FLOAT) {
        return bad("cudnnSetTensor4dDescriptorEx", "the fake has floats only", CUDNN_STATUS_NOT_SUPPORTED);
    }

    *tensor = {true, n, c, h, w, nStride, cStride, hStride, wStride};
    return CUDNN_STATUS_SUCCESS;
}

EXPORT Status cudnnSetTensor4dDescriptor(Tensor* tensor, int format, int type, int n, int c, int h, int w) {
    ENTER("cudnnSetTensor4dDescriptor")
    bool isLast = format == CUDNN_TENSOR_NHWC;
    return isLast ? cudnnSetTensor4dDescriptorEx(tensor, type, n, c, h, w, h * w * c, 1, w * c, c)
        : cudnnSetTensor4dDescriptorEx(tensor, type, n, c, h, w, c * h * w, h * w, w, 1);
}

EXPORT Status cudnnCreateFilterDescriptor(Filter** filter) {
    ENTER("cudnnCreateFilterDescriptor")
    return create("cuDNN filter descriptor", filter);
}

EXPORT Status cudnnDestroyFilterDescriptor(Filter* filter) {
    ENTER("cudnnDestroyFilterDescriptor")
    return destroy("cudnnDestroyFilterDescriptor", "cuDNN filter descriptor", filter);
}

EXPORT Status cudnnSetFilter4dDescriptor(Filter* filter, int type, int format, int k, int c, int h, int w) {
    ENTER("cudnnSetFilter4dDescriptor")
    REQUIRE_LIVE("cudnnSetFilter4dDescriptor", filter)
    if (k <= 0 || c <= 0 || h <= 0 || w <= 0 || (format != CUDNN_TENSOR_NCHW && format != CUDNN_TENSOR_NHWC) || type != CUDNN_DATA_FLOAT) {
        return bad("cudnnSetFilter4dDescriptor", "a size, the format or the type makes no sense");
    }

    *filter = {true, format, k, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}

EXPORT Status cudnnCreateConvolutionDescriptor(Convolution** convolution) {
    ENTER("cudnnCreateConvolutionDescriptor")
    return create("cuDNN convolution descriptor", convolution);
}

EXPORT Status cudnnDestroyConvolutionDescriptor(Convolution* convolution) {
    ENTER("cudnnDestroyConvolutionDescriptor")
    return destroy("cudnnDestroyConvolutionDescriptor", "cuDNN convolution descriptor", convolution);
}

EXPORT Status cudnnSetConvolution2dDescriptor(
    Convolution* convolution, int padH, int padW, int strideH, int strideW, int dilationH, int dilationW, int mode, int type) {
    ENTER("cudnnSetConvolution2dDescriptor")
    REQUIRE_LIVE("cudnnSetConvolution2dDescriptor", convolution)
    if (padH < 0 || padW < 0 || strideH <= 0 || strideW <= 0 || dilationH <= 0 || dilationW <= 0 || mode < 0 || mode > 1 ||
        type != CUDNN_DATA_FLOAT) {
        return bad("cudnnSetConvolution2dDescriptor", "a number makes no sense");
    }

    *convolution = {true, padH, padW, strideH, strideW, dilationH, dilationW, mode, CUDNN_DEFAULT_MATH, 1};
    return CUDNN_STATUS_SUCCESS;
}

EXPORT Status cudnnSetConvolutionMathType(Convolution* convolution, int math) {
    ENTER("cudnnSetConvolutionMathType")
    REQUIRE_LIVE("cudnnSetConvolutionMathType", convolution)
    convolution->math = math;
    return math >= 0 && math <= CUDNN_FMA_MATH ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

EXPORT Status cudnnSetConvolutionGroupCount(Convolution* convolution, int groups) {
    ENTER("cudnnSetConvolutionGroupCount")
    REQUIRE_LIVE("cudnnSetConvolutionGroupCount", convolution)
    convolution->groups = groups;
    return groups == 1 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

// ---- convolutions ----

enum class Kind { Forward, BackwardData, BackwardFilter };

// One convolution y = w * x, or one of its two adjoints; the pointers are those of the tensors, whichever is written.
struct Work {
    Kind kind;
    Tensor xShape, yShape;
    Filter wShape;
    Convolution shape;
    float alpha, beta;
    float *x, *y, *w;
    unsigned char* workspace;
    size_t workspaceBytes;

    float factor(float value) const { return shape.math == CUDNN_FMA_MATH ? value : toTf32(value); }

    void store(float& target, float sum) const { target = beta == 0 ? alpha * sum : (alpha * sum) + (beta * target); }

    // The pixel of x that output pixel `out` meets at tap `tap`; -1 outside.
    static long inputPixel(long out, long tap, int stride, int pad, int dilation, long size) {
        long in = (out * stride) - pad + (tap * dilation);
        return in >= 0 && in < size ? in : -1;
    }

    // The output pixel that meets x's pixel `in` at tap `tap`; -1 if none.
    static long outputPixel(long in, long tap, int stride, int pad, int dilation, long size) {
        long shifted = in + pad - (tap * dilation);
        return shifted >= 0 && shifted % stride == 0 && shifted / stride < size ? shifted / stride : -1;
    }

    float weight(long output, long input, long tapY, long tapX) const {
        bool isFlipped = shape.mode == CUDNN_CONVOLUTION;
        return factor(w[wShape.at(output, input, isFlipped ? wShape.h - 1 - tapY : tapY, isFlipped ? wShape.w - 1 - tapX : tapX)]);
    }

    void forward() const {
        each(yShape, [&](long i, long output, long row, long column) {
            float sum = 0;
            for (long tapY = 0; tapY < wShape.h; tapY++) {
                for (long tapX = 0; tapX < wShape.w; tapX++) {
                    long inY = inputPixel(row, tapY, shape.strideH, shape.padH, shape.dilationH, xShape.h);
                    long inX = inputPixel(column, tapX, shape.strideW, shape.padW, shape.dilationW, xShape.w);
                    for (long input = 0; inY >= 0 && inX >= 0 && input < xShape.c; input++) {
                        sum += weight(output, input, tapY, tapX) * factor(x[xShape.at(i, input, inY, inX)]);
                    }
                }
            }

            store(y[yShape.at(i, output, row, column)], sum);
        });
    }

    void backwardData() const {
        each(xShape, [&](long i, long input, long row, long column) {
            float sum = 0;
            for (long tapY = 0; tapY < wShape.h; tapY++) {
                for (long tapX = 0; tapX < wShape.w; tapX++) {
                    long outY = outputPixel(row, tapY, shape.strideH, shape.padH, shape.dilationH, yShape.h);
                    long outX = outputPixel(column, tapX, shape.strideW, shape.padW, shape.dilationW, yShape.w);
                    for (long output = 0; outY >= 0 && outX >= 0 && output < yShape.c; output++) {
                        sum += weight(output, input, tapY, tapX) * factor(y[yShape.at(i, output, outY, outX)]);
                    }
                }
            }

            store(x[xShape.at(i, input, row, column)], sum);
        });
    }

    void backwardFilter() const {
        Tensor taps{true, wShape.k, wShape.c, wShape.h, wShape.w, 0, 0, 0, 0};
        each(taps, [&](long output, long input, long tapY, long tapX) {
            double sum = 0;
            for (long i = 0; i < xShape.n; i++) {
                for (long row = 0; row < yShape.h; row++) {
                    for (long column = 0; column < yShape.w; column++) {
                        long inY = inputPixel(row, tapY, shape.strideH, shape.padH, shape.dilationH, xShape.h);
                        long inX = inputPixel(column, tapX, shape.strideW, shape.padW, shape.dilationW, xShape.w);
                        if (inY >= 0 && inX >= 0) {
                            sum += factor(x[xShape.at(i, input, inY, inX)]) * factor(y[yShape.at(i, output, row, column)]);
                        }
                    }
                }
            }

            bool isFlipped = shape.mode == CUDNN_CONVOLUTION;
            store(
                w[wShape.at(output, input, isFlipped ? wShape.h - 1 - tapY : tapY, isFlipped ? wShape.w - 1 - tapX : tapX)], static_cast<float>(sum));
        });
    }

    template <class F>
    static void each(const Tensor& t, F body) {
        for (long i = 0; i < t.n; i++) {
            for (long row = 0; row < t.h; row++) {
                for (long column = 0; column < t.w; column++) {
                    for (long channel = 0; channel < t.c; channel++) {
                        body(i, channel, row, column);
                    }
                }
            }
        }
    }

    void run() const {
        std::memset(workspace, 0xff, workspaceBytes);  // whoever keeps data there sees it
        kind == Kind::Forward ? forward() : kind == Kind::BackwardData ? backwardData() : backwardFilter();
        std::memset(workspace, 0xff, workspaceBytes);
    }
};

// The algorithms of each kind, best first, as for NHWC floats; the first of the adjoints are not deterministic.
struct Algorithm {
    int number;
    bool isDeterministic;
    int workspaceRows;  // of a picture's pixels each
};

static const Algorithm ForwardAlgorithms[] = {{1, true, 3}, {0, true, 0}};
static const Algorithm DataAlgorithms[] = {{0, false, 0}, {1, true, 5}};
static const Algorithm FilterAlgorithms[] = {{3, false, 2}, {1, true, 7}, {0, false, 0}};

static const Algorithm* algorithms(Kind kind, int& count) {
    count = kind == Kind::BackwardFilter ? 3 : 2;
    return kind == Kind::Forward ? ForwardAlgorithms : kind == Kind::BackwardData ? DataAlgorithms : FilterAlgorithms;
}

static int countOf(Kind kind) { return kind == Kind::Forward ? 8 : kind == Kind::BackwardData ? 6 : 7; }

static size_t workspaceOf(const Algorithm& algorithm, const Tensor& x) {
    return static_cast<size_t>(algorithm.workspaceRows) * x.n * x.h * x.w * sizeof(float);
}

static Status check(const char* call, Handle* handle, const Tensor* x, const Filter* w, const Convolution* c, const Tensor* y) {
    REQUIRE_LIVE(call, handle)
    REQUIRE_LIVE(call, x)
    REQUIRE_LIVE(call, w)
    REQUIRE_LIVE(call, c)
    REQUIRE_LIVE(call, y)
    if (!x->isSet || !w->isSet || !c->isSet || !y->isSet) {
        return bad(call, "a descriptor was never set");
    }

    auto outputs = [](int size, int pad, int taps, int dilation, int stride) {
        return 1 + ((size + (2 * pad) - (((taps - 1) * dilation) + 1)) / stride);
    };
    bool fits = y->n == x->n && y->c == w->k && x->c == w->c && y->h == outputs(x->h, c->padH, w->h, c->dilationH, c->strideH) &&
        y->w == outputs(x->w, c->padW, w->w, c->dilationW, c->strideW);
    if (!fits) {
        return bad(call, "the shapes do not fit together");
    }

    bool areGapsRefused = lipschitz_double_get("strided") == 0;
    return areGapsRefused && (x->hasGaps() || y->hasGaps()) ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
}

static Status find(
    const char* call, Kind kind, Handle* handle, const Tensor* x, const Filter* w, const Convolution* c, const Tensor* y, int requested,
    int* returned, Performance* results) {
    Status status = check(call, handle, x, w, c, y);
    if (status != CUDNN_STATUS_SUCCESS && status != CUDNN_STATUS_NOT_SUPPORTED) {
        return status;
    }

    if (requested < 1 || returned == nullptr || results == nullptr) {
        return bad(call, "no room for results");
    }

    int count;
    const Algorithm* known = algorithms(kind, count);
    *returned = std::min(requested, countOf(kind));
    for (int i = 0; i < *returned; i++) {
        bool isGood = i < count && status == CUDNN_STATUS_SUCCESS;
        int number = i < count ? known[i].number : i;
        size_t memory = isGood ? workspaceOf(known[i], *x) : 0;
        int determinism = i < count && known[i].isDeterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
        results[i] = {number, isGood ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED, -1, memory, determinism, c->math, {0, 0, 0}};
    }

    return CUDNN_STATUS_SUCCESS;
}

static const Algorithm* algorithm(Kind kind, int number) {
    int count;
    const Algorithm* known = algorithms(kind, count);
    const Algorithm* found = std::find_if(known, known + count, [=](const Algorithm& a) { return a.number == number; });
    return found != known + count ? found : nullptr;
}

static Status workspace(
    const char* call, Kind kind, Handle* handle, const Tensor* x, const Filter* w, const Convolution* c, const Tensor* y, int number, size_t* bytes) {
    if (Status status = check(call, handle, x, w, c, y)) {
        return status;
    }

    const Algorithm* known = algorithm(kind, number);
    *bytes = known != nullptr ? workspaceOf(*known, *x) : 0;
    return known != nullptr ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

static Status convolve(
    const char* call, Kind kind, Handle* handle, const void* alpha, const void* beta, const Tensor* x, const void* xData, const Filter* w,
    const void* wData, const Convolution* c, const Tensor* y, const void* yData, int number, void* workspaceData, size_t workspaceBytes) {
    if (Status status = check(call, handle, x, w, c, y)) {
        return status;
    }

    const Algorithm* known = algorithm(kind, number);
    if (known == nullptr) {
        return CUDNN_STATUS_NOT_SUPPORTED;
    }

    if (!known->isDeterministic) {
        lipschitz_double_complain((std::string(call) + ": the algorithm is not deterministic").c_str());
    }

    size_t needed = workspaceOf(*known, *x);
    if (workspaceBytes < needed || (needed > 0 && lipschitz_double_isDeviceMemory(workspaceData, workspaceBytes) == 0)) {
        return bad(call, "the workspace is too small or not on the device", CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
    }

    bool areLive = lipschitz_double_isDeviceMemory(xData, x->bytes()) != 0 && lipschitz_double_isDeviceMemory(yData, y->bytes()) != 0 &&
        lipschitz_double_isDeviceMemory(wData, w->bytes()) != 0;
    if (!areLive) {
        return bad(call, "a tensor is not within one allocation on the device", CUDNN_STATUS_EXECUTION_FAILED);
    }

    auto floats = [](const void* data) { return static_cast<float*>(const_cast<void*>(data)); };
    Work work{
        kind, *x, *y, *w, *c, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), floats(xData), floats(yData), floats(wData),
        static_cast<unsigned char*>(workspaceData), needed};
    int status = lipschitz_double_submit(handle->stream, call, [](void* data) { static_cast<Work*>(data)->run(); }, &work, sizeof work);
    return status == 0 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

EXPORT Status cudnnGetConvolutionForwardAlgorithm_v7(
    Handle* handle, const Tensor* x, const Filter* w, const Convolution* c, const Tensor* y, int requested, int* returned, Performance* results) {
    ENTER("cudnnGetConvolutionForwardAlgorithm_v7")
    return find("cudnnGetConvolutionForwardAlgorithm_v7", Kind::Forward, handle, x, w, c, y, requested, returned, results);
}

EXPORT Status cudnnGetConvolutionBackwardDataAlgorithm_v7(
    Handle* handle, const Filter* w, const Tensor* dy, const Convolution* c, const Tensor* dx, int requested, int* returned, Performance* results) {
    ENTER("cudnnGetConvolutionBackwardDataAlgorithm_v7")
    return find("cudnnGetConvolutionBackwardDataAlgorithm_v7", Kind::BackwardData, handle, dx, w, c, dy, requested, returned, results);
}

EXPORT Status cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    Handle* handle, const Tensor* x, const Tensor* dy, const Convolution* c, const Filter* dw, int requested, int* returned, Performance* results) {
    ENTER("cudnnGetConvolutionBackwardFilterAlgorithm_v7")
    return find("cudnnGetConvolutionBackwardFilterAlgorithm_v7", Kind::BackwardFilter, handle, x, dw, c, dy, requested, returned, results);
}

EXPORT Status cudnnGetConvolutionForwardWorkspaceSize(
    Handle* handle, const Tensor* x, const Filter* w, const Convolution* c, const Tensor* y, int number, size_t* bytes) {
    ENTER("cudnnGetConvolutionForwardWorkspaceSize")
    return workspace("cudnnGetConvolutionForwardWorkspaceSize", Kind::Forward, handle, x, w, c, y, number, bytes);
}

EXPORT Status cudnnGetConvolutionBackwardDataWorkspaceSize(
    Handle* handle, const Filter* w, const Tensor* dy, const Convolution* c, const Tensor* dx, int number, size_t* bytes) {
    ENTER("cudnnGetConvolutionBackwardDataWorkspaceSize")
    return workspace("cudnnGetConvolutionBackwardDataWorkspaceSize", Kind::BackwardData, handle, dx, w, c, dy, number, bytes);
}

EXPORT Status cudnnGetConvolutionBackwardFilterWorkspaceSize(
    Handle* handle, const Tensor* x, const Tensor* dy, const Convolution* c, const Filter* dw, int number, size_t* bytes) {
    ENTER("cudnnGetConvolutionBackwardFilterWorkspaceSize")
    return workspace("cudnnGetConvolutionBackwardFilterWorkspaceSize", Kind::BackwardFilter, handle, x, dw, c, dy, number, bytes);
}

EXPORT Status cudnnConvolutionForward(
    Handle* handle, const void* alpha, const Tensor* x, const void* xData, const Filter* w, const void* wData, const Convolution* c, int number,
    void* workspaceData, size_t workspaceBytes, const void* beta, const Tensor* y, void* yData) {
    ENTER("cudnnConvolutionForward")
    return convolve(
        "cudnnConvolutionForward", Kind::Forward, handle, alpha, beta, x, xData, w, wData, c, y, yData, number, workspaceData, workspaceBytes);
}

EXPORT Status cudnnConvolutionBackwardData(
    Handle* handle, const void* alpha, const Filter* w, const void* wData, const Tensor* dy, const void* dyData, const Convolution* c, int number,
    void* workspaceData, size_t workspaceBytes, const void* beta, const Tensor* dx, void* dxData) {
    ENTER("cudnnConvolutionBackwardData")
    return convolve(
        "cudnnConvolutionBackwardData", Kind::BackwardData, handle, alpha, beta, dx, dxData, w, wData, c, dy, dyData, number, workspaceData,
        workspaceBytes);
}

EXPORT Status cudnnConvolutionBackwardFilter(
    Handle* handle, const void* alpha, const Tensor* x, const void* xData, const Tensor* dy, const void* dyData, const Convolution* c, int number,
    void* workspaceData, size_t workspaceBytes, const void* beta, const Filter* dw, void* dwData) {
    ENTER("cudnnConvolutionBackwardFilter")
    return convolve(
        "cudnnConvolutionBackwardFilter", Kind::BackwardFilter, handle, alpha, beta, x, xData, dw, dwData, c, dy, dyData, number, workspaceData,
        workspaceBytes);
}

#define NAME(name) case name: return #name
EXPORT const char* cudnnGetErrorString(Status status) {
    switch (status) {
        NAME(CUDNN_STATUS_SUCCESS);
        NAME(CUDNN_STATUS_NOT_INITIALIZED);
        NAME(CUDNN_STATUS_BAD_PARAM);
        NAME(CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
        NAME(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
        NAME(CUDNN_STATUS_NOT_SUPPORTED);
        NAME(CUDNN_STATUS_INTERNAL_ERROR);
        NAME(CUDNN_STATUS_EXECUTION_FAILED);
        default: return "unknown cuDNN status";
    }
}

}  // namespace doubles
