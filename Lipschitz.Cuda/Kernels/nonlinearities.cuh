// The nonlinearities of Lipschitz.Core/Backends/Activation.cs that treat each number by itself, as functions of a number in registers. CLipSwish
// makes two columns of one and has two values and slopes; MaxMin mixes columns and has kernels of its own.
#pragma once

// What the adjoint needs of a function with OUTPUTS values at a point: its slopes, and what all values share, the second derivative and
// the derivatives of the value and of the slope with respect to the raw parameters.
template <int OUTPUTS>
struct Jet {
    float slope[OUTPUTS], curvature, value0, slope0, value1, slope1;
};

// A function of one number without parameters: its value and slope come from F, which also says its second derivative.
template <class F>
struct Plain {
    static constexpr int outputs = 1, parameters = 0;

    METHOD explicit Plain(const View&) {}

    METHOD void evaluate(float x, float (&y)[1], float (&slope)[1]) const {
        float curvature;
        F::evaluate(x, y[0], slope[0], curvature);
    }

    METHOD Jet<1> jet(float x) const {
        Jet<1> jet = {{0}, 0, 0, 0, 0, 0};
        float y;
        F::evaluate(x, y, jet.slope[0], jet.curvature);
        return jet;
    }
};

// y = x.
struct Identity {
    static METHOD void evaluate(float x, float& y, float& slope, float& curvature) {
        y = x;
        slope = 1;
        curvature = 0;
    }
};

// y = max(x, 0), with slope 0 at 0; NaN for NaN.
struct ReLU {
    static METHOD void evaluate(float x, float& y, float& slope, float& curvature) {
        y = x <= 0 ? 0 : x;
        slope = x > 0 ? 1 : 0;
        curvature = 0;
    }
};

// y = x for x > 0, else exp(x) - 1.
struct Elu {
    static METHOD void evaluate(float x, float& y, float& slope, float& curvature) {
        float minusOne, e = exp_of_negative(x > 0 ? 0 : x, minusOne);
        y = x > 0 ? x : minusOne;
        slope = x > 0 ? 1 : e;
        curvature = x > 0 ? 0 : e;
    }
};

// y = tanh(x), y' = 1 - y^2, y'' = -2 y y'.
struct Tanh {
    static METHOD void evaluate(float x, float& y, float& slope, float& curvature) {
        y = tanh_(x, slope);
        curvature = -2 * y * slope;
    }
};

// y = log(1 + exp(x)), y' = g = sigmoid(x), y'' = g (1 - g).
struct Softplus {
    static METHOD void evaluate(float x, float& y, float& slope, float& curvature) {
        float rest;
        y = softplus_(x);
        slope = sigmoid_(x, rest);
        curvature = slope * rest;
    }
};

// y = x^3/3 for |x| < 1, else x - sign(x) 2/3.
struct LipschitzCube {
    static METHOD void evaluate(float x, float& y, float& slope, float& curvature) {
        bool isInside = magnitude(x) < 1;
        y = isInside ? x * x * x * (1 / 3.0f) : x - with_sign(2 / 3.0f, x);
        slope = isInside ? x * x : 1;
        curvature = isInside ? 2 * x : 0;
    }
};

// x g and -x h, their slopes, and what they share, times `factor`: g = sigmoid(t), h = sigmoid(-t), t = s x, s = softplus(beta). With
// b = g h: (x g)' = g + t b, (-x h)' = t b - h, both'' = s b (2 + t (h - g)); d/ds of both = x^2 b, of both' = x b (2 + t (h - g)).
struct Swish {
    float scale, factor, betaFactor;  // s, 1/divisor, ds/dbeta / divisor

    METHOD Swish(float beta, float factor) : scale(softplus_(beta)), factor(factor), betaFactor(sigmoid_(beta) * factor) {}

    METHOD void evaluate(float x, float& y, float& slope, float& mirrored, float& mirroredSlope) const {
        float t = scale * x, h, g = sigmoid_(t, h), bend = t * g * h;
        y = x * g * factor;
        slope = (g + bend) * factor;
        mirrored = -x * h * factor;
        mirroredSlope = (bend - h) * factor;
    }

    METHOD Jet<2> jet(float x) const {
        float t = scale * x, h, g = sigmoid_(t, h), bell = g * h, curve = bell * __builtin_fmaf(t, h - g, 2);
        return {{(g + t * bell) * factor, (t * bell - h) * factor}, scale * curve * factor, x * x * bell * betaFactor, x * curve * betaFactor, 0, 0};
    }
};

// y = x sigmoid(s x)/1.1; raw parameter beta (Chen et al. 2019, section 3.3).
struct LipSwish {
    static constexpr int outputs = 1, parameters = 1;
    Swish swish;

    METHOD explicit LipSwish(const View& raw) : swish(raw.at(0, 0), 1 / 1.1f) {}

    METHOD void evaluate(float x, float (&y)[1], float (&slope)[1]) const {
        float mirrored, mirroredSlope;
        swish.evaluate(x, y[0], slope[0], mirrored, mirroredSlope);
    }

    METHOD Jet<1> jet(float x) const {
        Jet<2> both = swish.jet(x);
        return {{both.slope[0]}, both.curvature, both.value0, both.slope0, 0, 0};
    }
};

// LipSwish at x and at -x, over 1.004; raw parameter beta (Perugachi-Diaz et al. 2021).
struct CLipSwish {
    static constexpr int outputs = 2, parameters = 1;
    Swish swish;

    METHOD explicit CLipSwish(const View& raw) : swish(raw.at(0, 0), (float)(1 / (1.1 * 1.004))) {}

    METHOD void evaluate(float x, float (&y)[2], float (&slope)[2]) const { swish.evaluate(x, y[0], slope[0], y[1], slope[1]); }

    METHOD Jet<2> jet(float x) const { return swish.jet(x); }
};

// y = a x + (1 - a) LipSwish(x), a = sigmoid(alpha); raw parameters (alpha, beta).
struct LeakyLSwish {
    static constexpr int outputs = 1, parameters = 2;
    Swish swish;
    float leak, rest;

    METHOD explicit LeakyLSwish(const View& raw) : swish(raw.at(0, 1), 1 / 1.1f) { leak = sigmoid_(raw.at(0, 0), rest); }

    METHOD void evaluate(float x, float (&y)[1], float (&slope)[1]) const {
        float inner, innerSlope, mirrored, mirroredSlope;
        swish.evaluate(x, inner, innerSlope, mirrored, mirroredSlope);
        y[0] = __builtin_fmaf(rest, inner, leak * x);
        slope[0] = __builtin_fmaf(rest, innerSlope, leak);
    }

    METHOD Jet<1> jet(float x) const {
        float inner, innerSlope, mirrored, mirroredSlope, byAlpha = leak * rest;
        swish.evaluate(x, inner, innerSlope, mirrored, mirroredSlope);
        Jet<2> both = swish.jet(x);
        return {
            {__builtin_fmaf(rest, innerSlope, leak)}, rest * both.curvature, byAlpha * (x - inner), byAlpha * (1 - innerSlope), rest * both.value0,
            rest * both.slope0};
    }
};

// body(function) for the nonlinearity whose number in Activation.cs is f, with its raw parameters; MaxMin, number 9, is not among them.
template <class Body>
DEVICE void with_activation(int f, const View& parameters, const Body& body) {
    switch (f) {
        case 0: body(Plain<Identity>(parameters)); break;
        case 1: body(Plain<ReLU>(parameters)); break;
        case 2: body(Plain<Elu>(parameters)); break;
        case 3: body(Plain<Tanh>(parameters)); break;
        case 4: body(Plain<Softplus>(parameters)); break;
        case 5: body(LipSwish(parameters)); break;
        case 6: body(CLipSwish(parameters)); break;
        case 7: body(LeakyLSwish(parameters)); break;
        case 8: body(Plain<LipschitzCube>(parameters)); break;
    }
}
