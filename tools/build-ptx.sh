#!/bin/sh
# Compiles the CUDA kernels to Lipschitz.Cuda/Kernels/kernels.ptx, which the assembly carries. Needs Debian's clang-14 (CLANG names another one),
# neither a GPU nor the CUDA toolkit. Run it after each change of Kernels/*.cu and *.cuh; a test fails while the PTX is older than they are.
set -eu
cd "$(dirname "$0")/../Lipschitz.Cuda/Kernels"
clang=${CLANG:-clang-14}
new=$(mktemp)
trap 'rm -f "$new"' EXIT

# The hash is that of all sources one after the other, by name; without carriage returns, which git may add.
hash=$(LC_ALL=C ls ./*.cu ./*.cuh | LC_ALL=C sort | xargs cat | tr -d '\r' | sha256sum | cut -d ' ' -f 1)
{
    echo "// sources $hash, compiler $("$clang" --version | head -n 1)"
    # Products and sums are fused only where the sources say so: the bits are then those of the tests' build by g++. PTX 7.5 and sm_80 are what
    # drivers of CUDA 11.5 and GPUs from 2020 on understand.
    "$clang" -x cuda --cuda-device-only -nocudainc -nocudalib --cuda-gpu-arch=sm_80 -Xclang -target-feature -Xclang +ptx75 -std=c++17 -O3 \
        -ffp-contract=off -Wall -Werror -S kernels.cu -o -
} > "$new"

# What the driver could not link: functions of a device library, variables of other files, dynamic shared memory.
if grep -n '\.extern' "$new" >&2; then
    echo "build-ptx.sh: the lines above refer to what is not in the PTX; write it in Kernels/." >&2
    exit 1
fi

cat "$new" > kernels.ptx
echo "kernels.ptx: $(grep -c '\.entry' kernels.ptx) kernels, $(wc -c < kernels.ptx) bytes"
