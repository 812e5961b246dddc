// Norms of weights by power iteration, weights scaled to a norm, and the factors of concatenations; see IBackend, "weights".
// Power iterations run as one kernel whose blocks wait for each other, so that the host is asked for nothing between two iterations.

// Waits until all blocks of the grid, which must all be resident, are here; what they wrote before is then visible. counter is zero before the
// first time; passed counts the arrivals that had to be there at the last one. Both may wrap around.
DEVICE void wait_for_grid(unsigned* counter, unsigned& passed) {
    BARRIER();
    if (gridDim.x == 1) {
        return;
    }

    passed += gridDim.x;
    if (threadIdx.x == 0) {
        FENCE();
        ATOMIC_ADD(counter, 1u);
        while ((int)(VOLATILE_READ(counter) - passed) < 0) {
        }

        FENCE();
    }

    BARRIER();
}

// Whether the estimate has settled (IBackend.PowerIterate); last is NaN in the first iteration.
DEVICE bool has_settled(double value, double last, double tolerance) {
    double difference = value < last ? last - value : value - last;
    return tolerance > 0 && difference <= tolerance * value;
}

// ---- matrices ----

// sum_i x_i y_i over n numbers, by the whole block.
DEVICE double dot_by_block(const float* x, const float* y, int n) {
    double sum = 0;
    for (int i = threadIdx.x; i < n; i += 256) {
        sum += (double)x[i] * y[i];
    }

    return sum_over_block(sum);
}

// left_i <- sum_j w_ij x_j scale for the rows of this block, 32 at a time: 32 neighbouring threads share a row.
DEVICE void rows_times(const View& w, const float* x, float scale, float* left) {
    SHARED float parts[32][33];
    int lane = threadIdx.x % 32, group = threadIdx.x / 32;
    for (int first = (int)blockIdx.x * 32; first < w.rows; first += (int)gridDim.x * 32) {
        float sum[4] = {0, 0, 0, 0};
        for (int j = lane; j < w.columns; j += 32) {
            float number = x[j] * scale;
            UNROLL
            for (int r = 0; r < 4; r++) {
                int i = first + group + 8 * r;
                sum[r] = i < w.rows ? __builtin_fmaf(w.at(i, j), number, sum[r]) : 0;
            }
        }

        UNROLL
        for (int r = 0; r < 4; r++) {
            parts[group + 8 * r][lane] = sum[r];
        }

        BARRIER();
        if (group == 0 && first + lane < w.rows) {
            float total = 0;
            for (int k = 0; k < 32; k++) {
                total += parts[lane][k];
            }

            left[first + lane] = total;
        }

        BARRIER();
    }
}

// right_j <- sum_i w_ij x_i scale for the columns of this block, 32 at a time: 8 groups of threads share the rows.
DEVICE void columns_times(const View& w, const float* x, float scale, float* right) {
    SHARED float parts[8][32];
    int lane = threadIdx.x % 32, group = threadIdx.x / 32;
    for (int first = (int)blockIdx.x * 32; first < w.columns; first += (int)gridDim.x * 32) {
        int j = first + lane;
        float sum = 0;
        for (int i = group; j < w.columns && i < w.rows; i += 8) {
            sum = __builtin_fmaf(w.at(i, j), x[i] * scale, sum);
        }

        parts[group][lane] = sum;
        BARRIER();
        if (group == 0 && j < w.columns) {
            float total = 0;
            for (int k = 0; k < 8; k++) {
                total += parts[k][lane];
            }

            right[j] = total;
        }

        BARRIER();
    }
}

// y <- x scale for the numbers that rows_times or columns_times wrote in this block.
DEVICE void scale_own(const float* x, float scale, int n, float* y) {
    for (int first = (int)blockIdx.x * 32; first < n; first += (int)gridDim.x * 32) {
        int i = first + (int)threadIdx.x;
        if (threadIdx.x < 32 && i < n) {
            y[i] = x[i] * scale;
        }
    }
}

// u <- W v/|W v|, v <- W'u/|W'u| again and again, sigma <- u'W v (IBackend.PowerIterate). w [m, n]; left [m] and right [n] are scratch and hold
// W v and W'u; counter: see wait_for_grid. After an iteration u'W v = |W'u|. Every block finds the same norms, and so the same end.
KERNEL(power_iterate)(
    View w, int iterations, double tolerance, View u, View v, View sigma, float* left, float* right, unsigned* counter) {
    unsigned passed = 0;
    double value = 0, last = __builtin_nan("");
    const float* source = v.data;
    float scale = 1;
    for (int made = 0; made < iterations; made++) {
        rows_times(w, source, scale, left);
        wait_for_grid(counter, passed);
        double length = __builtin_sqrt(dot_by_block(left, left, w.rows));
        if (length == 0) {
            value = 0;
            break;
        }

        float inverse = (float)(1 / length);
        columns_times(w, left, inverse, right);
        wait_for_grid(counter, passed);
        value = __builtin_sqrt(dot_by_block(right, right, w.columns));
        if (value == 0) {
            break;
        }

        source = right;
        scale = (float)(1 / value);
        scale_own(left, inverse, w.rows, u.data);
        scale_own(right, scale, w.columns, v.data);
        if (has_settled(value, last, tolerance)) {
            break;
        }

        last = value;
    }

    if (iterations == 0) {
        rows_times(w, source, scale, left);
        wait_for_grid(counter, passed);
        value = dot_by_block(u.data, left, w.rows);
    }

    if (blockIdx.x == 0 && threadIdx.x == 0) {
        sigma.data[0] = (float)value;
    }
}

// ---- convolutions ----

// What lies under the kernel at each pixel of one picture [pixels, channels], times scale, as the left factor of a product: element
// (pixel, tap channels + channel).
struct PixelFactor {
    const float* picture;
    float scale;
    int channels, height, width, kernel;
    unsigned count;  // pixels
    bool innerIsLast;
};

struct PixelPlace {
    int y, x;
};

struct TapPlace {
    int dy, dx, channel;
};

DEVICE PixelPlace outer_place(const PixelFactor& factor, unsigned pixel) {
    return {(int)pixel / factor.width, (int)pixel % factor.width};
}

DEVICE TapPlace inner_place(const PixelFactor& factor, int inner) {
    int tap = inner / factor.channels;
    return {tap / factor.kernel - factor.kernel / 2, tap % factor.kernel - factor.kernel / 2, inner % factor.channels};
}

DEVICE float element(const PixelFactor& factor, PixelPlace pixel, TapPlace tap) {
    int y = pixel.y + tap.dy, x = pixel.x + tap.dx;
    bool isInside = y >= 0 && y < factor.height && x >= 0 && x < factor.width;
    return isInside ? factor.picture[((long long)y * factor.width + x) * factor.channels + tap.channel] * factor.scale : 0;
}

// The weight of a convolution [outputs taps, inputs], or of its adjoint, as the right factor: element (channel of the result, tap channels +
// channel of the argument).
struct FilterFactor {
    View weight;
    int channels, taps;  // channels of the argument
    unsigned count;      // channels of the result
    bool innerIsLast;    // the convolution itself; not its adjoint
};

DEVICE long long outer_place(const FilterFactor& factor, unsigned result) {
    return factor.innerIsLast ? (long long)result * factor.taps * factor.weight.stride : result;
}

DEVICE long long inner_place(const FilterFactor& factor, int inner) {
    int tap = inner / factor.channels, channel = inner % factor.channels;
    return factor.innerIsLast ? (long long)tap * factor.weight.stride + channel
                              : ((long long)channel * factor.taps + factor.taps - 1 - tap) * factor.weight.stride;
}

DEVICE float element(const FilterFactor& factor, long long result, long long inner) {
    return factor.weight.data[result + inner];
}

// parts [splits pixels, results] <- the product of the two, cut into tiles of 64 x 64 and parts of `depth` inner indices, which the blocks share.
DEVICE void convolve_parts(const PixelFactor& pixels, const FilterFactor& filter, int depth, float* parts) {
    int inner = filter.taps * filter.channels, splits = inner == 0 ? 1 : (inner + depth - 1) / depth;
    int columnTiles = ((int)filter.count + 63) / 64, tiles = ((int)pixels.count + 63) / 64 * columnTiles;
    for (long long unit = blockIdx.x; unit < (long long)tiles * splits; unit += gridDim.x) {
        int tile = (int)(unit % tiles), split = (int)(unit / tiles), from = split * depth;
        unsigned row = tile / columnTiles * 64, column = tile % columnTiles * 64;
        float sum[4][4];
        tile_clear(sum);
        multiply_tile<4, 4>(pixels, filter, row, column, from, inner - from > depth ? from + depth : inner, sum);
        UNROLL
        for (int r = 0; r < 4; r++) {
            unsigned i = row + tile_place<4>(threadIdx.x / 16, r);
            UNROLL
            for (int c = 0; c < 4; c++) {
                unsigned j = column + tile_place<4>(threadIdx.x % 16, c);
                if (i < pixels.count && j < filter.count) {
                    parts[((long long)split * pixels.count + i) * filter.count + j] = sum[r][c];
                }
            }
        }
    }
}

// target [n] <- the sum of the parts [splits, n]; returns the inner product of target and other. sums: a number a block.
DEVICE double add_and_dot(
    const float* parts, int splits, int n, const float* other, float* target, double* sums, unsigned* counter, unsigned& passed) {
    double dot = 0;
    for (long long e = (long long)blockIdx.x * 256 + threadIdx.x; e < n; e += (long long)gridDim.x * 256) {
        float sum = 0;
        for (int s = 0; s < splits; s++) {
            sum += parts[(long long)s * n + e];
        }

        target[e] = sum;
        dot += (double)sum * other[e];
    }

    dot = sum_over_block(dot);
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = dot;
    }

    wait_for_grid(counter, passed);
    double total = 0;
    for (unsigned b = threadIdx.x; b < gridDim.x; b += 256) {
        total += sums[b];
    }

    return sum_over_block(total);
}

// y <- x scale for the numbers that add_and_dot wrote in this thread.
DEVICE void scale_own_sums(const float* x, float scale, int n, float* y) {
    for (long long e = (long long)blockIdx.x * 256 + threadIdx.x; e < n; e += (long long)gridDim.x * 256) {
        y[e] = x[e] * scale;
    }
}

// As power_iterate, of the operator that a convolution is on one picture (IBackend.PowerIterateConvolution). w [outputs taps, inputs],
// u [1, pixels outputs], v [1, pixels inputs]. forwardDepth and adjointDepth, multiples of TILE_DEPTH: see convolve_parts. Scratch: left
// [pixels outputs], right [pixels inputs], parts as large as the larger of both products, sums a number a block.
KERNEL(power_iterate_convolution)(
    View w, int height, int width, int kernel, int iterations, double tolerance, View u, View v, View sigma, int forwardDepth, int adjointDepth,
    float* left, float* right, float* parts, double* sums, unsigned* counter) {
    unsigned passed = 0;
    int taps = kernel * kernel, outputs = w.rows / taps, inputs = w.columns, pixels = height * width, m = pixels * outputs, n = pixels * inputs;
    int forwardSplits = taps * inputs == 0 ? 1 : (taps * inputs + forwardDepth - 1) / forwardDepth;
    int adjointSplits = taps * outputs == 0 ? 1 : (taps * outputs + adjointDepth - 1) / adjointDepth;
    PixelFactor argument = {v.data, 1, inputs, height, width, kernel, (unsigned)pixels, true};
    PixelFactor image = {left, 1, outputs, height, width, kernel, (unsigned)pixels, true};
    FilterFactor filter = {w, inputs, taps, (unsigned)outputs, true}, adjoint = {w, outputs, taps, (unsigned)inputs, false};
    double value = 0, last = __builtin_nan("");
    for (int made = 0; made < iterations; made++) {
        convolve_parts(argument, filter, forwardDepth, parts);
        wait_for_grid(counter, passed);
        double length = __builtin_sqrt(add_and_dot(parts, forwardSplits, m, left, left, sums, counter, passed));
        if (length == 0) {
            value = 0;
            break;
        }

        image.scale = (float)(1 / length);
        convolve_parts(image, adjoint, adjointDepth, parts);
        wait_for_grid(counter, passed);
        value = __builtin_sqrt(add_and_dot(parts, adjointSplits, n, right, right, sums, counter, passed));
        if (value == 0) {
            break;
        }

        argument.picture = right;
        argument.scale = (float)(1 / value);
        scale_own_sums(left, image.scale, m, u.data);
        scale_own_sums(right, argument.scale, n, v.data);
        if (has_settled(value, last, tolerance)) {
            break;
        }

        last = value;
    }

    if (iterations == 0) {
        convolve_parts(argument, filter, forwardDepth, parts);
        wait_for_grid(counter, passed);
        value = add_and_dot(parts, forwardSplits, m, u.data, left, sums, counter, passed);
    }

    if (blockIdx.x == 0 && threadIdx.x == 0) {
        sigma.data[0] = (float)value;
    }
}

// ---- weights scaled to a norm ----

// min(1, coefficient/sigma), NaN where sigma is.
DEVICE double norm_factor(const View& sigma, double coefficient) {
    double factor = coefficient / sigma.data[0];
    return factor > 1 ? 1 : factor;
}

// effective_ij <- w_ij min(1, coefficient/sigma) columnScale_j (IBackend.NormaliseWeight). All [m, n], columnScale [1, n].
KERNEL(normalise_weight)(View w, View sigma, double coefficient, View columnScale, View effective) {
    float factor = (float)norm_factor(sigma, coefficient);
    long long elements = (long long)w.rows * w.columns;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < elements; e += (long long)gridDim.x * blockDim.x) {
        int i = (int)(e / w.columns), j = (int)(e % w.columns);
        effective.at(i, j) = w.at(i, j) * factor * columnScale.data[j];
    }
}

// dots [chunks, n] <- sum_i gradient_ij w_ij over the rows of each chunk: the first of three passes of IBackend.NormaliseWeightBackward.
// blockIdx.x counts 32 columns, blockIdx.y chunks of `chunk` rows.
KERNEL(weight_dots)(View w, View gradient, int chunk, double* dots) {
    SHARED float parts[8][32];
    int lane = threadIdx.x % 32, group = threadIdx.x / 32, j = (int)blockIdx.x * 32 + lane;
    int from = (int)blockIdx.y * chunk, to = w.rows - from > chunk ? from + chunk : w.rows;
    float sum = 0;
    for (int i = from + group; j < w.columns && i < to; i += 8) {
        sum = __builtin_fmaf(gradient.at(i, j), w.at(i, j), sum);
    }

    parts[group][lane] = sum;
    BARRIER();
    if (group == 0 && j < w.columns) {
        double total = 0;
        for (int k = 0; k < 8; k++) {
            total += parts[k][lane];
        }

        dots[(long long)blockIdx.y * w.columns + j] = total;
    }
}

// columnGradient_j <- min(1, coefficient/sigma) s_j and product <- sum_j columnScale_j s_j, s_j being the sum of the chunks' dots: the second
// pass, one block.
KERNEL(weight_column_gradient)(
    const double* dots, int chunks, View sigma, double coefficient, View columnScale, View columnGradient, double* product) {
    double factor = norm_factor(sigma, coefficient), sum = 0;
    int n = columnGradient.columns;
    for (int j = threadIdx.x; j < n; j += 256) {
        double dot = 0;
        for (int k = 0; k < chunks; k++) {
            dot += dots[(long long)k * n + j];
        }

        columnGradient.data[j] = (float)(factor * dot);
        sum += columnScale.data[j] * dot;
    }

    sum = sum_over_block(sum);
    if (threadIdx.x == 0) {
        *product = sum;
    }
}

// The third pass. With G_ij = gradient_ij columnScale_j: gradient <- G, or where sigma > coefficient (coefficient/sigma) (G - (product/sigma) D),
// D being the derivative of sigma: u v', or [m, n] in `direction` where u.data is null.
DEVICE void weight_gradient(
    const View& sigma, double coefficient, const View& columnScale, const View& u, const View& v, const View& direction, const double* product,
    const View& gradient) {
    double norm = sigma.data[0];
    bool isActive = norm > coefficient;
    float factor = isActive ? (float)(coefficient / norm) : 1, across = isActive ? (float)(coefficient / norm * (*product / norm)) : 0;
    long long elements = (long long)gradient.rows * gradient.columns;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < elements; e += (long long)gridDim.x * blockDim.x) {
        int i = (int)(e / gradient.columns), j = (int)(e % gradient.columns);
        float& g = gradient.at(i, j);
        float scaled = factor * (columnScale.data[j] * g);
        if (isActive) {
            float derivative = u.data ? u.data[i] * v.data[j] : direction.at(i, j);
            scaled = __builtin_fmaf(-across, derivative, scaled);
        }

        g = scaled;
    }
}

// The third pass where the derivative of sigma is u v'.
KERNEL(weight_gradient_outer)(View sigma, double coefficient, View columnScale, View u, View v, const double* product, View gradient) {
    weight_gradient(sigma, coefficient, columnScale, u, v, View(), product, gradient);
}

// The third pass where the derivative of sigma is given.
KERNEL(weight_gradient_along)(View sigma, double coefficient, View columnScale, View direction, const double* product, View gradient) {
    weight_gradient(sigma, coefficient, columnScale, View(), View(), direction, product, gradient);
}

// ---- concatenations ----

// What a layer of a chain of concatenations multiplies by: h = softplus(K) + 0.1 of both inputs, e = bound h/|h|.
struct LayerFactors {
    double h1, h2, length, e1, e2;
};

// Layer 1.. of raw [depth, 2].
DEVICE LayerFactors layer_factors(const View& raw, double bound, int layer) {
    LayerFactors f;
    f.h1 = softplus_(raw.at(layer - 1, 0)) + 0.1;
    f.h2 = softplus_(raw.at(layer - 1, 1)) + 0.1;
    f.length = __builtin_sqrt(f.h1 * f.h1 + f.h2 * f.h2);
    f.e1 = bound * f.h1 / f.length;
    f.e2 = bound * f.h2 / f.length;
    return f;
}

// scales [depth + 1, columns]: row i holds the factor by which the input of layer i + 1 carries a column, 0 in columns of later slices
// (IBackend.ConcatenationScales). widths [depth + 1] of the slices. One thread a column.
KERNEL(concatenation_scales)(View raw, double bound, const int* widths, View scales) {
    for (int j = (int)(blockIdx.x * blockDim.x + threadIdx.x); j < scales.columns; j += (int)(gridDim.x * blockDim.x)) {
        int slice = 0, end = widths[0];
        while (j >= end) {
            end += widths[++slice];
        }

        double factor = slice == 0 ? 1 : 0;
        scales.at(0, j) = (float)factor;
        for (int i = 1; i < scales.rows; i++) {
            if (i >= slice) {
                LayerFactors f = layer_factors(raw, bound, i);
                factor = i == slice ? f.e2 : factor * f.e1;
            }

            scales.at(i, j) = (float)factor;
        }
    }
}

// sums [depth + 1, depth + 1] <- element (i, s) the sum of row i of scalesGradient over the columns of slice s, for s <= i. One block of 32 threads
// for each (blockIdx.x = i, blockIdx.y = s).
KERNEL(concatenation_sums)(const int* widths, View scalesGradient, double* sums) {
    SHARED double parts[32];
    int i = blockIdx.x, slice = blockIdx.y, lane = threadIdx.x, start = 0;
    for (int s = 0; s < slice; s++) {
        start += widths[s];
    }

    double sum = 0;
    for (int j = lane; slice <= i && j < widths[slice]; j += 32) {
        sum += scalesGradient.at(i, start + j);
    }

    parts[lane] = sum;
    BARRIER();
    if (lane == 0) {
        double total = 0;
        for (int k = 0; k < 32; k++) {
            total += parts[k];
        }

        sums[(long long)i * gridDim.y + slice] = total;
    }
}

// rawGradient [depth, 2] += the derivative of sum(scalesGradient scales) with respect to raw (IBackend.ConcatenationScalesBackward), from the sums
// above. One thread: a chain from the last layer to the first. factors is scratch [depth + 1, depth + 1].
KERNEL(concatenation_backward)(View raw, double bound, double* sums, double* factors, View rawGradient) {
    if (blockIdx.x > 0 || threadIdx.x > 0) {
        return;
    }

    int depth = raw.rows, slices = depth + 1;
    factors[0] = 1;
    for (int i = 1; i <= depth; i++) {
        LayerFactors f = layer_factors(raw, bound, i);
        for (int s = 0; s < i; s++) {
            factors[i * slices + s] = factors[(i - 1) * slices + s] * f.e1;
        }

        factors[i * slices + i] = f.e2;
    }

    // Row i of sums becomes the adjoint of row i of the factors, to which row i + 1 adds through its e1.
    for (int i = depth; i >= 1; i--) {
        LayerFactors f = layer_factors(raw, bound, i);
        double* adjoint = sums + i * slices;
        double g1 = 0, g2 = adjoint[i];
        for (int s = 0; s < i; s++) {
            g1 += adjoint[s] * factors[(i - 1) * slices + s];
            adjoint[s - slices] += adjoint[s] * f.e1;
        }

        // d(h/|h|) = (dh - (h . dh) h/|h|^2)/|h|, which is its own adjoint; dh = sigmoid(K) dK.
        double radial = (f.h1 * g1 + f.h2 * g2) / (f.length * f.length);
        rawGradient.at(i - 1, 0) += (float)(bound / f.length * (g1 - radial * f.h1) * sigmoid_(raw.at(i - 1, 0)));
        rawGradient.at(i - 1, 1) += (float)(bound / f.length * (g2 - radial * f.h2) * sigmoid_(raw.at(i - 1, 1)));
    }
}
