"""The rectangular-flow step in PyTorch, as the authors of Rectangular Flows for Manifold Learning (2021) describe it: argv[1] is the volume term, `exact`
(a column of J at a time, Gram matrix, Cholesky factor) or `stochastic` (conjugate gradients on products with JᵀJ); argv[2] is how J·v is
made, `hand` (a tangent beside every layer), `jvp` (torch.func.jvp) or `vmap` (all columns in one call of it; a system with JᵀJ is then solved by its factor).
"""
import math
import os
import sys

import torch
from torch.func import jvp, vmap

from common import DEVICE, TF32, serve

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = TF32
METHOD, WAY = sys.argv[1], sys.argv[2]


class Flow:
    """A flow of affine couplings and at most one injection, run either way, with a tangent where one is given."""

    def __init__(self, spec, parameters):
        self.spec, self.p = spec, parameters
        self.size = spec["input"][0]

    def conditioner(self, layer, name, x, dx):
        for index, inner in enumerate(layer["conditioner"]):
            path = f"{name}/{index}.{inner['tag']}"
            if inner["tag"] == "dense":
                kernel = self.p[f"{path}/kernel"]
                x = torch.addmm(self.p[f"{path}/bias"], x, kernel)
                dx = None if dx is None else dx @ kernel
            else:
                x = torch.relu(x)
                dx = None if dx is None else torch.where(x > 0, dx, torch.zeros((), dtype=dx.dtype, device=DEVICE))
        kernel = self.p[f"{name}/projection/kernel"]
        x = torch.addmm(self.p[f"{name}/projection/bias"], x, kernel)
        dx = None if dx is None else dx @ kernel
        split = lambda y: y.view(y.shape[0], -1, 2).unbind(2)
        return split(x), None if dx is None else split(dx)

    def couple(self, layer, name, x, dx, inverse):
        cut = x.shape[1] // 2
        bound = layer["transform"]["bound"]
        halves = lambda y: (y[:, :cut], y[:, cut:]) if layer["part"] == "first" else (y[:, cut:], y[:, :cut])
        moving, still = halves(x)
        dmoving, dstill = (None, None) if dx is None else halves(dx)
        (raw, shift), tangents = self.conditioner(layer, name, still, dstill)
        bent = torch.tanh(raw / bound)
        log_scale = bound * bent
        if inverse:
            value = (moving - shift) * torch.exp(-log_scale)
        else:
            stretched = moving * torch.exp(log_scale)
            value = stretched + shift
        join = lambda a, b: torch.cat((a, b) if layer["part"] == "first" else (b, a), 1)
        tangent = None
        if dx is not None:
            draw, dshift = tangents
            dscale = draw * (1 - bent * bent)
            tangent = join(dmoving * torch.exp(log_scale) + stretched * dscale + dshift, dstill)
        sign = -1 if inverse else 1
        return join(value, still), tangent, sign * log_scale.sum(1)

    def run(self, x, dx=None, inverse=False):
        steps = list(enumerate(self.spec["layers"]))
        total = 0
        for index, layer in reversed(steps) if inverse else steps:
            name = f"{self.spec['name']}/{index}.{layer['tag']}"
            if layer["tag"] == "coupling":
                x, dx, log_det = self.couple(layer, name, x, dx, inverse)
                total = total + log_det
            elif inverse:
                x = x[:, : self.size]
            else:
                pad = lambda y: torch.nn.functional.pad(y, (0, layer["units"] - y.shape[1]))
                x, dx = pad(x), None if dx is None else pad(dx)
        return x, dx, total


def build(workload, arrays):
    names = [name for name in arrays if name not in ("data", "v")]
    parameters = {name: torch.from_numpy(arrays[name].copy()).to(DEVICE).requires_grad_() for name in names}
    decoder = Flow(workload["decoder"], parameters)
    base = Flow(workload["base"], parameters)
    d = decoder.size
    beta, tolerance = workload["beta"], workload["tolerance"]

    def push(z, v):
        """J·v, differentiable in the parameters and in z."""
        if WAY == "hand":
            return decoder.run(z, v)[1]
        return jvp(lambda at: decoder.run(at)[0], (z,), (v,))[1]

    def columns(z):
        unit = torch.eye(d, device=DEVICE)[:, None, :].expand(d, z.shape[0], d)
        return vmap(lambda e: push(z, e))(unit).permute(1, 2, 0)

    def exact(z, y, v):
        if WAY == "vmap":
            J = columns(z)
        else:
            unit = lambda k: torch.eye(d, device=DEVICE)[k].expand(z.shape[0], d)
            J = torch.stack([push(z, unit(k)) for k in range(d)], 2)
        gram = J.transpose(1, 2) @ J
        factor = torch.linalg.cholesky(gram)
        return torch.log(torch.diagonal(factor, dim1=1, dim2=2)).sum(1)

    def solve(z, y, b):
        """Conjugate gradients on JᵀJ, all rows at once; ends when every row's residual has fallen to the tolerance."""
        x, r = torch.zeros_like(b), b
        p, square = r, (r * r).sum(1, keepdim=True)
        limit = tolerance**2 * square
        at = z.detach()
        for _ in range(d):
            with torch.no_grad():
                Jp = push(at, p)
            (product,) = torch.autograd.grad(y, z, Jp, retain_graph=True)
            with torch.no_grad():
                active = (square > limit).float()
                alpha = active * square / (p * product).sum(1, keepdim=True)
                x, r = x + alpha * p, r - alpha * product
                after = (r * r).sum(1, keepdim=True)
                if bool((after <= limit).all()):
                    break
                p, square = r + after / square * p, after
        return x

    def factored(z, b):
        with torch.no_grad():
            J = columns(z.detach())
            return torch.cholesky_solve(b[:, :, None], torch.linalg.cholesky(J.transpose(1, 2) @ J))[:, :, 0]

    def stochastic(z, y, v):
        u = factored(z, v) if WAY == "vmap" else solve(z, y, v)
        return 0.5 * (push(z, u) * push(z, v)).sum(1)

    volume = exact if METHOD == "exact" else stochastic
    optimizer = torch.optim.Adam(list(parameters.values()), lr=workload["rate"], eps=1e-8, fused=True)

    def step(x, v, i):
        x, v = torch.from_numpy(x).to(DEVICE), torch.from_numpy(v).to(DEVICE).view(-1, d)
        optimizer.zero_grad(set_to_none=True)
        z, *_ = decoder.run(x, inverse=True)
        y, *_ = decoder.run(z)
        base_z, _, log_det = base.run(z)
        log_prior = -(d / 2) * math.log(2 * math.pi) - 0.5 * base_z.square().sum(1) + log_det
        terms = [-log_prior.mean(), beta * (x - y).square().sum(1).mean(), volume(z, y, v).mean()]
        loss = sum(terms)
        loss.backward()
        optimizer.step()
        return torch.stack([loss.detach(), *(term.detach() for term in terms)]).tolist()

    def first_moments():
        return {name: optimizer.state[p]["exp_avg"].cpu().numpy() for name, p in parameters.items()}

    return step, first_moments


serve(build, {"PyTorch": torch.__version__})
