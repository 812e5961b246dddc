// What kernels.cu needs of a compiler for GPUs, for g++: the places of threads and blocks, barriers and shared memory. kernels.cpp includes
// kernels.cu behind this header; see blocks.h for how threads wait for each other.
#pragma once
#include "thread.h"

namespace doubles {

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
