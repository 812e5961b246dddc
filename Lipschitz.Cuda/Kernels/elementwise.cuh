// What treats every element alike. laneBits and width: see passes.cuh.
#pragma once

// x <- value (IBackend.Fill).
KERNEL(fill)(int laneBits, int width, float value, View x) {
    for_elements(laneBits, width, x.rows, x.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers;
        UNROLL
        for (int k = 0; k < w; k++) {
            numbers[k] = value;
        }

        store(x, i, j, numbers);
    });
}

// y <- x, same shapes (IBackend.Copy).
KERNEL(copy)(int laneBits, int width, View x, View y) {
    for_elements(laneBits, width, y.rows, y.columns, [&](auto w, unsigned i, unsigned j) { store(y, i, j, load(w, x, i, j)); });
}

// y <- alpha x + beta y, same shapes; with beta = 0 the old y is not read (IBackend.Axpby).
KERNEL(axpby)(int laneBits, int width, float alpha, View x, float beta, View y) {
    for_elements(laneBits, width, y.rows, y.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, x, i, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            numbers[k] *= alpha;
        }

        if (beta != 0) {
            Numbers<w> old = load(w, y, i, j);
            UNROLL
            for (int k = 0; k < w; k++) {
                numbers[k] = __builtin_fmaf(beta, old[k], numbers[k]);
            }
        }

        store(y, i, j, numbers);
    });
}

// y_ij += row_j (IBackend.AddRow). row [1, n], y [rows, n].
KERNEL(add_row)(int laneBits, int width, View row, View y) {
    for_elements(laneBits, width, y.rows, y.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> numbers = load(w, y, i, j), added = load(w, row, 0, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            numbers[k] += added[k];
        }

        store(y, i, j, numbers);
    });
}

// y_ij <- factors_(i mod B) x_ij (IBackend.ScaleRows). factors [B, 1], x and y [k B, n]; y may be x. A thread does all rows of a factor.
KERNEL(scale_rows)(int laneBits, int width, View factors, View x, View y) {
    for_elements(laneBits, width, factors.rows, y.columns, [&](auto w, unsigned i, unsigned j) {
        float factor = factors.at(i, 0);
        for (unsigned row = i; row < (unsigned)y.rows; row += factors.rows) {
            Numbers<w> numbers = load(w, x, row, j);
            UNROLL
            for (int k = 0; k < w; k++) {
                numbers[k] *= factor;
            }

            store(y, row, j, numbers);
        }
    });
}
