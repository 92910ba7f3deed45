"""The InjFlow-ln step in JAX: one jitted function, the decoder's tangent by jax.jvp, its buffers donated."""
import os

from common import DEVICE, TF32, growth, layer_name, same_padding, serve

os.environ["JAX_PLATFORMS"] = DEVICE

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

if not TF32:
    jax.config.update("jax_default_matmul_precision", "float32")
LAYOUT = ("NHWC", "HWIO", "NHWC")


def convolve(x, kernel, layer):
    padding = [same_padding(n, layer["kernel"], layer["stride"]) for n in x.shape[1:3]]
    return lax.conv_general_dilated(x, kernel, (layer["stride"],) * 2, padding, dimension_numbers=LAYOUT)


def convolve_transpose(x, kernel, layer):
    """The exact transpose of `convolve`, as a convolution of the dilated input with the turned kernel."""
    stride, size = layer["stride"], layer["kernel"]
    padding = []
    for n in x.shape[1:3]:
        before = size - 1 - same_padding(n * stride, size, stride)[0]
        padding.append((before, n * stride + size - 2 - (n - 1) * stride - before))
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    return lax.conv_general_dilated(x, turned, (1, 1), padding, lhs_dilation=(stride,) * 2, dimension_numbers=LAYOUT)


def apply(network, parameters, x):
    """The network's output, and the statistics of its batch-norms."""
    moments = {}
    for index, layer in enumerate(network["layers"]):
        name = layer_name(network, index, layer)
        if layer["tag"] == "dense":
            x = x @ parameters[f"{name}/kernel"]
        elif layer["tag"] == "conv":
            x = convolve(x, parameters[f"{name}/kernel"], layer)
        elif layer["tag"] == "convTranspose":
            x = convolve_transpose(x, parameters[f"{name}/kernel"], layer)
        elif layer["tag"] == "flatten":
            x = x.reshape(x.shape[0], -1)
        elif layer["tag"] == "reshape":
            x = x.reshape(x.shape[0], *layer["shape"])
        elif layer["tag"] == "batchNorm":
            axes = tuple(range(x.ndim - 1))
            mean, variance = x.mean(axes), x.var(axes)
            moments[f"{name}/mean"], moments[f"{name}/variance"] = mean, variance
            scale = parameters[f"{name}/gamma"] * lax.rsqrt(variance + layer["epsilon"])
            x = (x - mean) * scale + parameters[f"{name}/beta"]
        else:
            x = {"elu": jax.nn.elu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[layer["name"]](x)
        if layer.get("bias"):
            x = x + parameters[f"{name}/bias"]
    return x, moments


def build(workload, arrays):
    running = {n: jnp.asarray(a) for n, a in arrays.items() if n.endswith(("/mean", "/variance"))}
    parameters = {n: jnp.asarray(a) for n, a in arrays.items() if n not in running and n not in ("data", "v")}
    momentum = {
        layer_name(net, i, layer): layer["momentum"]
        for net in (workload["encoder"], workload["decoder"])
        for i, layer in enumerate(net["layers"])
        if layer["tag"] == "batchNorm"
    }
    dimension = int(np.prod(workload["decoder"]["input"]))
    eta, prior, rate = workload["eta"], workload["prior"], workload["rate"]

    def losses(p, x, v, mu):
        h, of_encoder = apply(workload["encoder"], p, x)
        y, tangent, of_decoder = jax.jvp(lambda z: apply(workload["decoder"], p, z), (h,), (v,), has_aux=True)
        square = jnp.square(tangent).reshape(len(x), -1).sum(1)
        length = jnp.square(v).sum(1)
        terms = [
            (prior * jnp.square(h).sum(1)).mean(),
            mu * jnp.square(x - y).reshape(len(x), -1).sum(1).mean(),
            dimension / 2 * jnp.log(jnp.maximum(square, eta**2 * length)).mean(),
            mu * jnp.square(jnp.minimum(jnp.sqrt(square) / jnp.sqrt(length) - eta, 0)).mean(),
        ]
        return sum(terms), (terms, {**of_encoder, **of_decoder})

    def update(state, x, v, mu, count):
        p, m, s, kept = state
        (loss, (terms, moments)), g = jax.value_and_grad(losses, has_aux=True)(p, x, v, mu)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        s = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, s, g)
        first, second = rate / (1 - 0.9**count), 1 / (1 - 0.999**count)
        p = jax.tree.map(lambda p, m, s: p - first * m / (jnp.sqrt(second * s) + 1e-8), p, m, s)
        kept = {n: momentum[n.rsplit("/", 1)[0]] * old + (1 - momentum[n.rsplit("/", 1)[0]]) * moments[n] for n, old in kept.items()}
        return (p, m, s, kept), jnp.stack([loss, *terms])

    compiled = jax.jit(update, donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, jax.tree.map(jnp.zeros_like, parameters), running)

    def step(x, v, i):
        nonlocal state
        state, values = compiled(state, x, v, np.float32(growth(workload, i)), np.float32(i + 1))
        return np.asarray(values)

    return step, lambda: state[1]


serve(build, {"JAX": jax.__version__})
