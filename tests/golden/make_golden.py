#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the golden files of this folder: whole flows, their log-determinants and their gradients in float64 by plain torch autograd.

Written from the definitions, with nothing shared with the library under test. Every recorded quantity is checked here in a second way
(numpy forward pass, finite differences, slogdet, a hand-written Adam, the expectation of the estimators) before it is written.

    /usr/bin/python3 tests/golden/make_golden.py            # writes *.json beside the script
"""
import math
import os
import platform

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

HERE = os.path.dirname(os.path.abspath(__file__))
DATE = "2026-11-24"
FORMAT = 1
COEFF = 0.9          # spectral normalisation
CONCAT_C = 0.98      # radius of the circle of (e1, e2)
CONCAT_SHIFT = 0.1   # h = softplus(K) + shift
EXACT_TERMS = 2      # m
GEOMETRIC_P = 0.5
BATCH = 5
DIM = 2
ADAM = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}
STEP_POWER_ITERATIONS = 5


# ---------------------------------------------------------------- JSON, 17 significant digits

def dump(value, indent=0):
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        if not value:
            return "{}"
        return "{\n" + ",\n".join(f'{pad}"{k}": {dump(v, indent + 1)}' for k, v in value.items()) + "\n" + " " * indent + "}"
    if isinstance(value, torch.Tensor):
        return dump(value.detach().numpy(), indent)
    if isinstance(value, np.ndarray):
        return dump(value.tolist(), indent)
    if isinstance(value, (list, tuple)):
        if any(isinstance(v, (dict, list, tuple, np.ndarray, torch.Tensor)) for v in value):
            return "[\n" + ",\n".join(pad + dump(v, indent + 1) for v in value) + "\n" + " " * indent + "]"
        return "[" + ", ".join(dump(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    value = float(value)
    assert math.isfinite(value), "only finite numbers are recorded"
    return format(value, ".17g")


def write(name, content):
    path = os.path.join(HERE, name + ".json")
    head = {"format": FORMAT, "case": name,
            "made": {"date": DATE, "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}}
    with open(path, "w", newline="\n") as f:
        f.write(dump({**head, **content}) + "\n")
    print(f"{name}.json: {os.path.getsize(path)} bytes")


# ---------------------------------------------------------------- parts

def single(a):
    """Rounds to the nearest float32, so that a single-precision reader gets the same inputs as a double-precision one."""
    return np.asarray(a, dtype=np.float64).astype(np.float32).astype(np.float64)


def unit(t):
    return t / t.norm()


def power_iterate(w, v, n):
    """n times u = normalize(W v), v = normalize(W'u); then sigma = u'Wv."""
    with torch.no_grad():
        u = None
        for _ in range(n):
            u = unit(w.mv(v))
            v = unit(w.t().mv(u))
        return u, v, torch.dot(u, w.mv(v))


def normalized(w, u, v):
    """W / max(1, sigma / coeff): u and v are constants, sigma is a function of W."""
    sigma = torch.dot(u, w.mv(v))
    return w / torch.clamp(sigma / COEFF, min=1.0)


def lipswish(x, beta):
    return x * torch.sigmoid(F.softplus(beta) * x) / 1.1


def concatenation(k1, k2):
    h1 = F.softplus(k1) + CONCAT_SHIFT
    h2 = F.softplus(k2) + CONCAT_SHIFT
    r = torch.sqrt(h1 * h1 + h2 * h2)
    return CONCAT_C * h1 / r, CONCAT_C * h2 / r


class Model:
    """A flow of residual blocks; all state lies in the dictionaries `free` (trained) and `fixed` (u and v), by name."""

    def __init__(self, kind, linears):
        self.kind, self.linears = kind, linears   # linears: per block, the names of its linear layers in order
        self.free, self.fixed = {}, {}

    @property
    def blocks(self):
        return len(self.linears)

    def linear(self, name, x, p):
        w = normalized(p[name + ".weight"], self.fixed[name + ".u"], self.fixed[name + ".v"])
        return x @ w.t() + p[name + ".bias"]

    def g(self, b, x, p):
        names = self.linears[b]
        if self.kind == "resflow":
            for name in names:
                x = self.linear(name, lipswish(x, p[name + ".beta"]), p)
            return x
        for name in names[:-1]:
            e1, e2 = concatenation(p[name + ".k1"], p[name + ".k2"])
            x = torch.cat([e1 * x, e2 * lipswish(self.linear(name, x, p), p[name + ".beta"])], dim=1)
        return self.linear(names[-1], x, p)

    def power(self, n):
        for names in self.linears:
            for name in names:
                u, v, _ = power_iterate(self.free[name + ".weight"].detach(), self.fixed[name + ".v"], n)
                self.fixed[name + ".u"], self.fixed[name + ".v"] = u, v

    def sigmas(self):
        return {n: torch.dot(self.fixed[n + ".u"], self.free[n + ".weight"].detach().mv(self.fixed[n + ".v"])) for b in self.linears for n in b}


def roulette_coefficient(k):
    """1 for the exact terms, then 1 / P(N >= k - m), P(N >= j) = 0.5^(j-1)."""
    return 1.0 if k <= EXACT_TERMS else 1.0 / GEOMETRIC_P ** (k - EXACT_TERMS - 1)


def jacobian(y, x, create_graph):
    """[batch][out][in]; samples do not interact."""
    rows = [torch.autograd.grad(y[:, i].sum(), x, retain_graph=True, create_graph=create_graph)[0] for i in range(y.shape[1])]
    return torch.stack(rows, dim=1)


def log_normal(z):
    return -0.5 * (z * z).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


def run(model, p, x, eps, n, w_given=None):
    """Everything about one batch; differentiable in p and x. w_given replaces the cotangents (finite differences need them frozen)."""
    out = {"blocks": []}
    exact = surrogate = roulette = 0.0
    for b in range(model.blocks):
        if not x.requires_grad:
            x = x.detach().requires_grad_(True)
        g = model.g(b, x, p)
        jac = jacobian(g, x, True)
        a = jac + torch.eye(DIM)
        det = a[:, 0, 0] * a[:, 1, 1] - a[:, 0, 1] * a[:, 1, 0]
        logdet = torch.log(torch.abs(det))
        u = eps[b]
        w = eps[b].clone()
        value = torch.zeros(x.shape[0])
        for k in range(1, EXACT_TERMS + n[b] + 1):
            u = torch.autograd.grad(g, x, u, retain_graph=True)[0]          # (J')^k eps
            c = roulette_coefficient(k)
            value = value + (-1.0) ** (k + 1) / k * c * (u * eps[b]).sum(1)
            w = w + (-1.0) ** k * c * u
        if w_given is not None:
            w = w_given[b]
        jvp = (jac @ eps[b].unsqueeze(2)).squeeze(2)
        neumann = (w.detach() * jvp).sum(1)
        y = x + g
        out["blocks"].append({"x": x.detach(), "g": g.detach(), "y": y.detach(), "jacobian": jac.detach(), "logdet": logdet.detach(), "roulette": value,
                              "w": w.detach(), "jvp": jvp.detach(), "neumann": neumann.detach()})
        exact, surrogate, roulette = exact + logdet, surrogate + neumann, roulette + value
        x = y
    base = log_normal(x)
    out.update(z=x, base=base, log_p=base + exact, logdet=exact, loss_exact=-(base + exact).mean(), loss_surrogate=-(base + surrogate).mean(), loss_roulette=-(base + roulette).mean())
    return out


# ---------------------------------------------------------------- checks in a second way

def np_g(model, b, x, p):
    """g in numpy, written separately."""
    q = {k: np.asarray(v.detach()) for k, v in {**p, **model.fixed}.items()}

    def weight(name):
        w = q[name + ".weight"]
        s = float(q[name + ".u"] @ w @ q[name + ".v"])
        return w * (COEFF / s) if s > COEFF else w

    def act(a, beta):
        return a / (1.1 * (1.0 + np.exp(-np.log1p(np.exp(beta)) * a)))

    for i, name in enumerate(model.linears[b]):
        last = i == len(model.linears[b]) - 1
        if model.kind == "resflow":
            x = act(x, q[name + ".beta"]) @ weight(name).T + q[name + ".bias"]
        elif last:
            x = x @ weight(name).T + q[name + ".bias"]
        else:
            h1 = np.log1p(np.exp(q[name + ".k1"])) + 0.1
            h2 = np.log1p(np.exp(q[name + ".k2"])) + 0.1
            angle = math.atan2(h2, h1)
            r = act(x @ weight(name).T + q[name + ".bias"], q[name + ".beta"])
            x = np.concatenate([0.98 * math.cos(angle) * x, 0.98 * math.sin(angle) * r], axis=1)
    return x


def close(a, b, tol, what):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    err = float(np.max(np.abs(a - b) / (1.0 + np.abs(b)))) if a.size else 0.0
    assert a.shape == b.shape and err < tol, f"{what}: {err:.3e} (allowed {tol:.0e})"
    return err


def gradients(model, p, x, loss):
    names = list(p)
    got = torch.autograd.grad(loss, [p[k] for k in names] + [x], retain_graph=True)
    return dict(zip(names + ["x"], got))


def check(model, x, eps, n, res, grads):
    p = {k: v.detach() for k, v in model.free.items()}
    h = 1e-5
    for b, blk in enumerate(res["blocks"]):
        assert float(np.linalg.norm(blk["jacobian"].numpy(), 2, axis=(1, 2)).max()) > 0.2, "the later terms of the series must be visible"
        xb = blk["x"].numpy()
        close(np_g(model, b, xb, p), blk["g"], 1e-13, "numpy forward")
        fd = np.stack([(np_g(model, b, xb + h * np.eye(DIM)[i], p) - np_g(model, b, xb - h * np.eye(DIM)[i], p)) / (2 * h) for i in range(DIM)], axis=2)
        close(fd, blk["jacobian"], 1e-9, "Jacobian by differences")
        sign, ld = torch.linalg.slogdet(torch.eye(DIM) + blk["jacobian"])
        assert bool((sign > 0).all())
        close(ld, blk["logdet"], 1e-13, "slogdet")
        assert float(np.linalg.norm(blk["jacobian"].numpy(), 2, axis=(1, 2)).max()) < 1.0, "g must contract"
        for s in range(x.shape[0]):                        # the roulette with explicit matrix powers
            j, e = blk["jacobian"][s].numpy(), eps[b][s].numpy()
            ks = range(1, EXACT_TERMS + n[b] + 1)
            c = {k: 1.0 if k <= EXACT_TERMS else 2.0 ** (k - EXACT_TERMS - 1) for k in ks}
            value = sum((-1) ** (k + 1) / k * c[k] * e @ np.linalg.matrix_power(j, k) @ e for k in ks)
            w = e + sum((-1) ** k * c[k] * np.linalg.matrix_power(j.T, k) @ e for k in ks)
            close(value, blk["roulette"][s], 1e-12, "roulette value")
            close(w, blk["w"][s], 1e-12, "Neumann cotangent")
            close(j @ e, blk["jvp"][s], 1e-13, "J eps")
    total = jacobian(res["z"], x, False)
    prod = torch.stack([torch.eye(DIM)] * x.shape[0])
    for blk in res["blocks"]:
        prod = (torch.eye(DIM) + blk["jacobian"]) @ prod
    close(total, prod, 1e-13, "flow Jacobian")
    close(torch.linalg.slogdet(total)[1], res["logdet"].detach(), 1e-13, "flow log-determinant")

    w_frozen = [blk["w"] for blk in res["blocks"]]
    worst = 0.0
    for key in ("loss_exact", "loss_surrogate"):
        def loss(q, xx):
            return float(run(model, q, xx, eps, n, w_frozen)[key].detach())
        for name, gr in grads[key].items():
            base = x.detach() if name == "x" else p[name]
            flat = gr.reshape(-1)
            for i in range(flat.numel()):
                d = torch.zeros(base.numel())
                d[i] = h
                d = d.reshape(base.shape)
                up, dn = ((loss(p, base + d), loss(p, base - d)) if name == "x"
                          else (loss({**p, name: base + d}, x.detach()), loss({**p, name: base - d}, x.detach())))
                worst = max(worst, close((up - dn) / (2 * h), flat[i], 1e-8, f"{key} d{name}[{i}]"))
    print(f"  gradients agree with central differences to {worst:.1e}")

    # Expectation over the probe (sqrt(d) e_i, equally likely, has E eps eps' = I) and over N: the Neumann gradient and the roulette value are unbiased.
    mean, value = {}, 0.0
    for i in range(DIM):
        e = [math.sqrt(DIM) * torch.eye(DIM)[i].expand(x.shape[0], DIM).contiguous()] * model.blocks
        for count in range(1, 46):
            weight = GEOMETRIC_P ** count / DIM
            r = run(model, model.free, x, e, [count] * model.blocks)
            for k, v in gradients(model, model.free, x, r["loss_surrogate"]).items():
                mean[k] = mean.get(k, 0.0) + weight * v
            value += weight * float(r["loss_roulette"].detach())
    bias = max(close(mean[k], v, 1e-6, f"expected Neumann gradient {k}") for k, v in grads["loss_exact"].items())
    bias_value = close(value, float(res["loss_exact"].detach()), 1e-6, "expected roulette loss")
    print(f"  estimators unbiased to {bias:.1e} (gradient), {bias_value:.1e} (value)")
    return total


# ---------------------------------------------------------------- the two flows

def build(kind, seed, shapes, targets, power_iterations):
    """shapes: (name, out, in) of one block's linear layers; targets[b][i]: the spectral norm of the raw weight."""
    rng = np.random.RandomState(seed)
    linears = [[f"blocks.{b}.{name}" for name, _, _ in shapes] for b in range(len(targets))]
    model = Model(kind, linears)
    starts = {}
    for b, norms in enumerate(targets):
        for i, (name, out, inp) in enumerate(shapes):
            full = f"blocks.{b}.{name}"
            # Mostly positive, so that the layers' main directions agree and the Jacobian of g is not negligible; the second block turns one way back.
            w = rng.uniform(-0.2, 1, (out, inp))
            if b == 1 and i == len(shapes) - 1:
                w[1] = -w[1]
            model.free[full + ".weight"] = torch.tensor(single(w * norms[i] / np.linalg.norm(w, 2)))
            model.free[full + ".bias"] = torch.tensor(single(rng.uniform(0, 1.2, out)))
            if name != "final":
                model.free[full + ".beta"] = torch.tensor(float(single(0.5 + rng.uniform(-0.2, 0.2))))
                if kind == "idensenet":
                    model.free[full + ".k1"] = torch.tensor(float(single(1 + rng.uniform(-0.8, 0.8))))
                    model.free[full + ".k2"] = torch.tensor(float(single(1 + rng.uniform(-0.8, 0.8))))
            starts[full] = single(rng.standard_normal(inp))
            model.fixed[full + ".v"] = torch.tensor(starts[full])
    model.power(power_iterations)
    for v in model.free.values():
        v.requires_grad_(True)
    return model, starts, rng


def draw(rng):
    return torch.tensor(single(1.5 * rng.standard_normal((BATCH, DIM)))), [torch.tensor(single(rng.standard_normal((BATCH, DIM)))) for _ in range(2)]


def check_margin(model):
    s = {k: float(v) for k, v in model.sigmas().items()}
    assert all(abs(v - COEFF) > 1e-3 for v in s.values()), s
    assert any(v > COEFF for v in s.values()) and any(v < COEFF for v in s.values()), s


def losses(res):
    return {k: res[k].detach() for k in ("loss_exact", "loss_surrogate", "loss_roulette")}


def flow_case(name, kind, seed, shapes, targets, config, power_iterations, counts, step_counts):
    print(name)
    model, starts, rng = build(kind, seed, shapes, targets, power_iterations)
    check_margin(model)
    x, eps = draw(rng)
    x.requires_grad_(True)
    content = {
        "model": {"kind": kind, "dim": DIM, "blocks": 2, **config, "spectral_coeff": COEFF, "activation": "LipSwish",
                  "linears": [n for n, _, _ in shapes], "shapes": [[o, i] for _, o, i in shapes]},
        "power_iteration": {"iterations": power_iterations, "start_v": dict(starts)},
        "parameters": {k: v.detach().clone() for k, v in model.free.items()},
        "vectors": dict(model.fixed),
        "sigma": model.sigmas(),
    }
    if kind == "idensenet":
        content["concatenation"] = {n: [float(e) for e in concatenation(model.free[n + ".k1"].detach(), model.free[n + ".k2"].detach())]
                                    for b in model.linears for n in b[:-1]}
    content["input"] = {"x": x.detach(), "eps": eps, "exact_terms": EXACT_TERMS, "geometric_p": GEOMETRIC_P, "n": counts,
                        "coefficients": [[roulette_coefficient(k) for k in range(1, EXACT_TERMS + c + 1)] for c in counts]}
    res = run(model, model.free, x, eps, counts)
    grads = {k: gradients(model, model.free, x, res[k]) for k in ("loss_exact", "loss_surrogate")}
    flow_jacobian = check(model, x, eps, counts, res, grads)
    content["output"] = {"blocks": [{k: v for k, v in b.items() if k != "x"} for b in res["blocks"]], "z": res["z"], "flow_jacobian": flow_jacobian,
                         "base_log_density": res["base"], "log_p": res["log_p"], **losses(res)}
    content["gradients"] = grads

    # Three training steps with torch's Adam, and the same by hand.
    optimizer = torch.optim.Adam(list(model.free.values()), lr=ADAM["learning_rate"], betas=(ADAM["beta1"], ADAM["beta2"]), eps=ADAM["epsilon"], weight_decay=0.0)
    first = {k: np.zeros(tuple(v.shape)) for k, v in model.free.items()}
    second = {k: np.zeros(tuple(v.shape)) for k, v in model.free.items()}
    hand = {k: v.detach().numpy().copy() for k, v in model.free.items()}
    steps, smallest = [], math.inf
    for t, n in enumerate(step_counts, 1):
        x, eps = draw(rng)
        x.requires_grad_(True)
        before = run(model, model.free, x, eps, n)
        optimizer.zero_grad()
        before["loss_surrogate"].backward()
        for k, v in model.free.items():
            gr = v.grad.numpy()
            smallest = min(smallest, float(np.abs(gr).min()))
            first[k] = 0.9 * first[k] + 0.1 * gr
            second[k] = 0.999 * second[k] + 0.001 * gr * gr
            hand[k] = hand[k] - 1e-3 * (first[k] / (1 - 0.9 ** t)) / (np.sqrt(second[k] / (1 - 0.999 ** t)) + 1e-8)
        optimizer.step()
        for k, v in model.free.items():
            close(hand[k], v.detach(), 1e-14, f"Adam {k}")
        model.power(STEP_POWER_ITERATIONS)
        check_margin(model)
        after = run(model, model.free, x, eps, n)
        steps.append({"x": x.detach(), "eps": eps, "n": n,
                      "before": {**losses(before), "logdet": [b["logdet"] for b in before["blocks"]], "roulette": [b["roulette"] for b in before["blocks"]]},
                      "parameters": {k: v.detach().clone() for k, v in model.free.items()}, "vectors": dict(model.fixed), "sigma": model.sigmas(),
                      "after": {**losses(after), "logdet": [b["logdet"] for b in after["blocks"]], "roulette": [b["roulette"] for b in after["blocks"]]}})
    print(f"  smallest gradient entry in training {smallest:.1e}")
    content["training"] = {"adam": ADAM, "power_iterations_per_step": STEP_POWER_ITERATIONS, "smallest_gradient_entry": smallest, "steps": steps}
    write(name, content)


# ---------------------------------------------------------------- power iteration

def power_case():
    rng = np.random.RandomState(40)
    w = torch.tensor(single(rng.standard_normal((7, 5))))
    v0 = torch.tensor(single(rng.standard_normal(5)))
    exact = np.linalg.svd(w.numpy(), compute_uv=False)
    results = []
    for n in (1, 5, 50):
        u, v, sigma = power_iterate(w, v0, n)
        a = w.numpy().T @ w.numpy()
        vv = np.linalg.matrix_power(a, n) @ v0.numpy()
        close(vv / np.linalg.norm(vv), v, 1e-12, "power iteration by matrix powers")
        assert abs(float(u.norm()) - 1) < 1e-15 * 4 and float(sigma) <= exact[0] * (1 + 1e-14)
        results.append({"iterations": n, "u": u, "v": v, "sigma": sigma})
    close(float(results[-1]["sigma"]), exact[0], 1e-10, "converged sigma")
    write("power-iteration", {"matrix": w, "start_v": v0, "results": results, "singular_values": exact})


# ---------------------------------------------------------------- activations

def activation_case():
    grid = single(np.linspace(-5.93, 5.97, 41))
    assert min(np.abs(np.abs(grid) - k).min() for k in (0.0, 1.0)) > 0.01      # no kink on the grid

    def cube(x):
        return torch.where(x.abs() < 1, x ** 3 / 3, x - torch.sign(x) * 2.0 / 3.0)

    def leaky(x, alpha, beta):
        return torch.sigmoid(alpha) * x + (1 - torch.sigmoid(alpha)) * lipswish(x, beta)

    wide = [("LipSwish", {"beta": 0.5}, lambda x, beta: [lipswish(x, beta)]),
            ("LipSwish", {"beta": -0.75}, lambda x, beta: [lipswish(x, beta)]),
            ("LipSwish", {"beta": 1.25}, lambda x, beta: [lipswish(x, beta)]),
            ("LeakyLSwish", {"alpha": -3.0, "beta": 0.5}, lambda x, alpha, beta: [leaky(x, alpha, beta)]),
            ("CLipSwish", {"beta": 0.5}, lambda x, beta: [lipswish(x, beta) / 1.004, lipswish(-x, beta) / 1.004]),
            ("ELU", {}, lambda x: [F.elu(x)]), ("ReLU", {}, lambda x: [F.relu(x)]), ("tanh", {}, lambda x: [torch.tanh(x)]),
            ("softplus", {}, lambda x: [F.softplus(x)]), ("LipschitzCube", {}, lambda x: [cube(x)])]

    def derivative(y, x):
        if not y.requires_grad:
            return torch.zeros_like(x)
        d = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)[0]
        return torch.zeros_like(x) if d is None else d

    cases = []
    for name, parameters, f in wide:
        x = torch.tensor(grid, requires_grad=True)
        ps = {k: torch.full_like(x, v).requires_grad_(True) for k, v in parameters.items()}   # one copy a point gives the derivative at each point
        outs = f(x, **ps)
        d1 = [derivative(y, x) for y in outs]
        d2 = [derivative(d, x) for d in d1]
        h = 1e-5
        plus, minus = f(x.detach() + h, **{k: v.detach() for k, v in ps.items()}), f(x.detach() - h, **{k: v.detach() for k, v in ps.items()})
        for y1, y0, d in zip(plus, minus, d1):
            close((y1 - y0) / (2 * h), d.detach(), 1e-9, name + " first derivative")
        xp, xm = torch.tensor(grid + h, requires_grad=True), torch.tensor(grid - h, requires_grad=True)
        const = {k: v.detach() for k, v in ps.items()}
        for y1, y0, d in zip(f(xp, **const), f(xm, **const), d2):
            close((derivative(y1, xp) - derivative(y0, xm)).detach() / (2 * h), d.detach(), 1e-9, name + " second derivative")
        by_parameter = {}
        for k in ps:
            dy, dd = [derivative(y, ps[k]) for y in outs], [derivative(d, ps[k]) for d in d1]
            moved = lambda s: {q: (v.detach() + s * h if q == k else v.detach()) for q, v in ps.items()}
            for y1, y0, d in zip(f(x.detach(), **moved(1)), f(x.detach(), **moved(-1)), dy):
                close((y1 - y0) / (2 * h), d.detach(), 1e-9, f"{name} d/d{k}")
            xx = torch.tensor(grid, requires_grad=True)
            for y1, y0, d in zip(f(xx, **moved(1)), f(xx, **moved(-1)), dd):
                close((derivative(y1, xx) - derivative(y0, xx)).detach() / (2 * h), d.detach(), 1e-9, f"{name} d2/dx d{k}")
            by_parameter[k] = {"dy": torch.stack(dy), "d_first": torch.stack(dd)}
        cases.append({"name": name, "parameters": parameters, "outputs": len(outs), "y": torch.stack(outs), "first": torch.stack(d1), "second": torch.stack(d2), "by_parameter": by_parameter})

    # MaxMin on rows of 6 features (3 pairs); piecewise linear, so its second derivative is zero.
    rng = np.random.RandomState(41)
    rows = torch.tensor(single(rng.uniform(-6, 6, (41, 6))), requires_grad=True)
    pairs = rows.reshape(41, 3, 2)
    assert float((pairs[:, :, 0] - pairs[:, :, 1]).abs().min()) > 1e-3
    mx, mn = pairs.max(2)[0], pairs.min(2)[0]
    y = torch.cat([mx, mn], dim=1)
    tangent = torch.tensor(single(rng.standard_normal((41, 6))))
    cotangent = torch.tensor(single(rng.standard_normal((41, 6))))
    jac = jacobian(y, rows, False)
    maxmin = {"pairs": "features (2i, 2i+1)", "layout": "all maxima, then all minima: y[i] = max(x[2i], x[2i+1]), y[3+i] = min(x[2i], x[2i+1])",
              "x": rows, "y": y, "tangent": tangent, "jvp": (jac @ tangent.unsqueeze(2)).squeeze(2), "cotangent": cotangent,
              "vjp": (jac.transpose(1, 2) @ cotangent.unsqueeze(2)).squeeze(2), "y_interleaved": torch.stack([mx, mn], dim=2).reshape(41, 6)}
    write("activations", {"x": grid, "cases": cases, "maxmin": maxmin})


if __name__ == "__main__":
    power_case()
    activation_case()
    flow_case("resflow-small", "resflow", 15, [("layers.0", 9, 2), ("layers.1", 9, 9), ("layers.2", 2, 9)], [[1.3, 0.85, 1.15], [0.8, 1.7, 0.85]],
              {"hidden": [9, 9]}, 2, [2, 4], [[1, 2], [3, 1], [2, 5]])
    flow_case("idensenet-lc-small", "idensenet", 14, [("layers.0", 7, 2), ("layers.1", 7, 9), ("layers.2", 7, 16), ("final", 2, 23)],
              [[1.6, 0.7, 1.3, 0.8], [0.6, 1.5, 0.75, 1.2]],
              {"depth": 3, "growth": 7, "concat_c": CONCAT_C, "concat_shift": CONCAT_SHIFT}, 2, [1, 3], [[2, 1], [1, 4], [3, 2]])
