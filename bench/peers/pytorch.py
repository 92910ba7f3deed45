"""The InjFlow-ln step in PyTorch, with the decoder's Jacobian-vector product in one of four ways (argv[1]).

hand: a tangent beside every layer; jvp: torch.func.jvp; double: the double-backward trick; compile: `hand` under torch.compile.
"""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch.func import jvp

from common import DEVICE, TF32, growth, layer_name, same_padding, serve

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = TF32
LAST = os.environ.get("PEER_CHANNELS_LAST", "1") == "1"


def to_torch(name, array):
    """[kh,kw,a,b] -> [b,a,kh,kw], which is (out,in) for a convolution and (in,out) for a transposed one, as PyTorch wants."""
    if array.ndim != 4:
        return torch.from_numpy(array.copy()).to(DEVICE)
    kernel = torch.from_numpy(array.transpose(3, 2, 0, 1).copy()).to(DEVICE)
    return kernel.contiguous(memory_format=torch.channels_last) if LAST else kernel


def from_torch(tensor):
    array = tensor.detach().contiguous().cpu().numpy()
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def convolve(x, kernel, bias, layer):
    top, bottom = same_padding(x.shape[2], layer["kernel"], layer["stride"])
    left, right = same_padding(x.shape[3], layer["kernel"], layer["stride"])
    if (top, left) == (bottom, right):
        return F.conv2d(x, kernel, bias, layer["stride"], (top, left))
    return F.conv2d(F.pad(x, (left, right, top, bottom)), kernel, bias, layer["stride"])


def convolve_transpose(x, kernel, bias, layer):
    """The exact transpose of `convolve`: padded before alone, so what the padding after would remove is cut off."""
    stride = layer["stride"]
    height, width = x.shape[2] * stride, x.shape[3] * stride
    top, _ = same_padding(height, layer["kernel"], stride)
    left, _ = same_padding(width, layer["kernel"], stride)
    y = F.conv_transpose2d(x, kernel, bias, stride, (top, left))
    return y if y.shape[2:] == (height, width) else y[:, :, :height, :width]


def statistics(x):
    axes = (0, 2, 3) if x.dim() == 4 else (0,)
    view = (1, -1, 1, 1) if x.dim() == 4 else (1, -1)
    return axes, view


class Network:
    """The layers of a network, applied to a value alone or to a value with its tangent."""

    def __init__(self, spec, parameters, running):
        self.spec, self.p, self.running = spec, parameters, running

    def layers(self):
        for index, layer in enumerate(self.spec["layers"]):
            yield layer, layer_name(self.spec, index, layer)

    @torch.no_grad()
    def update_running(self, moments):
        for layer, name in self.layers():
            for role, value in zip(("mean", "variance"), moments.get(name, ())):
                self.running[f"{name}/{role}"].lerp_(value.reshape(-1), 1 - layer["momentum"])

    def linear(self, layer, name, x, with_bias):
        """The layers that are linear but for their bias; None for any other."""
        bias = self.p[f"{name}/bias"] if with_bias and layer.get("bias") else None
        if layer["tag"] == "dense":
            kernel = self.p[f"{name}/kernel"]
            return x @ kernel if bias is None else torch.addmm(bias, x, kernel)
        if layer["tag"] == "conv":
            return convolve(x, self.p[f"{name}/kernel"], bias, layer)
        if layer["tag"] == "convTranspose":
            return convolve_transpose(x, self.p[f"{name}/kernel"], bias, layer)
        if layer["tag"] == "flatten":
            return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1) if x.dim() == 4 else x
        if layer["tag"] == "reshape":
            image = x.reshape(x.shape[0], *layer["shape"]).permute(0, 3, 1, 2)
            return image if LAST else image.contiguous()
        return None

    def normalise(self, layer, name, x, moments):
        """Batch-norm from primitive operations, so that each way of differentiating it twice is sound."""
        axes, view = statistics(x)
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        moments[name] = (mean.detach(), variance.detach())
        scale = torch.rsqrt(variance + layer["epsilon"])
        hat = (x - mean) * scale
        gamma, beta = self.p[f"{name}/gamma"].view(view), self.p[f"{name}/beta"].view(view)
        return hat * gamma + beta, hat, gamma * scale, axes

    def value(self, x, moments=None):
        """`moments` collects the statistics for a caller that differentiates; without it they are updated here."""
        for layer, name in self.layers():
            y = self.linear(layer, name, x, True)
            if y is None and layer["tag"] == "batchNorm":
                if moments is not None:
                    y, *_ = self.normalise(layer, name, x, moments)
                else:
                    mean, variance = self.running[f"{name}/mean"], self.running[f"{name}/variance"]
                    gamma, beta = self.p[f"{name}/gamma"], self.p[f"{name}/beta"]
                    y = F.batch_norm(x, mean, variance, gamma, beta, True, 1 - layer["momentum"], layer["epsilon"])
            elif y is None:
                y = {"elu": F.elu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[layer["name"]](x)
            x = y
        return x

    def with_tangent(self, x, dx, moments):
        for layer, name in self.layers():
            y = self.linear(layer, name, x, True)
            if y is not None:
                dy = self.linear(layer, name, dx, False)
            elif layer["tag"] == "batchNorm":
                y, hat, scale, axes = self.normalise(layer, name, x, moments)
                centred = dx - dx.mean(axes, keepdim=True)
                dy = scale * (centred - hat * (hat * dx).mean(axes, keepdim=True))
            elif layer["name"] == "elu":
                y = F.elu(x)
                dy = dx * (y.clamp(max=0) + 1)
            elif layer["name"] == "tanh":
                y = torch.tanh(x)
                dy = dx * (1 - y * y)
            else:
                y = torch.sigmoid(x)
                dy = dx * (y * (1 - y))
            x, dx = y, dy
        return x, dx


def build(workload, arrays):
    names = [name for name in arrays if name not in ("data", "v") and not name.endswith(("/mean", "/variance"))]
    parameters = {name: to_torch(name, arrays[name]).requires_grad_() for name in names}
    running = {n: torch.from_numpy(a.copy()).to(DEVICE) for n, a in arrays.items() if n.endswith(("/mean", "/variance"))}
    encoder = Network(workload["encoder"], parameters, running)
    decoder = Network(workload["decoder"], parameters, running)
    way = sys.argv[1]
    dimension = int(np.prod(workload["decoder"]["input"]))
    eta, prior = workload["eta"], workload["prior"]

    def tangents(h, v):
        moments = {}
        if way in ("hand", "compile"):
            y, tangent = decoder.with_tangent(h, v, moments)
        elif way == "jvp":

            def decode(z):
                inner = {}
                return decoder.value(z, inner), inner

            y, tangent, moments = jvp(decode, (h,), (v,), has_aux=True)
        else:
            y = decoder.value(h, moments)
            u = torch.zeros_like(y, requires_grad=True)
            (pulled,) = torch.autograd.grad(y, h, u, create_graph=True)
            (tangent,) = torch.autograd.grad(pulled, u, v, create_graph=True)
        return y, tangent, moments

    def losses(x, v, mu):
        h = encoder.value(x)
        y, tangent, moments = tangents(h, v)
        rows = (x - y).flatten(1)
        square, length = tangent.flatten(1).square().sum(1), v.square().sum(1)
        terms = [
            (prior * h.square().sum(1)).mean(),
            mu * rows.square().sum(1).mean(),
            (dimension / 2) * torch.log(torch.maximum(square, eta**2 * length)).mean(),
            mu * ((square.sqrt() / length.sqrt()) - eta).clamp(max=0).square().mean(),
        ]
        return sum(terms), terms, moments

    run = torch.compile(losses) if way == "compile" else losses
    optimizer = torch.optim.Adam(list(parameters.values()), lr=workload["rate"], eps=1e-8, fused=True)

    def step(x, v, i):
        images = torch.from_numpy(x).to(DEVICE)
        images = images.permute(0, 3, 1, 2) if images.dim() == 4 else images
        mu = torch.tensor(growth(workload, i), dtype=torch.float32, device=DEVICE)
        optimizer.zero_grad(set_to_none=True)
        loss, terms, moments = run(images, torch.from_numpy(v).to(DEVICE), mu)
        loss.backward()
        optimizer.step()
        decoder.update_running(moments)
        return torch.stack([loss.detach(), *(term.detach() for term in terms)]).tolist()

    def first_moments():
        return {name: from_torch(optimizer.state[p]["exp_avg"]) for name, p in parameters.items()}

    return step, first_moments


serve(build, {"PyTorch": torch.__version__})
