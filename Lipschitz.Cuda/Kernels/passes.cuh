// How threads share the elements of matrices, and sums over a block.
//
// A block of 256 threads covers 256 / lanes rows; the lanes of a row stand side by side, each at `width` neighbouring columns: 4, read and
// written at once, or 1. lanes is a power of two, 2^laneBits, chosen by the host for the number of columns (Passes.cs). Where blocks run out,
// threads go on one grid further. Rows lie along blockIdx.x, columns along blockIdx.y.
#pragma once

// The number of neighbouring elements a thread works on at once, as a constant.
template <int W>
struct Width {
    METHOD constexpr operator int() const { return W; }
};

// Neighbouring elements of a row.
template <int W>
struct Numbers {
    float at[W];

    METHOD float& operator[](int k) { return at[k]; }
    METHOD float operator[](int k) const { return at[k]; }
};

// Elements (i, j), .. (i, j + W - 1).
template <int W>
DEVICE Numbers<W> load(Width<W>, const View& x, unsigned i, unsigned j) {
    Numbers<W> numbers;
    if constexpr (W == 4) {
        Four four = *(const Four*)&x.at(i, j);
        UNROLL
        for (int k = 0; k < W; k++) {
            numbers[k] = four[k];
        }
    } else {
        numbers[0] = x.at(i, j);
    }

    return numbers;
}

template <int W>
DEVICE void store(View& y, unsigned i, unsigned j, const Numbers<W>& numbers) {
    if constexpr (W == 4) {
        *(Four*)&y.at(i, j) = Four{numbers[0], numbers[1], numbers[2], numbers[3]};
    } else {
        y.at(i, j) = numbers[0];
    }
}

template <int W, class Body>
DEVICE void for_elements_by(Width<W> width, int laneBits, int rows, int columns, const Body& body) {
    unsigned lane = threadIdx.x & ((1u << laneBits) - 1), group = threadIdx.x >> laneBits, groups = blockDim.x >> laneBits;
    for (unsigned j = ((blockIdx.y << laneBits) + lane) * W; j < (unsigned)columns; j += (gridDim.y << laneBits) * W) {
        for (unsigned i = blockIdx.x * groups + group; i < (unsigned)rows; i += gridDim.x * groups) {
            body(width, i, j);
        }
    }
}

// body(width, i, j) for this thread's elements (i, j) .. (i, j + width - 1) of a [rows, columns] matrix.
template <class Body>
DEVICE void for_elements(int laneBits, int width, int rows, int columns, const Body& body) {
    if (width == 4) {
        for_elements_by(Width<4>(), laneBits, rows, columns, body);
    } else {
        for_elements_by(Width<1>(), laneBits, rows, columns, body);
    }
}

// The sum of x over the threads of the block that stand in the same row, for each of them; in an order that depends on laneBits alone.
template <class T>
DEVICE T sum_over_lanes(T x, int laneBits) {
    SHARED T sums[256];
    unsigned lane = threadIdx.x & ((1u << laneBits) - 1);
    BARRIER();  // the last sum has been read
    sums[threadIdx.x] = x;
    BARRIER();
    for (unsigned half = (1u << laneBits) / 2; half > 0; half /= 2) {
        if (lane < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
        }

        BARRIER();
    }

    return sums[threadIdx.x - lane];
}

// The sum of x over the threads of the block that stand in the same column; only those in the first row get it.
template <class T>
DEVICE T sum_over_groups(T x, int laneBits) {
    SHARED T sums[256];
    BARRIER();  // the last sum has been read
    sums[threadIdx.x] = x;
    BARRIER();
    for (unsigned half = blockDim.x / 2; half >= 1u << laneBits; half /= 2) {
        if (threadIdx.x < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
        }

        BARRIER();
    }

    return sums[threadIdx.x];
}

// The sum of x over the 256 threads of the block, for each of them.
template <class T>
DEVICE T sum_over_block(T x) {
    return sum_over_lanes(x, 8);
}
