// All kernels of the CUDA back end. tools/build-ptx.sh compiles this file to kernels.ptx, which the assembly carries.
#include "prelude.cuh"
#include "math.cuh"
#include "products.cuh"
#include "convolution.cuh"
#include "weights.cuh"
