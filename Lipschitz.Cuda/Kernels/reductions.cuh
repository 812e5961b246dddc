// Sums. Where one block a row or column would leave the device idle, or take too long, there are two passes: blocks write sums of parts, and a
// second launch adds these up. The parts depend on the shape alone, and so does the result.
#pragma once

// term(first) + term(first + step) + .. below end, in four sums that are added up last, so that four numbers are on their way from memory at a time.
template <class Term>
DEVICE float add_terms(unsigned first, unsigned end, unsigned step, const Term& term) {
    float sums[4] = {0, 0, 0, 0};
    unsigned i = first;
    for (; i + 3 * step < end; i += 4 * step) {
        UNROLL
        for (int k = 0; k < 4; k++) {
            sums[k] += term(i + k * step);
        }
    }

    for (; i < end; i += step) {
        sums[0] += term(i);
    }

    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// sums_cj <- alpha sum_i term(i, j) + beta sums_cj over the rows i of chunk c, `chunk` rows each; with beta = 0 the old sums are not read.
// blockIdx.x counts tiles of 2^laneBits columns, blockIdx.y chunks.
template <class Term>
DEVICE void add_columns(int laneBits, int rows, int columns, int chunk, float alpha, float beta, const View& sums, const Term& term) {
    unsigned lane = threadIdx.x & ((1u << laneBits) - 1), group = threadIdx.x >> laneBits, groups = blockDim.x >> laneBits;
    unsigned j = (blockIdx.x << laneBits) + lane, from = blockIdx.y * (unsigned)chunk;
    unsigned to = (unsigned)rows - from > (unsigned)chunk ? from + chunk : rows;
    float sum = j < (unsigned)columns ? add_terms(from + group, to, groups, [&](unsigned i) { return term(i, j); }) : 0;
    sum = alpha * sum_over_groups(sum, laneBits);
    if (group == 0 && j < (unsigned)columns) {
        float& target = sums.at(blockIdx.y, j);
        target = beta == 0 ? sum : __builtin_fmaf(beta, target, sum);
    }
}

// sums [chunks, n] <- alpha the sum of the rows of x in each chunk + beta sums (IBackend.ColumnSums, and the mean of IBackend.ColumnMoments).
// x [rows, n].
KERNEL(column_sums)(int laneBits, View x, int chunk, float alpha, float beta, View sums) {
    add_columns(laneBits, x.rows, x.columns, chunk, alpha, beta, sums, [&](unsigned i, unsigned j) { return x.at(i, j); });
}

// sums_cj [chunks, n] <- alpha sum_i (x_ij - mean_j)^2 over the rows of chunk c (the variance of IBackend.ColumnMoments). x [rows, n], mean [1, n].
KERNEL(column_squares)(int laneBits, View x, View mean, int chunk, float alpha, View sums) {
    add_columns(laneBits, x.rows, x.columns, chunk, alpha, 0, sums, [&](unsigned i, unsigned j) {
        float difference = x.at(i, j) - mean.at(0, j);
        return difference * difference;
    });
}

// sums_ic <- alpha sum_j term(i, j) + beta sums_ic over the columns j of chunk c, `chunk` columns each; with beta = 0 the old sums are not read.
// 2^laneBits threads share a row; blockIdx.x counts their groups, blockIdx.y chunks.
template <class Term>
DEVICE void add_rows(int laneBits, int rows, int columns, int chunk, float alpha, float beta, const View& sums, const Term& term) {
    unsigned lanes = 1u << laneBits, lane = threadIdx.x & (lanes - 1);
    unsigned i = blockIdx.x * (blockDim.x >> laneBits) + (threadIdx.x >> laneBits), from = blockIdx.y * (unsigned)chunk;
    unsigned to = (unsigned)columns - from > (unsigned)chunk ? from + chunk : columns;
    float sum = i < (unsigned)rows ? add_terms(from + lane, to, lanes, [&](unsigned j) { return term(i, j); }) : 0;
    sum = alpha * sum_over_lanes(sum, laneBits);
    if (lane == 0 && i < (unsigned)rows) {
        float& target = sums.at(i, blockIdx.y);
        target = beta == 0 ? sum : __builtin_fmaf(beta, target, sum);
    }
}

// dots [rows, chunks] <- alpha sum_j x_ij y_ij over the columns of each chunk + beta dots (IBackend.RowDots). x, y [rows, n].
KERNEL(row_dots)(int laneBits, View x, View y, int chunk, float alpha, float beta, View dots) {
    add_rows(laneBits, x.rows, x.columns, chunk, alpha, beta, dots, [&](unsigned i, unsigned j) { return x.at(i, j) * y.at(i, j); });
}

// sums [rows, 1] <- alpha sum_j x_ij + beta sums: the second pass of IBackend.RowDots.
KERNEL(row_sums)(int laneBits, View x, int chunk, float alpha, float beta, View sums) {
    add_rows(laneBits, x.rows, x.columns, chunk, alpha, beta, sums, [&](unsigned i, unsigned j) { return x.at(i, j); });
}

// *found <- 1 if some element of x is not finite, else as it was (IBackend.AllFinite). Whoever writes, writes the same.
KERNEL(find_not_finite)(int laneBits, int width, View x, float* found) {
    bool isFinite = true;
    for_elements(laneBits, width, x.rows, x.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, x, i, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            isFinite = isFinite && magnitude(numbers[k]) < __builtin_inff();
        }
    });
    if (!isFinite) {
        *found = 1;
    }
}

// parts_b <- the sum of the squares of the elements of x that block b has, in double (IBackend.Norm).
KERNEL(sum_squares)(int laneBits, int width, View x, double* parts) {
    double sum = 0;
    for_elements(laneBits, width, x.rows, x.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, x, i, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            sum = __builtin_fma((double)numbers[k], (double)numbers[k], sum);
        }
    });
    sum = sum_over_block(sum);
    if (threadIdx.x == 0) {
        parts[blockIdx.y * gridDim.x + blockIdx.x] = sum;
    }
}

// The sum of `count` numbers by a block of 256 threads, for each of them.
DEVICE double sum_by_block(const double* parts, int count, int stride) {
    double sum = 0;
    for (int k = threadIdx.x; k < count; k += 256) {
        sum += parts[(long long)k * stride];
    }

    return sum_over_block(sum);
}

// norm [1, 1] <- the root of the sum of the parts; one block, the second pass of IBackend.Norm.
KERNEL(root_of_sum)(double* parts, int count, View norm) {
    double sum = sum_by_block(parts, count, 1);
    if (threadIdx.x == 0) {
        norm.at(0, 0) = (float)__builtin_sqrt(sum);
    }
}
