// Matrix products where cuBLAS is missing, and the tile of a product that the power iteration of convolutions uses too.

// A factor of a product as a tile reads it: element (outer, inner), outer being the row of the left factor or the column of the right one.
// innerIsLast says along which of the two the memory is contiguous, so that neighbouring threads read neighbouring numbers. What a factor has to
// work out of an index is its place; an outer index stays with a thread, so that its place is found once.
struct MatrixFactor {
    View view;
    unsigned count;  // of outer indices
    bool innerIsLast;
};

DEVICE unsigned outer_place(const MatrixFactor&, unsigned outer) {
    return outer;
}

DEVICE int inner_place(const MatrixFactor&, int inner) {
    return inner;
}

DEVICE float element(const MatrixFactor& factor, unsigned outer, int inner) {
    return factor.innerIsLast ? factor.view.at(outer, inner) : factor.view.at(inner, outer);
}

// Numbers of the inner dimension that a tile holds in shared memory at once.
#define TILE_DEPTH 16

// Where one of the 16 x 16 threads keeps its numbers of a tile of 16 P rows: runs of up to 4 neighbours, so that shared memory is read
// four numbers at a time.
template <int P>
DEVICE unsigned tile_place(unsigned thread, int number) {
    return P < 4 ? thread * P + number : thread * 4 + number % 4 + number / 4 * 64;
}

// The numbers of a row of a tile that belong to one of the 16 x 16 threads.
template <int P>
DEVICE void tile_pick(const float* row, unsigned thread, float (&numbers)[P]) {
    UNROLL
    for (int r = 0; r < P / 4 * 4; r += 4) {
        Four four = *(const Four*)(row + tile_place<P>(thread, r));
        UNROLL
        for (int q = 0; q < 4; q++) {
            numbers[r + q] = four[q];
        }
    }

    UNROLL
    for (int r = P / 4 * 4; r < P; r++) {
        numbers[r] = row[tile_place<P>(thread, r)];
    }
}

// Which of 16 P outer indices, and which of TILE_DEPTH inner ones, a thread reads as its number r.
template <int P>
DEVICE unsigned outer_of(bool innerIsLast, int r) {
    return innerIsLast ? threadIdx.x / TILE_DEPTH + 16 * r : threadIdx.x % (16 * P);
}

template <int P>
DEVICE unsigned inner_of(bool innerIsLast, int r) {
    return innerIsLast ? threadIdx.x % TILE_DEPTH : threadIdx.x / (16 * P) + 16 / P * r;
}

// This thread's share of 16 P outer indices from `outer` and TILE_DEPTH inner ones from `inner`, zero outside.
template <int P, class Factor, class Place>
DEVICE void tile_read(const Factor& factor, const Place (&places)[P], unsigned outer, int inner, int end, float (&numbers)[P]) {
    UNROLL
    for (int r = 0; r < P; r++) {
        unsigned i = outer + outer_of<P>(factor.innerIsLast, r), p = inner + inner_of<P>(factor.innerIsLast, r);
        auto place = inner_place(factor, (int)p);
        numbers[r] = i < factor.count && p < (unsigned)end ? element(factor, places[r], place) : 0;
    }
}

// The same numbers into shared memory [TILE_DEPTH, 16 P], rows 4 apart more than needed, against conflicts of banks.
template <int P>
DEVICE void tile_write(bool innerIsLast, const float (&numbers)[P], float (*tile)[16 * P + 4]) {
    UNROLL
    for (int r = 0; r < P; r++) {
        tile[inner_of<P>(innerIsLast, r)][outer_of<P>(innerIsLast, r)] = numbers[r];
    }
}

// sum <- 0. (An initialiser would become a loop over bytes of memory.)
template <int PM, int PN>
DEVICE void tile_clear(float (&sum)[PM][PN]) {
    UNROLL
    for (int r = 0; r < PM; r++) {
        UNROLL
        for (int c = 0; c < PN; c++) {
            sum[r][c] = 0;
        }
    }
}

// sum[r][c] += sum over p = from.. to-1 of left(row + .., p) right(column + .., p), in order of p. A block of 256 threads makes a tile of
// 16 PM rows and 16 PN columns; thread t holds rows tile_place<PM>(t / 16, r) and columns tile_place<PN>(t % 16, c) of it. The next numbers are
// on their way from memory while the present ones are multiplied.
template <int PM, int PN, class Left, class Right>
DEVICE void multiply_tile(const Left& left, const Right& right, unsigned row, unsigned column, int from, int to, float (&sum)[PM][PN]) {
    SHARED __attribute__((aligned(16))) float lefts[TILE_DEPTH][16 * PM + 4];
    SHARED __attribute__((aligned(16))) float rights[TILE_DEPTH][16 * PN + 4];
    unsigned threadRow = threadIdx.x / 16, threadColumn = threadIdx.x % 16;
    if (from >= to) {
        return;
    }

    decltype(outer_place(left, row)) leftPlaces[PM];
    decltype(outer_place(right, column)) rightPlaces[PN];
    UNROLL
    for (int r = 0; r < PM; r++) {
        leftPlaces[r] = outer_place(left, row + outer_of<PM>(left.innerIsLast, r));
    }

    UNROLL
    for (int c = 0; c < PN; c++) {
        rightPlaces[c] = outer_place(right, column + outer_of<PN>(right.innerIsLast, c));
    }

    float nextLeft[PM], nextRight[PN];
    tile_read(left, leftPlaces, row, from, to, nextLeft);
    tile_read(right, rightPlaces, column, from, to, nextRight);
    int start = from;
    for (int rest = to - from; rest > 0; rest -= TILE_DEPTH) {
        BARRIER();  // the last tile has been read
        tile_write<PM>(left.innerIsLast, nextLeft, lefts);
        tile_write<PN>(right.innerIsLast, nextRight, rights);
        BARRIER();
        if (rest > TILE_DEPTH) {
            start += TILE_DEPTH;
            tile_read(left, leftPlaces, row, start, to, nextLeft);
            tile_read(right, rightPlaces, column, start, to, nextRight);
        }

        UNROLL
        for (int p = 0; p < TILE_DEPTH; p++) {
            float a[PM], b[PN];
            tile_pick<PM>(lefts[p], threadRow, a);
            tile_pick<PN>(rights[p], threadColumn, b);
            UNROLL
            for (int r = 0; r < PM; r++) {
                UNROLL
                for (int c = 0; c < PN; c++) {
                    sum[r][c] = __builtin_fmaf(a[r], b[c], sum[r][c]);
                }
            }
        }
    }
}

// c <- op(a) op(b) + beta c (IBackend.Multiply); with beta = 0 the old c is not read. blockIdx.x counts tiles of c, row by row. blockIdx.y counts
// parts of `depth` inner indices, a multiple of TILE_DEPTH: part s goes into rows s m .. of c, for add_parts.
template <int PM, int PN>
DEVICE void multiply(const View& a, int transposeA, const View& b, int transposeB, int depth, float beta, const View& c) {
    unsigned rows = transposeA ? a.columns : a.rows, columns = c.columns;
    int inner = transposeA ? a.rows : a.columns;
    unsigned tiles = (columns + 16 * PN - 1) / (16 * PN);
    unsigned row = blockIdx.x / tiles * (16 * PM), column = blockIdx.x % tiles * (16 * PN);
    int from = (int)blockIdx.y * depth, to = inner - from > depth ? from + depth : inner;
    MatrixFactor left = {a, rows, !transposeA}, right = {b, columns, transposeB != 0};
    float sum[PM][PN];
    tile_clear(sum);
    multiply_tile<PM, PN>(left, right, row, column, from, to, sum);
    UNROLL
    for (int r = 0; r < PM; r++) {
        unsigned i = row + tile_place<PM>(threadIdx.x / 16, r);
        UNROLL
        for (int k = 0; k < PN; k++) {
            unsigned j = column + tile_place<PN>(threadIdx.x % 16, k);
            if (i < rows && j < columns) {
                float& target = c.at((long long)blockIdx.y * rows + i, j);
                target = beta == 0 ? sum[r][k] : __builtin_fmaf(beta, target, sum[r][k]);
            }
        }
    }
}

// Tiles of 128 x 128 for large products.
KERNEL(multiply_large)(View a, int transposeA, View b, int transposeB, int depth, float beta, View c) {
    multiply<8, 8>(a, transposeA, b, transposeB, depth, beta, c);
}

// Tiles of 64 x 64 where larger ones would leave multiprocessors idle.
KERNEL(multiply_square)(View a, int transposeA, View b, int transposeB, int depth, float beta, View c) {
    multiply<4, 4>(a, transposeA, b, transposeB, depth, beta, c);
}

// Tiles of 128 x 16 for at most 16 columns.
KERNEL(multiply_tall)(View a, int transposeA, View b, int transposeB, int depth, float beta, View c) {
    multiply<8, 1>(a, transposeA, b, transposeB, depth, beta, c);
}

// Tiles of 16 x 128 for at most 16 rows.
KERNEL(multiply_wide)(View a, int transposeA, View b, int transposeB, int depth, float beta, View c) {
    multiply<1, 8>(a, transposeA, b, transposeB, depth, beta, c);
}

// c [m, n] <- the sum of the parts [count m, n], first to last, + beta c; the second pass of a product whose inner dimension was split.
KERNEL(add_parts)(View parts, int count, float beta, View c) {
    long long elements = (long long)c.rows * c.columns;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < elements; e += (long long)gridDim.x * blockDim.x) {
        float sum = 0;
        for (int s = 0; s < count; s++) {
            sum += parts.data[s * elements + e];
        }

        float& target = c.at(e / c.columns, e % c.columns);
        target = beta == 0 ? sum : __builtin_fmaf(beta, target, sum);
    }
}

// target [k, n] <- op(source), op the transpose where asked for (IBackend.Pack).
KERNEL(pack_matrix)(View source, int transpose, View target) {
    long long elements = (long long)target.rows * target.columns;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < elements; e += (long long)gridDim.x * blockDim.x) {
        long long i = e / target.columns, j = e % target.columns;
        target.at(i, j) = transpose ? source.at(j, i) : source.at(i, j);
    }
}
