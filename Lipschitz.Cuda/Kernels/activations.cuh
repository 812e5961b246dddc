// The activations on stacked rows: valueRows rows of values, then blocks of as many rows of tangents. A thread does a value and all its tangents,
// so that the nonlinearity is evaluated once. laneBits and width: see passes.cuh; f and parameters: see nonlinearities.cuh.
#pragma once

// y <- f(pre + bias) in the value rows, pre <- pre + bias there, and y <- f'(pre) tangent in the tangent rows (IBackend.Activate, and the end of
// IBackend.MultiplyActivate; bias.data is null where there is none). pre [valueRows (1 + T), n], y [.., n or 2 n], bias [1, n].
KERNEL(activate)(int laneBits, int width, int f, View parameters, View bias, View pre, int valueRows, View y) {
    with_activation(f, parameters, [&](auto function) {
        constexpr int outputs = decltype(function)::outputs;
        for_elements(laneBits, width, valueRows, pre.columns, [&](auto w, unsigned i, unsigned j) {
            Numbers<w> x = load(w, pre, i, j), values[outputs], slopes[outputs];
            if (bias.data) {
                Numbers<w> added = load(w, bias, 0, j);
                UNROLL
                for (int k = 0; k < w; k++) {
                    x[k] += added[k];
                }

                store(pre, i, j, x);
            }

            UNROLL
            for (int k = 0; k < w; k++) {
                float value[outputs], slope[outputs];
                function.evaluate(x[k], value, slope);
                UNROLL
                for (int o = 0; o < outputs; o++) {
                    values[o][k] = value[o];
                    slopes[o][k] = slope[o];
                }
            }

            UNROLL
            for (int o = 0; o < outputs; o++) {
                store(y, i, o * pre.columns + j, values[o]);
            }

            for (unsigned row = i + valueRows; row < (unsigned)pre.rows; row += valueRows) {
                Numbers<w> tangent = load(w, pre, row, j);
                UNROLL
                for (int o = 0; o < outputs; o++) {
                    Numbers<w> product;
                    UNROLL
                    for (int k = 0; k < w; k++) {
                        product[k] = slopes[o][k] * tangent[k];
                    }

                    store(y, row, o * pre.columns + j, product);
                }
            }
        });
    });
}

// slopes [rows, n or 2 n] <- the derivatives of f at pre [rows, n] (IBackend.ActivationSlopes).
KERNEL(activation_slopes)(int laneBits, int width, int f, View parameters, View pre, View slopes) {
    with_activation(f, parameters, [&](auto function) {
        constexpr int outputs = decltype(function)::outputs;
        for_elements(laneBits, width, pre.rows, pre.columns, [&](auto w, unsigned i, unsigned j) {
            Numbers<w> x = load(w, pre, i, j), result[outputs];
            UNROLL
            for (int k = 0; k < w; k++) {
                float value[outputs], slope[outputs];
                function.evaluate(x[k], value, slope);
                UNROLL
                for (int o = 0; o < outputs; o++) {
                    result[o][k] = slope[o];
                }
            }

            UNROLL
            for (int o = 0; o < outputs; o++) {
                store(slopes, i, o * pre.columns + j, result[o]);
            }
        });
    });
}

// The adjoint of `activate` without its bias (IBackend.ActivationBackward): preGradient <- (f' gy + f'' sum_T da gdy, f' gdy), all outputs of f
// added up. gradient [valueRows (1 + T), n or 2 n], pre and preGradient [.., n]; preGradient may be gradient where f has one output.
// Numbers 2 b and 2 b + 1 of parts <- the derivatives by the raw parameters of what block b has; parts is not touched where f has none.
KERNEL(activation_backward)(
    int laneBits, int width, int f, View parameters, View pre, int valueRows, View gradient, View preGradient, double* parts) {
    float sum0 = 0, sum1 = 0;
    with_activation(f, parameters, [&](auto function) {
        constexpr int outputs = decltype(function)::outputs;
        for_elements(laneBits, width, valueRows, pre.columns, [&](auto w, unsigned i, unsigned j) {
            Numbers<w> x = load(w, pre, i, j), slopes[outputs], curvature, slope0, slope1, value;
            UNROLL
            for (int k = 0; k < w; k++) {
                value[k] = 0;
            }

            Numbers<w> byValue = value;  // sum over the outputs of gy
            UNROLL
            for (int o = 0; o < outputs; o++) {
                slopes[o] = load(w, gradient, i, o * pre.columns + j);
            }

            UNROLL
            for (int k = 0; k < w; k++) {
                auto jet = function.jet(x[k]);
                UNROLL
                for (int o = 0; o < outputs; o++) {
                    float gy = slopes[o][k];
                    value[k] = __builtin_fmaf(jet.slope[o], gy, value[k]);
                    byValue[k] += gy;
                    slopes[o][k] = jet.slope[o];
                }

                curvature[k] = jet.curvature;
                slope0[k] = jet.slope0;
                slope1[k] = jet.slope1;
                sum0 = __builtin_fmaf(jet.value0, byValue[k], sum0);
                sum1 = __builtin_fmaf(jet.value1, byValue[k], sum1);
            }

            for (unsigned row = i + valueRows; row < (unsigned)pre.rows; row += valueRows) {
                Numbers<w> tangent = load(w, pre, row, j), result, bySlope;
                UNROLL
                for (int o = 0; o < outputs; o++) {
                    Numbers<w> gdy = load(w, gradient, row, o * pre.columns + j);
                    UNROLL
                    for (int k = 0; k < w; k++) {
                        result[k] = o == 0 ? slopes[o][k] * gdy[k] : __builtin_fmaf(slopes[o][k], gdy[k], result[k]);
                        bySlope[k] = o == 0 ? gdy[k] : bySlope[k] + gdy[k];
                    }
                }

                UNROLL
                for (int k = 0; k < w; k++) {
                    float product = tangent[k] * bySlope[k];
                    value[k] = __builtin_fmaf(curvature[k], product, value[k]);
                    sum0 = __builtin_fmaf(slope0[k], product, sum0);
                    sum1 = __builtin_fmaf(slope1[k], product, sum1);
                }

                store(preGradient, row, j, result);
            }

            store(preGradient, i, j, value);
        });
    });
    if (parts) {
        double total0 = sum_over_block((double)sum0), total1 = sum_over_block((double)sum1);
        if (threadIdx.x == 0) {
            unsigned block = blockIdx.y * gridDim.x + blockIdx.x;
            parts[2 * block] = total0;
            parts[2 * block + 1] = total1;
        }
    }
}

// gradient_p += the sum over the blocks of number p of their parts (IBackend.ActivationBackward); one block.
KERNEL(add_parameter_gradient)(double* parts, int blocks, View gradient) {
    for (int p = 0; p < gradient.columns; p++) {
        double sum = sum_by_block(parts + p, blocks, 2);
        if (threadIdx.x == 0) {
            gradient.at(0, p) += (float)sum;
        }
    }
}

// ---- by recorded slopes; row i uses slope row i mod B, and a thread does all rows of a slope ----

// result <- slopes * w (IBackend.SlopeVjp and SlopeJvp where a column stays by itself). slopes [B, n], w and result [k B, n]; result may be w.
KERNEL(multiply_slopes)(int laneBits, int width, View slopes, View w, View result) {
    for_elements(laneBits, width, slopes.rows, slopes.columns, [&](auto wide, unsigned i, unsigned j) {
        Numbers<wide> slope = load(wide, slopes, i, j);
        for (unsigned row = i; row < (unsigned)w.rows; row += slopes.rows) {
            Numbers<wide> numbers = load(wide, w, row, j);
            UNROLL
            for (int k = 0; k < wide; k++) {
                numbers[k] *= slope[k];
            }

            store(result, row, j, numbers);
        }
    });
}

// result_ij <- slopes_ij w_ij + slopes_i,n+j w_i,n+j (IBackend.SlopeVjp of CLipSwish). slopes [B, 2 n], w [k B, 2 n], result [k B, n].
KERNEL(pair_vjp)(int laneBits, int width, View slopes, View w, View result) {
    for_elements(laneBits, width, slopes.rows, result.columns, [&](auto wide, unsigned i, unsigned j) {
        Numbers<wide> left = load(wide, slopes, i, j), right = load(wide, slopes, i, result.columns + j);
        for (unsigned row = i; row < (unsigned)w.rows; row += slopes.rows) {
            Numbers<wide> numbers = load(wide, w, row, j), others = load(wide, w, row, result.columns + j);
            UNROLL
            for (int k = 0; k < wide; k++) {
                numbers[k] = __builtin_fmaf(left[k], numbers[k], right[k] * others[k]);
            }

            store(result, row, j, numbers);
        }
    });
}

// result_ij <- slopes_ij t_ij, result_i,n+j <- slopes_i,n+j t_ij (IBackend.SlopeJvp of CLipSwish). slopes [B, 2 n], t [k B, n], result [k B, 2 n].
KERNEL(pair_jvp)(int laneBits, int width, View slopes, View t, View result) {
    for_elements(laneBits, width, slopes.rows, t.columns, [&](auto wide, unsigned i, unsigned j) {
        Numbers<wide> left = load(wide, slopes, i, j), right = load(wide, slopes, i, t.columns + j);
        for (unsigned row = i; row < (unsigned)t.rows; row += slopes.rows) {
            Numbers<wide> numbers = load(wide, t, row, j), first, second;
            UNROLL
            for (int k = 0; k < wide; k++) {
                first[k] = left[k] * numbers[k];
                second[k] = right[k] * numbers[k];
            }

            store(result, row, j, first);
            store(result, row, t.columns + j, second);
        }
    });
}

// ---- MaxMin: columns 2 j and 2 j + 1 become j, the greater, and n/2 + j; a thread a pair ----

// The pair at column 2 j of from, the one that isFirst says first, to columns j and n/2 + j of to.
DEVICE void sort_pair(const View& from, unsigned row, unsigned j, bool isFirst, const View& to) {
    float first = from.at(row, 2 * j), second = from.at(row, 2 * j + 1);
    to.at(row, j) = isFirst ? first : second;
    to.at(row, to.columns / 2 + j) = isFirst ? second : first;
}

// The way back, its adjoint.
DEVICE void unsort_pair(const View& from, unsigned row, unsigned j, bool isFirst, const View& to) {
    float larger = from.at(row, j), smaller = from.at(row, from.columns / 2 + j);
    to.at(row, 2 * j) = isFirst ? larger : smaller;
    to.at(row, 2 * j + 1) = isFirst ? smaller : larger;
}

// As `activate`. pre, y [valueRows (1 + T), n], bias [1, n] or null.
KERNEL(max_min_activate)(int laneBits, View bias, View pre, int valueRows, View y) {
    for_elements(laneBits, 1, valueRows, pre.columns / 2, [&](auto, unsigned i, unsigned j) {
        if (bias.data) {
            pre.at(i, 2 * j) += bias.at(0, 2 * j);
            pre.at(i, 2 * j + 1) += bias.at(0, 2 * j + 1);
        }

        bool isFirst = pre.at(i, 2 * j) >= pre.at(i, 2 * j + 1);
        for (unsigned row = i; row < (unsigned)pre.rows; row += valueRows) {
            sort_pair(pre, row, j, isFirst, y);
        }
    });
}

// As `activation_slopes`: slopes [rows, n/2] <- 1 where the first of the pair is the greater or they are equal, else 0.
KERNEL(max_min_slopes)(int laneBits, View pre, View slopes) {
    for_elements(laneBits, 1, pre.rows, slopes.columns, [&](auto, unsigned i, unsigned j) {
        slopes.at(i, j) = pre.at(i, 2 * j) >= pre.at(i, 2 * j + 1) ? 1 : 0;
    });
}

// As `activation_backward`.
KERNEL(max_min_backward)(int laneBits, View pre, int valueRows, View gradient, View preGradient) {
    for_elements(laneBits, 1, valueRows, pre.columns / 2, [&](auto, unsigned i, unsigned j) {
        bool isFirst = pre.at(i, 2 * j) >= pre.at(i, 2 * j + 1);
        for (unsigned row = i; row < (unsigned)pre.rows; row += valueRows) {
            unsort_pair(gradient, row, j, isFirst, preGradient);
        }
    });
}

// IBackend.SlopeVjp. slopes [B, n/2], w and result [k B, n].
KERNEL(max_min_vjp)(int laneBits, View slopes, View w, View result) {
    for_elements(laneBits, 1, slopes.rows, slopes.columns, [&](auto, unsigned i, unsigned j) {
        bool isFirst = slopes.at(i, j) != 0;
        for (unsigned row = i; row < (unsigned)w.rows; row += slopes.rows) {
            unsort_pair(w, row, j, isFirst, result);
        }
    });
}

// IBackend.SlopeJvp. slopes [B, n/2], t and result [k B, n].
KERNEL(max_min_jvp)(int laneBits, View slopes, View t, View result) {
    for_elements(laneBits, 1, slopes.rows, slopes.columns, [&](auto, unsigned i, unsigned j) {
        bool isFirst = slopes.at(i, j) != 0;
        for (unsigned row = i; row < (unsigned)t.rows; row += slopes.rows) {
            sort_pair(t, row, j, isFirst, result);
        }
    });
}
