// Convolutions as products, where cuDNN is missing: the pixels under the kernel are gathered into the rows of a matrix. Pictures lie pixel by
// pixel, channels side by side; see IBackend.Images.cs.

// The row of the pixel under a tap of the kernel, seen from the pixel at (y, x) of the picture that starts at row `first`; -1 outside.
DEVICE long long neighbour(long long first, int y, int x, int tap, int height, int width, int kernel) {
    int row = y + tap / kernel - kernel / 2, column = x + tap % kernel - kernel / 2;
    bool isInside = row >= 0 && row < height && column >= 0 && column < width;
    return isInside ? first + (long long)row * width + column : -1;
}

// columns [rows, taps inputs] <- for pixels first .. of x [B pixels, inputs], what lies under the kernel, tap by tap, zeros outside the picture:
// the left factor of the product that a convolution is (IBackend.Convolve), and the right one of its weight gradient. One block a row.
KERNEL(gather_pixels)(View x, int height, int width, int kernel, int first, View columns) {
    for (int i = blockIdx.x; i < columns.rows; i += gridDim.x) {
        int pixels = height * width, row = first + i, pixel = row % pixels;
        for (int j = threadIdx.x; j < columns.columns; j += blockDim.x) {
            int tap = j / x.columns, channel = j % x.columns;
            long long from = neighbour(row - pixel, pixel / width, pixel % width, tap, height, width, kernel);
            columns.at(i, j) = from < 0 ? 0 : x.at(from, channel);
        }
    }
}

// Input channels inputStart .. of filter [outputs taps, inputs] <- weight [outputs taps, k]; or, for the adjoint, <- weight [k taps, outputs] with
// the taps in reverse, since the adjoint reads the pixel that the convolution writes (IBackend.PackConvolution).
KERNEL(pack_convolution)(View weight, int adjoint, int taps, int inputStart, View filter) {
    int inputs = adjoint ? weight.rows / taps : weight.columns;
    long long elements = (long long)filter.rows * inputs;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < elements; e += (long long)gridDim.x * blockDim.x) {
        int row = (int)(e / inputs), channel = (int)(e % inputs), output = row / taps, tap = row % taps;
        filter.at(row, inputStart + channel) =
            adjoint ? weight.at((long long)channel * taps + taps - 1 - tap, output) : weight.at(row, channel);
    }
}
