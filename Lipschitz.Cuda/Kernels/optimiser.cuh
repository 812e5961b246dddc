// The optimiser: one pass over five arrays.
#pragma once

// One step of Adam and the average of the parameters (IBackend.Adam); all [1, n], norm [1, 1]. With g = gradient min(1, clip/norm):
// first <- beta1 first + rest1 g, second <- beta2 second + rest2 g^2, parameters -= rate first/(sqrt(inverse2 second) + epsilon),
// average <- decay average + restDecay parameters. rate is the learning rate over the correction of the first moment, inverse2 that of the
// second, inverted. An infinite clip does not read norm, a decay of 0 not average, which may then be parameters itself.
KERNEL(adam)(
    int laneBits, int width, View parameters, View gradient, View first, View second, View average, View norm, double clip, float beta1,
    float rest1, float beta2, float rest2, float rate, float inverse2, float epsilon, float decay, float restDecay) {
    double shrink = clip < __builtin_inf() ? clip / norm.at(0, 0) : 1;
    float factor = shrink > 1 ? 1 : (float)shrink;
    for_elements(laneBits, width, 1, parameters.columns, [&](auto w, unsigned i, unsigned j) {
        Numbers<w> p = load(w, parameters, 0, j), g = load(w, gradient, 0, j), m = load(w, first, 0, j), v = load(w, second, 0, j);
        UNROLL
        for (int k = 0; k < w; k++) {
            g[k] *= factor;
            m[k] = __builtin_fmaf(beta1, m[k], rest1 * g[k]);
            v[k] = __builtin_fmaf(beta2, v[k], rest2 * g[k] * g[k]);
            p[k] -= rate * m[k] / (__builtin_sqrtf(v[k] * inverse2) + epsilon);
        }

        store(first, 0, j, m);
        store(second, 0, j, v);
        Numbers<w> a = p;
        if (decay != 0) {
            Numbers<w> old = load(w, average, 0, j);
            UNROLL
            for (int k = 0; k < w; k++) {
                a[k] = __builtin_fmaf(decay, old[k], restDecay * p[k]);
            }
        }

        store(parameters, 0, j, p);
        store(average, 0, j, a);
    });
}
