// The affine map of ActNorm, a shift and a scale for each column. shift, logScale [1, n]; laneBits and width: see passes.cuh.
#pragma once

// y <- (x + shift) exp(logScale) (IBackend.ActNormForward). x, y [rows, n].
KERNEL(actnorm_forward)(int laneBits, int width, View x, View shift, View logScale, View y) {
    for_elements(laneBits, width, y.rows, y.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, x, i, j), shifts = load(w, shift, 0, j), logs = load(w, logScale, 0, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            numbers[k] = (numbers[k] + shifts[k]) * exp_(logs[k]);
        }

        store(y, i, j, numbers);
    });
}

// logDet_i += rowsPerSample sum_j logScale_j (IBackend.ActNormForward). logDet [B, 1], 256 of them a block.
KERNEL(actnorm_log_det)(View logScale, int rowsPerSample, View logDet) {
    double sum = 0;
    for (unsigned j = threadIdx.x; j < (unsigned)logScale.columns; j += 256) {
        sum += logScale.at(0, j);
    }

    float total = (float)(rowsPerSample * sum_over_block(sum));
    unsigned i = blockIdx.x * 256 + threadIdx.x;
    if (i < (unsigned)logDet.rows) {
        logDet.at(i, 0) += total;
    }
}

// x <- y exp(-logScale) - shift (IBackend.ActNormInverse). x may be y.
KERNEL(actnorm_inverse)(int laneBits, int width, View y, View shift, View logScale, View x) {
    for_elements(laneBits, width, x.rows, x.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, y, i, j), shifts = load(w, shift, 0, j), logs = load(w, logScale, 0, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            numbers[k] = numbers[k] * exp_(-logs[k]) - shifts[k];
        }

        store(x, i, j, numbers);
    });
}

// xGradient <- yGradient exp(logScale), and the sums over the rows of each chunk that the next kernel adds up: row 2 c of parts
// [2 chunks, n] <- sum_i yGradient_ij, row 2 c + 1 <- sum_i yGradient_ij y_ij (IBackend.ActNormBackward). xGradient may be yGradient.
// blockIdx.x counts tiles of 2^laneBits columns, blockIdx.y chunks of `chunk` rows.
KERNEL(actnorm_backward)(int laneBits, View y, View logScale, View yGradient, int chunk, View xGradient, View parts) {
    unsigned lane = threadIdx.x & ((1u << laneBits) - 1), group = threadIdx.x >> laneBits, groups = blockDim.x >> laneBits;
    unsigned j = (blockIdx.x << laneBits) + lane, from = blockIdx.y * (unsigned)chunk;
    unsigned to = (unsigned)y.rows - from > (unsigned)chunk ? from + chunk : y.rows;
    float sum = 0, dot = 0, scale = j < (unsigned)y.columns ? exp_(logScale.at(0, j)) : 0;
    for (unsigned i = from + group; j < (unsigned)y.columns && i < to; i += groups) {
        float gradient = yGradient.at(i, j);
        sum += gradient;
        dot = __builtin_fmaf(gradient, y.at(i, j), dot);
        xGradient.at(i, j) = gradient * scale;
    }

    sum = sum_over_groups(sum, laneBits);
    dot = sum_over_groups(dot, laneBits);
    if (group == 0 && j < (unsigned)y.columns) {
        parts.at(2 * blockIdx.y, j) = sum;
        parts.at(2 * blockIdx.y + 1, j) = dot;
    }
}

// shiftGradient_j += exp(logScale_j) times the sum of the parts, logScaleGradient_j += that of the others + rowsPerSample
// sum_i logDetGradient_i (IBackend.ActNormBackward). logDetGradient [B, 1]; a thread a column, 256 a block.
KERNEL(actnorm_sums)(View parts, View logScale, int rowsPerSample, View logDetGradient, View shiftGradient, View logScaleGradient) {
    double volume = 0;
    for (unsigned i = threadIdx.x; i < (unsigned)logDetGradient.rows; i += 256) {
        volume += logDetGradient.at(i, 0);
    }

    volume = sum_over_block(volume);
    unsigned j = blockIdx.x * 256 + threadIdx.x;
    if (j < (unsigned)logScale.columns) {
        double sum = 0, dot = rowsPerSample * volume;
        for (int c = 0; c < parts.rows; c += 2) {
            sum += parts.at(c, j);
            dot += parts.at(c + 1, j);
        }

        shiftGradient.at(0, j) = (float)__builtin_fma((double)exp_(logScale.at(0, j)), sum, (double)shiftGradient.at(0, j));
        logScaleGradient.at(0, j) += (float)dot;
    }
}
