// Squeezing, the logit map of pictures, and the loss of classifiers.
#pragma once

// Between a picture and the one with 2 x 2 pixels made one (IBackend.Squeeze, and back: Unsqueeze). whole [B, height width channels], squeezed
// [B, the same]: channel 4 c + 2 dy + dx of a new pixel is channel c of the pixel at offset (dy, dx). Neighbouring threads write side by side.
KERNEL(squeeze)(int laneBits, int width, int channels, int isBack, View whole, View squeezed) {
    for_elements(laneBits, 1, whole.rows, whole.columns, [&](auto, unsigned i, unsigned target) {
        unsigned n = channels, row, column, c, place;
        if (isBack) {
            c = target % n;
            row = target / n / width;
            column = target / n % width;
        } else {
            unsigned channel = target % (4 * n), pixel = target / (4 * n);
            c = channel / 4;
            row = pixel / (width / 2) * 2 + channel / 2 % 2;
            column = pixel % (width / 2) * 2 + channel % 2;
        }

        place = (row / 2 * (width / 2) + column / 2) * 4 * n + 4 * c + 2 * (row % 2) + column % 2;
        unsigned source = (row * width + column) * n + c;
        if (isBack) {
            whole.at(i, source) = squeezed.at(i, place);
        } else {
            squeezed.at(i, place) = whole.at(i, source);
        }
    });
}

// y <- log(s/(1 - s)) with s = alpha + (1 - 2 alpha) x; logDet_i += sum_j log((1 - 2 alpha)/(s (1 - s))) (IBackend.LogitForward), in double since
// 1 - s cancels. x, y [B, n], logDet [B, 1]; 2^laneBits threads share a row, blockIdx.x counts their groups.
KERNEL(logit_forward)(int laneBits, double alpha, View x, View y, View logDet) {
    unsigned lanes = 1u << laneBits, lane = threadIdx.x & (lanes - 1), i = blockIdx.x * (256 >> laneBits) + (threadIdx.x >> laneBits);
    double range = 1 - 2 * alpha, sum = 0;
    for (unsigned j = lane; i < (unsigned)x.rows && j < (unsigned)x.columns; j += lanes) {
        double s = __builtin_fma(range, (double)x.at(i, j), alpha), log = log_(s), rest = log_(1 - s);
        y.at(i, j) = (float)(log - rest);
        sum -= log + rest;
    }

    sum = sum_over_lanes(sum, laneBits);
    if (lane == 0 && i < (unsigned)x.rows) {
        logDet.at(i, 0) = (float)(logDet.at(i, 0) + sum + x.columns * log_(range));
    }
}

// x <- (sigmoid(y) - alpha)/(1 - 2 alpha) (IBackend.LogitInverse). x may be y. inverseRange is 1/(1 - 2 alpha).
KERNEL(logit_inverse)(int laneBits, int width, float alpha, float inverseRange, View y, View x) {
    for_elements(laneBits, width, x.rows, x.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, y, i, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            numbers[k] = (sigmoid_(numbers[k]) - alpha) * inverseRange;
        }

        store(x, i, j, numbers);
    });
}

// xGradient <- dy/dx (yGradient + logDetGradient (2 s - 1)) from y (IBackend.LogitBackward). With e = exp(-|y|): dy/dx = range (1 + e)^2/e and
// |2 s - 1| = (1 - e)/(1 + e), without cancellation. y, yGradient, xGradient [B, n], logDetGradient [B, 1]; xGradient may be yGradient.
KERNEL(logit_backward)(int laneBits, int width, float range, View y, View yGradient, View logDetGradient, View xGradient) {
    for_elements(laneBits, width, y.rows, y.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, y, i, j), gradient = load(w, yGradient, i, j);
        float ofLogDet = logDetGradient.at(i, 0);
        UNROLL
        for (int k = 0; k < w; k++) {
            float minusOne, e = exp_of_negative(-magnitude(numbers[k]), minusOne), sum = 1 + e;
            float difference = with_sign(minusOne / sum, numbers[k]), slope = range * sum * (sum / e);
            numbers[k] = slope * __builtin_fmaf(ofLogDet, difference, gradient[k]);
        }

        store(xGradient, i, j, numbers);
    });
}

// The greatest x over the threads of the block that stand in the same row, for each of them. NaN may get lost.
DEVICE float greatest_of_lanes(float x, int laneBits) {
    SHARED float greatest[256];
    unsigned lane = threadIdx.x & ((1u << laneBits) - 1);
    greatest[threadIdx.x] = x;
    BARRIER();
    for (unsigned half = (1u << laneBits) / 2; half > 0; half /= 2) {
        if (lane < half) {
            float other = greatest[threadIdx.x + half];
            greatest[threadIdx.x] = greatest[threadIdx.x] >= other ? greatest[threadIdx.x] : other;
        }

        BARRIER();
    }

    return greatest[threadIdx.x - lane];
}

// loss_i <- log sum_j exp(logits_ij) - logits_i,label, gradient <- softmax(logits) - the unit vector of the label (IBackend.SoftmaxCrossEntropy);
// NaN where the label is none of the classes. logits, gradient [B, K], labels, loss [B, 1]; 2^laneBits threads share a row, blockIdx.x counts
// their groups.
KERNEL(softmax_cross_entropy)(int laneBits, View logits, View labels, View loss, View gradient) {
    unsigned lanes = 1u << laneBits, lane = threadIdx.x & (lanes - 1), i = blockIdx.x * (256 >> laneBits) + (threadIdx.x >> laneBits);
    unsigned classes = i < (unsigned)logits.rows ? logits.columns : 0;
    float largest = -__builtin_inff(), sum = 0;
    for (unsigned j = lane; j < classes; j += lanes) {
        float x = logits.at(i, j);
        largest = largest >= x ? largest : x;
    }

    largest = greatest_of_lanes(largest, laneBits);
    for (unsigned j = lane; j < classes; j += lanes) {
        sum += exp_(logits.at(i, j) - largest);
    }

    sum = sum_over_lanes(sum, laneBits);
    float label = classes > 0 ? labels.at(i, 0) : 0;
    bool isClass = label > -1 && label < classes;
    unsigned place = isClass ? (unsigned)label : 0;
    for (unsigned j = lane; j < classes; j += lanes) {
        float p = exp_(logits.at(i, j) - largest) / sum;
        gradient.at(i, j) = isClass ? p - (j == place ? 1 : 0) : __builtin_nanf("");
    }

    if (lane == 0 && i < (unsigned)logits.rows) {
        loss.at(i, 0) = isClass ? (float)log_(sum) + (largest - logits.at(i, place)) : __builtin_nanf("");
    }
}
