// Kernels, right and wrong ones, that checks.cpp tries the fake libcuda with.
#include "shim.h"

struct View {
    float* data;
    int rows;
    int columns;
    int stride;
};

// y <- alpha x, by any grid.
KERNEL(scale)(float alpha, View x, View y) {
    long count = (long)x.rows * x.columns;
    for (long i = (blockIdx.x * (long)blockDim.x) + threadIdx.x; i < count; i += (long)gridDim.x * blockDim.x) {
        long row = i / x.columns, column = i % x.columns;
        y.data[(row * y.stride) + column] = alpha * x.data[(row * x.stride) + column];
    }
}

// sums_b <- the sum of x, in every block b, by a tree over 256 threads.
KERNEL(total)(View x, View sums) {
    SHARED float parts[256];
    float sum = 0;
    for (int i = (int)threadIdx.x; i < x.columns; i += 256) {
        sum += x.data[i];
    }

    parts[threadIdx.x] = sum;
    BARRIER();
    for (unsigned half = 128; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            parts[threadIdx.x] += parts[threadIdx.x + half];
        }

        BARRIER();
    }

    if (threadIdx.x == 0) {
        sums.data[blockIdx.x] = parts[0];
    }
}

// Only blocks with an odd number have barriers.
KERNEL(sometimes)(View y) {
    SHARED unsigned last;
    if (blockIdx.x % 2 == 1) {
        if (threadIdx.x == 5) {
            last = 100 + blockIdx.x;
        }

        BARRIER();
        y.data[(blockIdx.x * blockDim.x) + threadIdx.x] = (float)last;
    } else {
        y.data[(blockIdx.x * blockDim.x) + threadIdx.x] = (float)threadIdx.x;
    }
}

// Shared memory that nobody wrote.
KERNEL(unwritten)(View y) {
    SHARED float garbage[3];
    if (threadIdx.x == 0) {
        y.data[blockIdx.x] = garbage[1];
        garbage[1] = 7;
    }
}

// A barrier that thread 3 does not reach.
KERNEL(left_alone)(View) {
    if (threadIdx.x != 3) {
        BARRIER();
    }
}

// Two barriers, each for some of the threads.
KERNEL(apart)(View) {
    if (threadIdx.x == 3) {
        BARRIER();
    } else {
        BARRIER();
    }
}

// A neighbour's number without a barrier before it is read.
KERNEL(hasty)(View y) {
    SHARED float numbers[64];
    numbers[threadIdx.x] = (float)threadIdx.x;
    y.data[threadIdx.x] = numbers[(threadIdx.x + 1) % 64];
    BARRIER();
}

// All blocks wait for each other twice.
KERNEL(together)(View y, unsigned* arrived) {
    SHARED unsigned seen;
    for (unsigned round = 1; round <= 2; round++) {
        if (threadIdx.x == 0) {
            FENCE();
            ATOMIC_ADD(arrived, 1);
            while (VOLATILE_READ(arrived) < round * gridDim.x) {
            }

            FENCE();
            seen = VOLATILE_READ(arrived);
        }

        BARRIER();
    }

    if (threadIdx.x == 255) {
        y.data[blockIdx.x] = (float)seen;
    }
}

// Writes one number behind the last.
KERNEL(beyond)(View y) {
    if (threadIdx.x == 0) {
        y.data[y.columns] = 1;
    }
}
