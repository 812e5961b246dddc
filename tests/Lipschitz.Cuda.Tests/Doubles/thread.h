// What the fake libcuda keeps for each thread of the operating system.
#pragma once

namespace doubles {

struct Index {
    unsigned x, y, z;
};

struct Runner;
struct Context;

// The only thread-local variable of the library that is not shared memory of kernels, which lets blocks.h fill all the rest with garbage.
struct Thread {
    Index index, block, blockSize, gridSize;  // of the thread of the kernel that runs
    Runner* runner;
    char* shared;  // the shared memory of the block that runs here
    unsigned long sharedBytes;
    Context* context;  // the current one
    int captureMode;   // of cuThreadExchangeStreamCaptureMode
};

extern __thread Thread thread __attribute__((visibility("hidden")));

}  // namespace doubles
