// Functions of one number, from multiplications and additions alone, so that both compilers give the same bits and the tests see the accuracy
// that the device has. Unless a comment says otherwise: within 3 units in the last place, NaN for NaN, limits at infinities.
#pragma once

DEVICE float float_of_bits(unsigned bits) {
    float x;
    __builtin_memcpy(&x, &bits, 4);
    return x;
}

DEVICE unsigned bits_of_float(float x) {
    unsigned bits;
    __builtin_memcpy(&bits, &x, 4);
    return bits;
}

DEVICE double double_of_bits(unsigned long long bits) {
    double x;
    __builtin_memcpy(&x, &bits, 8);
    return x;
}

DEVICE unsigned long long bits_of_double(double x) {
    unsigned long long bits;
    __builtin_memcpy(&bits, &x, 8);
    return bits;
}

DEVICE float magnitude(float x) { return float_of_bits(bits_of_float(x) & 0x7fffffff); }

DEVICE double magnitude(double x) { return double_of_bits(bits_of_double(x) & 0x7fffffffffffffff); }

DEVICE float with_sign(float x, float sign) { return float_of_bits((bits_of_float(x) & 0x7fffffff) | (bits_of_float(sign) & 0x80000000)); }

// 2^n for n = -126 .. 127.
DEVICE float power_of_two(int n) { return float_of_bits((unsigned)(n + 127) << 23); }

// exp(r) - 1 with x = n ln 2 + r, |r| <= ln(2)/2, for |x| <= 110; n is an arbitrary number where x is NaN. The polynomial interpolates
// (exp(r) - 1 - r)/r^2 at Chebyshev's nodes, which leaves an error of 1e-8.
DEVICE float exp_reduced(float x, int& n) {
    float magic = 12582912;  // 1.5 2^23: adding it rounds to a whole number, left in the low bits
    float shifted = __builtin_fmaf(x, 1.44269504f, magic), whole = shifted - magic;
    n = (int)(bits_of_float(shifted) - 0x4b400000);
    float r = __builtin_fmaf(whole, -0.693147182f, x);
    r = __builtin_fmaf(whole, 1.90465430e-9f, r);  // the rest of ln 2
    float p = __builtin_fmaf(0.00139262135f, r, 0.00836320297f);
    p = __builtin_fmaf(p, r, 0.0416665544f);
    p = __builtin_fmaf(p, r, 0.166665768f);
    p = __builtin_fmaf(p, r, 0.5f);
    return __builtin_fmaf(p, r * r, r);
}

// exp(x).
DEVICE float exp_(float x) {
    x = x > 110 ? 110 : x < -110 ? -110 : x;  // infinity and 0 all the same
    int n;
    float p = exp_reduced(x, n);
    int half = n >> 1;  // twice half the way, since 2^n may be out of range where exp(x) is not
    return (p + 1) * power_of_two(half) * power_of_two(n - half);
}

// exp(x) for x <= 0, and exp(x) - 1; beyond -87 as if x were -87, where exp(x) is 1e-38.
DEVICE float exp_of_negative(float x, float& minusOne) {
    int n;
    float p = exp_reduced(x < -87 ? -87 : x, n), scale = power_of_two(n);
    minusOne = __builtin_fmaf(p, scale, scale - 1);
    return __builtin_fmaf(p, scale, scale);
}

DEVICE float exp_of_negative(float x) {
    float minusOne;
    return exp_of_negative(x, minusOne);
}

// log(1 + x) for 0 <= x <= 1: 2 artanh(w) with w = x/(2 + x) <= 1/3, whose series in w^2 <= 1/9 needs 8 terms.
DEVICE float log1p_(float x) {
    float w = x / (2 + x), s = w * w, p = 1 / 15.0f;
    p = __builtin_fmaf(p, s, 1 / 13.0f);
    p = __builtin_fmaf(p, s, 1 / 11.0f);
    p = __builtin_fmaf(p, s, 1 / 9.0f);
    p = __builtin_fmaf(p, s, 1 / 7.0f);
    p = __builtin_fmaf(p, s, 1 / 5.0f);
    p = __builtin_fmaf(p, s, 1 / 3.0f);
    return 2 * __builtin_fmaf(p * s, w, w);
}

// log(1 + exp(x)).
DEVICE float softplus_(float x) {
    float tail = log1p_(exp_(-magnitude(x)));
    return (x > 0 ? x : 0) + tail;
}

// 1/(1 + exp(-x)), and the same of -x: both keep their relative precision, down to 1e-38 where they stay.
DEVICE float sigmoid_(float x, float& ofMinus) {
    float e = exp_of_negative(-magnitude(x)), large = 1 / (1 + e), small = e * large;
    ofMinus = x >= 0 ? small : large;
    return x >= 0 ? large : small;
}

DEVICE float sigmoid_(float x) {
    float ofMinus;
    return sigmoid_(x, ofMinus);
}

// tanh(x), and its derivative 4 e/(1 + e)^2 with e = exp(-2|x|), which does not cancel.
DEVICE float tanh_(float x, float& slope) {
    float minusOne, e = exp_of_negative(-2 * magnitude(x), minusOne), inverse = 1 / (1 + e);
    slope = 4 * e * inverse * inverse;
    return with_sign(minusOne * inverse, x);
}

// log(x): x = 2^k m with m in [sqrt(1/2), sqrt(2)), and log(m) = 2 artanh(s) with s = (m - 1)/(m + 1), whose series in s^2 <= 0.03 needs 11 terms.
DEVICE double log_(double x) {
    bool isSmall = x < 2.2250738585072014e-308;  // not a normal number: scaled to one
    unsigned long long bits = bits_of_double(isSmall ? x * 0x1p54 : x);
    unsigned long long aligned = bits + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);  // carries into the exponent from sqrt(1/2) on
    int k = (int)(aligned >> 52) - 0x3ff - (isSmall ? 54 : 0);
    double m = double_of_bits((aligned & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
    double s = (m - 1) / (m + 1), t = s * s, p = 1 / 21.0;
    p = __builtin_fma(p, t, 1 / 19.0);
    p = __builtin_fma(p, t, 1 / 17.0);
    p = __builtin_fma(p, t, 1 / 15.0);
    p = __builtin_fma(p, t, 1 / 13.0);
    p = __builtin_fma(p, t, 1 / 11.0);
    p = __builtin_fma(p, t, 1 / 9.0);
    p = __builtin_fma(p, t, 1 / 7.0);
    p = __builtin_fma(p, t, 1 / 5.0);
    p = __builtin_fma(p, t, 1 / 3.0);
    double log = 2 * __builtin_fma(p * t, s, s);
    log = __builtin_fma(k, 0.6931471805599453, __builtin_fma(k, 2.3190468138462996e-17, log));
    double infinity = __builtin_inf();
    return x > 0 ? x < infinity ? log : x : x == 0 ? -infinity : __builtin_nan("");
}

// cos(2 pi u), and sin(2 pi u), for 0 <= u < 1: u = q/4 + r with |r| <= 1/8, which is exact, and the Taylor series at 2 pi r. Within 1e-16.
DEVICE double cos_of_turns(double u, double& sin) {
    int q = (int)(4 * u + 0.5);
    double x = 6.283185307179586 * (u - 0.25 * q), t = x * x;
    double s = 1 / 355687428096000.0;
    s = __builtin_fma(-s, t, 1 / 1307674368000.0);
    s = __builtin_fma(-s, t, 1 / 6227020800.0);
    s = __builtin_fma(-s, t, 1 / 39916800.0);
    s = __builtin_fma(-s, t, 1 / 362880.0);
    s = __builtin_fma(-s, t, 1 / 5040.0);
    s = __builtin_fma(-s, t, 1 / 120.0);
    s = __builtin_fma(-s, t, 1 / 6.0);
    s = __builtin_fma(-s * t, x, x);
    double c = 1 / 20922789888000.0;
    c = __builtin_fma(-c, t, 1 / 87178291200.0);
    c = __builtin_fma(-c, t, 1 / 479001600.0);
    c = __builtin_fma(-c, t, 1 / 3628800.0);
    c = __builtin_fma(-c, t, 1 / 40320.0);
    c = __builtin_fma(-c, t, 1 / 720.0);
    c = __builtin_fma(-c, t, 1 / 24.0);
    c = __builtin_fma(-c, t, 0.5);
    c = __builtin_fma(-c, t, 1.0);
    bool isCrossed = q & 1;
    double cosine = isCrossed ? -s : c, sine = isCrossed ? c : s;  // of a quarter turn more or none
    sin = q & 2 ? -sine : sine;
    return q & 2 ? -cosine : cosine;
}
