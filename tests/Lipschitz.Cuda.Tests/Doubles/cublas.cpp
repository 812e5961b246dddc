// A libcublas.so.12 that multiplies by plain loops: column-major, as the documentation of cuBLAS describes. Signatures and values as in
// cublas_api.h of CUDA 12.6 and 13.0.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "control.h"
#include "tf32.h"

namespace doubles {

enum Status : int {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_NOT_INITIALIZED = 1,
    CUBLAS_STATUS_ALLOC_FAILED = 3,
    CUBLAS_STATUS_INVALID_VALUE = 7,
    CUBLAS_STATUS_ARCH_MISMATCH = 8,
    CUBLAS_STATUS_MAPPING_ERROR = 11,
    CUBLAS_STATUS_EXECUTION_FAILED = 13,
    CUBLAS_STATUS_INTERNAL_ERROR = 14,
    CUBLAS_STATUS_NOT_SUPPORTED = 15,
    CUBLAS_STATUS_LICENSE_ERROR = 16,
};

enum Operation : int { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2 };

constexpr int CUBLAS_DEFAULT_MATH = 0;
constexpr int CUBLAS_PEDANTIC_MATH = 2;
constexpr int CUBLAS_TF32_TENSOR_OP_MATH = 3;

struct Handle {
    void* stream = nullptr;
    int math = CUBLAS_DEFAULT_MATH;
    int atomics = 0;
    int pointers = 0;
    void* workspace = nullptr;
};

static std::set<Handle*> handles;

#define EXPORT extern "C" __attribute__((visibility("default")))

// One call at a time.
static std::recursive_mutex& mutex = *new std::recursive_mutex();

#define ENTER(name)                                             \
    std::lock_guard<std::recursive_mutex> lock(mutex);          \
    if (int injected = lipschitz_double_enter(name)) {     \
        return static_cast<Status>(injected);              \
    }

#define ENTER_HANDLE(name)                                                 \
    ENTER(name)                                                            \
    if (handles.count(handle) == 0) {                                      \
        lipschitz_double_complain(name ": the handle does not exist");     \
        return CUBLAS_STATUS_NOT_INITIALIZED;                              \
    }

EXPORT Status cublasCreate_v2(Handle** handle) {
    ENTER("cublasCreate")
    if (lipschitz_double_hasContext() == 0) {
        lipschitz_double_complain("cublasCreate: no context is current");
        return CUBLAS_STATUS_NOT_INITIALIZED;
    }

    *handle = new Handle;
    handles.insert(*handle);
    lipschitz_double_resource("cuBLAS handle", *handle, 1);
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT Status cublasDestroy_v2(Handle* handle) {
    ENTER_HANDLE("cublasDestroy")
    handles.erase(handle);
    lipschitz_double_resource("cuBLAS handle", handle, -1);
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT Status cublasGetVersion_v2(Handle* handle, int* version) {
    ENTER_HANDLE("cublasGetVersion")
    *version = static_cast<int>(lipschitz_double_get("cublas"));
    return CUBLAS_STATUS_SUCCESS;
}

// Types: 0 major, 1 minor, 2 patch.
EXPORT Status cublasGetProperty(int type, int* value) {
    ENTER("cublasGetProperty")
    int version = static_cast<int>(lipschitz_double_get("cublas"));
    if (type < 0 || type > 2) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }

    *value = type == 0 ? version / 10000 : type == 1 ? version / 100 % 100 : version % 100;
    return CUBLAS_STATUS_SUCCESS;
}

// Takes the workspace away, too.
EXPORT Status cublasSetStream_v2(Handle* handle, void* stream) {
    ENTER_HANDLE("cublasSetStream")
    handle->stream = stream;
    handle->workspace = nullptr;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT Status cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
    ENTER_HANDLE("cublasSetWorkspace")
    bool isGood = reinterpret_cast<uintptr_t>(workspace) % 256 == 0 && (bytes == 0 || lipschitz_double_isDeviceMemory(workspace, bytes) != 0);
    if (!isGood) {
        lipschitz_double_complain("cublasSetWorkspace: the workspace is not memory of the device at a multiple of 256");
        return CUBLAS_STATUS_INVALID_VALUE;
    }

    handle->workspace = workspace;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT Status cublasSetMathMode(Handle* handle, int mode) {
    ENTER_HANDLE("cublasSetMathMode")
    int plain = mode & 15;
    if ((mode & ~31) != 0 || plain > CUBLAS_TF32_TENSOR_OP_MATH) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }

    handle->math = mode;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT Status cublasGetMathMode(Handle* handle, int* mode) {
    ENTER_HANDLE("cublasGetMathMode")
    *mode = handle->math;
    return CUBLAS_STATUS_SUCCESS;
}

EXPORT Status cublasSetAtomicsMode(Handle* handle, int mode) {
    ENTER_HANDLE("cublasSetAtomicsMode")
    handle->atomics = mode;
    return mode == 0 || mode == 1 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

EXPORT Status cublasSetPointerMode_v2(Handle* handle, int mode) {
    ENTER_HANDLE("cublasSetPointerMode")
    handle->pointers = mode;
    return mode == 0 || mode == 1 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

// c <- alpha op(a) op(b) + beta c for each of `count`; op(a) is m x k, op(b) k x n, all column-major.
struct Product {
    Operation transA, transB;
    long m, n, k;
    float alpha, beta;
    const float *a, *b;
    float* c;
    long lda, ldb, ldc, strideA, strideB, strideC, count;
    bool isTf32;

    static long extent(long rows, long columns, long leading) { return columns == 0 || rows == 0 ? 0 : ((columns - 1) * leading) + rows; }

    // A factor as a dense column-major rows x columns matrix.
    static std::vector<float> dense(const float* x, bool isTransposed, long rows, long columns, long leading, bool isTf32) {
        std::vector<float> values(static_cast<size_t>(rows * columns));
        for (long j = 0; j < columns; j++) {
            for (long i = 0; i < rows; i++) {
                float value = isTransposed ? x[(i * leading) + j] : x[(j * leading) + i];
                values[static_cast<size_t>((j * rows) + i)] = isTf32 ? toTf32(value) : value;
            }
        }

        return values;
    }

    void run() const {
        for (long batch = 0; batch < count; batch++) {
            bool isRead = alpha != 0 && k > 0;
            std::vector<float> left, right, sums(static_cast<size_t>(m));
            if (isRead) {
                left = dense(a + (batch * strideA), transA != CUBLAS_OP_N, m, k, lda, isTf32);
                right = dense(b + (batch * strideB), transB != CUBLAS_OP_N, k, n, ldb, isTf32);
            }

            for (long j = 0; j < n; j++) {
                std::fill(sums.begin(), sums.end(), 0.0f);
                for (long l = 0; isRead && l < k; l++) {
                    float factor = right[static_cast<size_t>((j * k) + l)];
                    const float* column = left.data() + (l * m);
                    for (long i = 0; i < m; i++) {
                        sums[static_cast<size_t>(i)] += column[i] * factor;
                    }
                }

                float* result = c + (batch * strideC) + (j * ldc);
                for (long i = 0; i < m; i++) {
                    float sum = alpha * sums[static_cast<size_t>(i)];
                    result[i] = beta == 0 ? sum : sum + (beta * result[i]);
                }
            }
        }
    }
};

static Status multiply(const char* call, Handle* handle, Product p, const float* alpha, const float* beta) {
    auto isOperation = [](Operation o) { return o >= CUBLAS_OP_N && o <= CUBLAS_OP_C; };
    if (!isOperation(p.transA) || !isOperation(p.transB) || p.m < 0 || p.n < 0 || p.k < 0 || p.count < 0 || alpha == nullptr || beta == nullptr) {
        lipschitz_double_complain((std::string(call) + ": a size or an operation that makes no sense").c_str());
        return CUBLAS_STATUS_INVALID_VALUE;
    }

    long rowsA = p.transA == CUBLAS_OP_N ? p.m : p.k, columnsA = p.transA == CUBLAS_OP_N ? p.k : p.m;
    long rowsB = p.transB == CUBLAS_OP_N ? p.k : p.n, columnsB = p.transB == CUBLAS_OP_N ? p.n : p.k;
    if (p.lda < std::max(1L, rowsA) || p.ldb < std::max(1L, rowsB) || p.ldc < std::max(1L, p.m)) {
        lipschitz_double_complain((std::string(call) + ": a leading dimension is less than its matrix has rows").c_str());
        return CUBLAS_STATUS_INVALID_VALUE;
    }

    if (p.m == 0 || p.n == 0 || p.count == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }

    if (handle->pointers != 0) {
        lipschitz_double_complain((std::string(call) + ": the fake takes scalars from the host only").c_str());
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }

    p.alpha = *alpha;
    p.beta = *beta;
    p.isTf32 = (handle->math & 15) == CUBLAS_TF32_TENSOR_OP_MATH;
    auto isLive = [&](const float* x, long rows, long columns, long leading, long stride) {
        long extent = Product::extent(rows, columns, leading);
        return extent == 0 || lipschitz_double_isDeviceMemory(x, static_cast<unsigned long>(((p.count - 1) * stride) + extent) * sizeof(float)) != 0;
    };
    bool isRead = p.alpha != 0 && p.k > 0;
    bool areFactors = !isRead || (isLive(p.a, rowsA, columnsA, p.lda, p.strideA) && isLive(p.b, rowsB, columnsB, p.ldb, p.strideB));
    if (!areFactors || !isLive(p.c, p.m, p.n, p.ldc, p.strideC)) {
        lipschitz_double_complain((std::string(call) + ": a matrix is not within one allocation on the device").c_str());
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }

    if (handle->workspace == nullptr && lipschitz_double_isCapturing(handle->stream) != 0) {
        lipschitz_double_complain((std::string(call) + ": captured without a workspace of its own").c_str());
    }

    int status = lipschitz_double_submit(handle->stream, call, [](void* data) { static_cast<Product*>(data)->run(); }, &p, sizeof p);
    return status == 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

EXPORT Status cublasSgemm_v2(
    Handle* handle, Operation transA, Operation transB, int m, int n, int k, const float* alpha, const float* a, int lda, const float* b, int ldb,
    const float* beta, float* c, int ldc) {
    ENTER_HANDLE("cublasSgemm")
    return multiply("cublasSgemm", handle, {transA, transB, m, n, k, 0, 0, a, b, c, lda, ldb, ldc, 0, 0, 0, 1, false}, alpha, beta);
}

EXPORT Status cublasSgemm_v2_64(
    Handle* handle, Operation transA, Operation transB, int64_t m, int64_t n, int64_t k, const float* alpha, const float* a, int64_t lda,
    const float* b, int64_t ldb, const float* beta, float* c, int64_t ldc) {
    ENTER_HANDLE("cublasSgemm_64")
    return multiply("cublasSgemm_64", handle, {transA, transB, m, n, k, 0, 0, a, b, c, lda, ldb, ldc, 0, 0, 0, 1, false}, alpha, beta);
}

EXPORT Status cublasSgemmStridedBatched(
    Handle* handle, Operation transA, Operation transB, int m, int n, int k, const float* alpha, const float* a, int lda, long long strideA,
    const float* b, int ldb, long long strideB, const float* beta, float* c, int ldc, long long strideC, int count) {
    ENTER_HANDLE("cublasSgemmStridedBatched")
    auto wide = [](long long stride) { return static_cast<long>(stride); };
    Product p{transA, transB, m, n, k, 0, 0, a, b, c, lda, ldb, ldc, wide(strideA), wide(strideB), wide(strideC), count, false};
    return multiply("cublasSgemmStridedBatched", handle, p, alpha, beta);
}

#define NAME(name) case name: return #name
EXPORT const char* cublasGetStatusName(Status status) {
    switch (status) {
        NAME(CUBLAS_STATUS_SUCCESS);
        NAME(CUBLAS_STATUS_NOT_INITIALIZED);
        NAME(CUBLAS_STATUS_ALLOC_FAILED);
        NAME(CUBLAS_STATUS_INVALID_VALUE);
        NAME(CUBLAS_STATUS_ARCH_MISMATCH);
        NAME(CUBLAS_STATUS_MAPPING_ERROR);
        NAME(CUBLAS_STATUS_EXECUTION_FAILED);
        NAME(CUBLAS_STATUS_INTERNAL_ERROR);
        NAME(CUBLAS_STATUS_NOT_SUPPORTED);
        NAME(CUBLAS_STATUS_LICENSE_ERROR);
        default: return "unknown cuBLAS status";
    }
}

EXPORT const char* cublasGetStatusString(Status status) { return cublasGetStatusName(status); }

}  // namespace doubles
