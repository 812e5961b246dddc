// What kernels.cu needs of a compiler for GPUs, for g++: the places of threads and blocks, barriers and shared memory. The fake libcuda
// (cuda.cpp) includes kernels.cu behind this header and runs it; see blocks.h for how threads wait for each other.
#pragma once
#include <sched.h>

namespace doubles {

struct Index {
    unsigned x, y, z;
};

struct Runner;
struct Context;

// All that the fake keeps for one thread of the operating system. It is the only thread-local variable of the library that is not shared
// memory of kernels, which lets blocks.h fill all the rest with garbage.
struct Thread {
    Index index, block, blockSize, gridSize;  // of the thread of the kernel that runs
    Runner* runner;
    Context* context;    // the current one
    int captureMode;     // of cuThreadExchangeStreamCaptureMode
    char* shared;        // the shared memory of the block that runs here
    unsigned long sharedBytes;
};

static __thread Thread thread;

void barrier(const char* file, int line);
void spin();  // called in each turn of a loop that waits for another block

}  // namespace doubles

#define KERNEL(name) extern "C" __attribute__((noinline)) void name
#define DEVICE static inline
#define SHARED static __thread
#define BARRIER() doubles::barrier(__FILE__, __LINE__)
#define FENCE() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define ATOMIC_ADD(address, value) __atomic_fetch_add((unsigned*)(address), (unsigned)(value), __ATOMIC_SEQ_CST)
#define VOLATILE_READ(address) (doubles::spin(), __atomic_load_n((unsigned*)(address), __ATOMIC_SEQ_CST))

#define threadIdx doubles::thread.index
#define blockIdx doubles::thread.block
#define blockDim doubles::thread.blockSize
#define gridDim doubles::thread.gridSize
