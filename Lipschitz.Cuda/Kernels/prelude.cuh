// What every kernel may use of its compiler, and the matrix view. Two compilers read these files: clang makes PTX of them (tools/build-ptx.sh),
// without the headers of a CUDA toolkit; g++ makes plain functions of them for the tests, with the same names from shim.h.
//
//   KERNEL(name)      begins an entry point
//   DEVICE, METHOD    begin a function and a member function
//   SHARED            begins the declaration of memory that the threads of a block share; its contents are arbitrary at first
//   BARRIER()         all threads of the block wait for each other, and see what the others wrote
//   UNROLL            before a loop over numbers that a thread keeps, so that these are registers
//   FENCE(), ATOMIC_ADD, VOLATILE_READ   only for kernels whose blocks wait for each other
#pragma once

#ifdef LIPSCHITZ_HOST

#include "shim.h"
#define METHOD inline
#define UNROLL

#else

struct Index {
    unsigned x, y, z;
};

#define KERNEL(name) extern "C" __attribute__((global)) void name
#define DEVICE static __attribute__((device, always_inline)) inline
#define METHOD __attribute__((device, always_inline)) inline
#define SHARED static __attribute__((shared))
#define BARRIER() __syncthreads()
#define UNROLL _Pragma("unroll")
#define FENCE() __nvvm_membar_gl()
#define ATOMIC_ADD(address, value) ((unsigned)__nvvm_atom_add_gen_i((int*)(address), (int)(value)))
#define VOLATILE_READ(address) (*(const volatile unsigned*)(address))

#define INDEX_OF(name) \
    (Index{(unsigned)__nvvm_read_ptx_sreg_##name##_x(), (unsigned)__nvvm_read_ptx_sreg_##name##_y(), (unsigned)__nvvm_read_ptx_sreg_##name##_z()})
#define threadIdx INDEX_OF(tid)
#define blockIdx INDEX_OF(ctaid)
#define blockDim INDEX_OF(ntid)
#define gridDim INDEX_OF(nctaid)

#endif

// A matrix of float32: Runtime/DeviceView.cs, 24 bytes. Element (i, j) is at data[i stride + j].
struct View {
    float* data;
    int rows;
    int columns;
    int stride;

    METHOD float& at(long long i, long long j) const { return data[i * stride + j]; }
};

static_assert(sizeof(View) == 24, "View must be what DeviceView.cs passes");

// Four numbers that are read or written at once; their address must be a multiple of 16.
typedef float Four __attribute__((vector_size(16), may_alias));
