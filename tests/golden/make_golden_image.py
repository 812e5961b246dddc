#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes image-small.json: a whole flow on 4 x 4 pictures, in float64 by plain torch (NCHW, conv2d, autograd), written in the order of the library.

    /usr/bin/python3 tests/golden/make_golden_image.py
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

from make_golden import CONCAT_C, concatenation, jacobian, lipswish, log_normal, single, write

BATCH, SIDE, DEPTH, GROWTH, ALPHA, COEFF, WIDTH = 3, 4, 2, 3, 0.05, 0.9, 16
FC_WIDTH, FC_DEPTH, FC_GROWTH = 4, 1, 3
EXACT = 2


def poisson_weight(k):
    """1 / P(N >= k - m) for N ~ Poisson(2) behind m exact terms."""
    if k <= EXACT:
        return 1.0
    return 1.0 / (1.0 - sum(math.exp(-2) * 2.0 ** i / math.factorial(i) for i in range(k - EXACT)))


def squeeze(x):
    b, c, h, w = x.shape
    return x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, 4 * c, h // 2, w // 2)


def last(x):
    """NCHW to rows of pixels, channels last."""
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)


class Net:
    def __init__(self, seed):
        self.rng = np.random.RandomState(seed)
        self.free, self.fixed, self.layout = {}, {}, {}

    def tensor(self, name, array, layout=lambda t: t):
        self.free[name] = torch.tensor(single(array), requires_grad=True)
        self.layout[name] = layout

    def conv(self, name, c, o, k, side, gain):
        self.tensor(name + ".weight", gain * self.rng.uniform(-0.4, 1, (o, c, k, k)) / math.sqrt(c * k * k),
                    lambda w: w.permute(0, 2, 3, 1).reshape(-1, c))           # rows (output, ky, kx), columns inputs
        self.tensor(name + ".bias", self.rng.uniform(-0.5, 0.5, o))
        w = self.free[name + ".weight"].detach()
        shape = (1, c, side, side) if k > 1 else (1, c, 1, 1)
        v = torch.tensor(self.rng.standard_normal(shape))
        for _ in range(60):
            u = F.conv2d(v, w, padding=k // 2)
            u = u / u.norm()
            v = F.conv_transpose2d(u, w, padding=k // 2)
            v = v / v.norm()
        self.fixed[name + ".u"], self.fixed[name + ".v"] = u, v

    def linear(self, name, i, o, gain):
        self.conv(name, i, o, 1, 1, gain)

    def apply(self, name, x, k):
        w, u, v = self.free[name + ".weight"], self.fixed[name + ".u"], self.fixed[name + ".v"]
        sigma = (u * F.conv2d(v, w, padding=k // 2)).sum()
        return F.conv2d(x, w / torch.clamp(sigma / COEFF, min=1.0), self.free[name + ".bias"], padding=k // 2)

    def dense(self, name, c, outputs, depth, growth, k, side):
        for i in range(depth):
            self.conv(f"{name}.layers.{i}", c, growth, k, side, 2.0)
            self.tensor(f"{name}.layers.{i}.beta", 0.5 + self.rng.uniform(-0.2, 0.2))
            self.tensor(f"{name}.layers.{i}.k", 1 + self.rng.uniform(-0.8, 0.8, 2))
            c += growth
        self.conv(f"{name}.final", c, outputs, 1, 1, 2.0)

    def dense_forward(self, name, x, depth, k):
        for i in range(depth):
            layer = f"{name}.layers.{i}"
            e1, e2 = concatenation(self.free[layer + ".k"][0], self.free[layer + ".k"][1])
            x = torch.cat([e1 * x, e2 * lipswish(self.apply(layer, x, k), self.free[layer + ".beta"])], dim=1)
        return self.apply(f"{name}.final", x, 1)

    def norm(self, name, n):
        self.tensor(name + ".shift", self.rng.uniform(-0.5, 0.5, n))
        self.tensor(name + ".logScale", self.rng.uniform(-0.4, 0.1, n))

    def norm_forward(self, name, x):
        s, t = self.free[name + ".shift"], self.free[name + ".logScale"]
        shape = (1, -1, 1, 1) if x.dim() == 4 else (1, -1)
        pixels = x.shape[2] * x.shape[3] if x.dim() == 4 else 1
        return (x + s.reshape(shape)) * torch.exp(t).reshape(shape), pixels * t.sum()


def build():
    net = Net(5)
    net.norm("norms.0", 1)
    net.dense("blocks.0", 1, 1, DEPTH, GROWTH, 3, 4)
    net.norm("norms.1", 1)
    net.dense("blocks.1", 4, 4, DEPTH, GROWTH, 3, 2)
    net.norm("norms.2", 4)
    net.linear("blocks.2.first", WIDTH, FC_WIDTH, 2.0)
    net.dense("blocks.2", FC_WIDTH, WIDTH, FC_DEPTH, FC_GROWTH, 1, 1)
    net.norm("norms.3", WIDTH)
    return net


def run(net, x, eps, counts):
    """x in [0, 1], NCHW. The log-determinants of the blocks: exact, the roulette's value and the Neumann surrogate."""
    s = ALPHA + (1 - 2 * ALPHA) * x
    y = torch.log(s) - torch.log(1 - s)
    common = (math.log(1 - 2 * ALPHA) - torch.log(s) - torch.log(1 - s)).reshape(BATCH, -1).sum(1)
    exact = roulette = surrogate = torch.zeros(BATCH)
    y, l = net.norm_forward("norms.0", y)
    common = common + l
    for b in range(3):
        if b == 1:
            y = squeeze(y)
        if b == 2:
            y = last(y)
        if not y.requires_grad:
            y = y.requires_grad_(True)
        if b < 2:
            g = net.dense_forward(f"blocks.{b}", y, DEPTH, 3)
            probe = torch.tensor(eps[b]).reshape(BATCH, y.shape[2], y.shape[3], y.shape[1]).permute(0, 3, 1, 2)
        else:
            column = y.reshape(BATCH, WIDTH, 1, 1)
            g = net.dense_forward("blocks.2", net.apply("blocks.2.first", column, 1), FC_DEPTH, 1).reshape(BATCH, WIDTH)
            probe = torch.tensor(eps[b])
        flat = g.reshape(BATCH, -1)
        jac = torch.stack([torch.autograd.grad(flat[:, i].sum(), y, retain_graph=True, create_graph=True)[0].reshape(BATCH, -1) for i in range(WIDTH)], 1)
        exact = exact + torch.linalg.slogdet(torch.eye(WIDTH) + jac)[1]
        u, w = probe, probe.clone()
        for k in range(1, EXACT + counts[b] + 1):
            u = torch.autograd.grad(g, y, u, retain_graph=True)[0]
            roulette = roulette + (-1.0) ** (k + 1) / k * poisson_weight(k) * (u * probe).reshape(BATCH, -1).sum(1)
            w = w + (-1.0) ** k * poisson_weight(k) * u
        jvp = (jac @ probe.reshape(BATCH, -1, 1)).squeeze(2)
        surrogate = surrogate + (w.detach().reshape(BATCH, -1) * jvp).sum(1)
        y, l = net.norm_forward(f"norms.{b + 1}", y + g)
        common = common + l
    return y, common, exact, roulette, surrogate


def ours(net, values):
    """By the library's names and order; K of a block's layers is one matrix."""
    out = {}
    for name, value in values.items():
        if name.endswith(".k"):
            block = name[:name.index(".layers.")] + ".concatenation"
            out.setdefault(block, []).append(value.detach())
        else:
            out[name] = net.layout[name](value).detach().reshape(-1)
    return {k: torch.stack(v).reshape(-1) if isinstance(v, list) else v for k, v in out.items()}


def main():
    net = build()
    x = torch.tensor(single(net.rng.uniform(0.02, 0.98, (BATCH, 1, SIDE, SIDE))), requires_grad=True)
    eps = [single(net.rng.standard_normal((BATCH, WIDTH))) for _ in range(3)]
    counts = [1, 0, 3]
    z, common, exact, roulette, surrogate = run(net, x, eps, counts)
    total = jacobian(z, x, False).reshape(BATCH, WIDTH, WIDTH)
    check = torch.linalg.slogdet(total)[1]
    assert float((check - (common + exact)).abs().max().detach()) < 1e-10, "the whole Jacobian has the sum of the parts"
    content = {"x": last(x), "eps": [torch.tensor(e) for e in eps], "counts": counts, "parameters": ours(net, net.free),
               "vectors": {k: last(v).reshape(-1) for k, v in net.fixed.items()}, "z": z.detach(), "log_det": (common + exact).detach(),
               "roulette": (common + roulette).detach(), "gradients": {}}
    for key, value in (("exact", exact), ("surrogate", surrogate)):
        loss = -(log_normal(z) + common + value).mean()
        names = list(net.free)
        got = torch.autograd.grad(loss, [net.free[k] for k in names] + [x], retain_graph=True)
        gradients = ours(net, dict(zip(names, got[:-1])))
        gradients["x"] = last(got[-1])
        content["gradients"][key] = gradients
    write("image-small", content)


if __name__ == "__main__":
    main()
