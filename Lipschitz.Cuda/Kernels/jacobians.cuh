// One d x d matrix a sample, d being 2 or little more: a thread a sample, plain loops in double. Matrices that a thread works on lie in scratch
// memory, number by number and thread beside thread.
#pragma once

// Numbers of one thread in scratch memory.
struct Strided {
    double* data;
    long long stride;  // the number of threads of the grid

    METHOD double& operator[](int k) const { return data[k * stride]; }
};

// This thread's numbers first, first + 1, .. of scratch.
DEVICE Strided own_numbers(double* scratch, int first) {
    long long threads = (long long)gridDim.x * blockDim.x;
    return {scratch + first * threads + (long long)blockIdx.x * blockDim.x + threadIdx.x, threads};
}

// body(i) for the samples of this thread.
template <class Body>
DEVICE void for_samples(int samples, const Body& body) {
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (unsigned)samples; i += gridDim.x * blockDim.x) {
        body(i);
    }
}

DEVICE void exchange(double& x, double& y) {
    double old = x;
    x = y;
    y = old;
}

// b <- a^-1 b by Gaussian elimination with partial pivoting, a being lost; a, b [d, d]. Returns the sign of det a, 0 where it is singular, which
// leaves NaN in b; logarithm <- log |det a|.
DEVICE int solve(int d, Strided a, Strided b, double& logarithm) {
    int sign = 1;
    logarithm = 0;
    for (int k = 0; k < d; k++) {
        int pivot = k;
        for (int i = k + 1; i < d; i++) {
            pivot = magnitude(a[i * d + k]) > magnitude(a[pivot * d + k]) ? i : pivot;
        }

        if (pivot != k) {
            sign = -sign;
            for (int j = 0; j < d; j++) {
                exchange(a[k * d + j], a[pivot * d + j]);
                exchange(b[k * d + j], b[pivot * d + j]);
            }
        }

        double diagonal = a[k * d + k];
        logarithm += log_(magnitude(diagonal));
        sign = diagonal > 0 ? sign : diagonal < 0 ? -sign : 0;
        for (int i = k + 1; i < d; i++) {
            double factor = a[i * d + k] / diagonal;
            for (int j = 0; j < d; j++) {
                a[i * d + j] = __builtin_fma(-factor, a[k * d + j], a[i * d + j]);
                b[i * d + j] = __builtin_fma(-factor, b[k * d + j], b[i * d + j]);
            }
        }
    }

    for (int k = d - 1; k >= 0; k--) {
        for (int j = 0; j < d; j++) {
            double value = b[k * d + j];
            for (int i = k + 1; i < d; i++) {
                value = __builtin_fma(-a[k * d + i], b[i * d + j], value);
            }

            b[k * d + j] = sign == 0 ? __builtin_nan("") : value / a[k * d + k];
        }
    }

    return sign;
}

// Block 0 of tangents [d B, d] <- probe [B, d]; blocks 1.. <- the unit vectors except the one along the probe's largest component in magnitude,
// the first of equals (IBackend.CompleteBasis).
KERNEL(complete_basis)(View probe, View tangents) {
    for_samples(probe.rows, [&](unsigned i) {
        int d = probe.columns, largest = 0;
        for (int j = 0; j < d; j++) {
            float component = probe.at(i, j);
            tangents.at(i, j) = component;
            largest = magnitude(component) > magnitude(probe.at(i, largest)) ? j : largest;
        }

        for (int block = 1; block < d; block++) {
            int one = block <= largest ? block - 1 : block;
            for (int j = 0; j < d; j++) {
                tangents.at((long long)block * probe.rows + i, j) = j == one ? 1 : 0;
            }
        }
    });
}

// jacobians_i [B, d d] <- the matrix J with J t = image for the d tangents of sample i: J' from t_k' J' = image_k' (IBackend.SolveJacobians).
// tangents, images [d B, d]; scratch: 2 d^2 numbers a thread.
KERNEL(solve_jacobians)(View tangents, View images, View jacobians, double* scratch) {
    int d = tangents.columns;
    Strided a = own_numbers(scratch, 0), b = own_numbers(scratch, d * d);
    for_samples(jacobians.rows, [&](unsigned i) {
        for (int k = 0; k < d; k++) {
            for (int j = 0; j < d; j++) {
                a[k * d + j] = tangents.at((long long)k * jacobians.rows + i, j);
                b[k * d + j] = images.at((long long)k * jacobians.rows + i, j);
            }
        }

        double logarithm;
        solve(d, a, b, logarithm);
        for (int k = 0; k < d; k++) {
            for (int j = 0; j < d; j++) {
                jacobians.at(i, k * d + j) = (float)b[j * d + k];
            }
        }
    });
}

// logDet_i <- log det(I + J_i), NaN where the determinant is not positive; cotangents [d B, d], block k row i <- row k of (I + J_i)^-1, which is
// (I + J_i)^-T e_k (IBackend.ExactLogDet). jacobians [B, d d], logDet [B, 1]; scratch: 2 d^2 numbers a thread.
KERNEL(exact_log_det)(View jacobians, View logDet, View cotangents, double* scratch) {
    int d = cotangents.columns;
    Strided a = own_numbers(scratch, 0), inverse = own_numbers(scratch, d * d);
    for_samples(jacobians.rows, [&](unsigned i) {
        for (int k = 0; k < d; k++) {
            for (int j = 0; j < d; j++) {
                a[k * d + j] = jacobians.at(i, k * d + j) + (j == k ? 1.0 : 0.0);
                inverse[k * d + j] = j == k ? 1 : 0;
            }
        }

        double logarithm;
        int sign = solve(d, a, inverse, logarithm);
        logDet.at(i, 0) = sign > 0 ? (float)logarithm : __builtin_nanf("");
        for (int k = 0; k < d; k++) {
            for (int j = 0; j < d; j++) {
                cotangents.at((long long)k * jacobians.rows + i, j) = (float)inverse[k * d + j];
            }
        }
    });
}

// With u_k = (J')^k probe, k = 1..terms: logDet_i <- sum_k values_k u_k . probe, cotangent_i <- probe + sum_k weights_k u_k
// (IBackend.SeriesLogDet). coefficients: the values, then the weights. jacobians [B, d d], probe and cotangent [B, d], logDet [B, 1];
// scratch: 3 d numbers a thread.
KERNEL(series_log_det)(View jacobians, View probe, const double* coefficients, int terms, View logDet, View cotangent, double* scratch) {
    int d = probe.columns;
    Strided total = own_numbers(scratch, 2 * d);
    for_samples(probe.rows, [&](unsigned i) {
        Strided u = own_numbers(scratch, 0), next = own_numbers(scratch, d);
        for (int j = 0; j < d; j++) {
            u[j] = total[j] = probe.at(i, j);
        }

        double value = 0;
        for (int k = 0; k < terms; k++) {
            double dot = 0, weight = coefficients[terms + k];
            for (int j = 0; j < d; j++) {
                double sum = 0;
                for (int r = 0; r < d; r++) {
                    sum = __builtin_fma((double)jacobians.at(i, r * d + j), u[r], sum);
                }

                next[j] = sum;
                dot = __builtin_fma(sum, (double)probe.at(i, j), dot);
                total[j] = __builtin_fma(weight, sum, total[j]);
            }

            value = __builtin_fma(coefficients[k], dot, value);
            Strided last = u;
            u = next;
            next = last;
        }

        logDet.at(i, 0) = (float)value;
        for (int j = 0; j < d; j++) {
            cotangent.at(i, j) = (float)total[j];
        }
    });
}
