"""The InjFlow-ln step in TensorFlow's Python: one tf.function, the decoder's tangent by hand or by ForwardAccumulator (argv[1])."""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from common import growth, layer_name, serve

THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)


class Network:
    def __init__(self, spec, parameters, running):
        self.spec, self.p, self.running = spec, parameters, running

    def layers(self):
        for index, layer in enumerate(self.spec["layers"]):
            yield layer, layer_name(self.spec, index, layer)

    def linear(self, layer, name, x):
        """The linear part of a layer; None where it has none."""
        batch = x.shape[0]
        if layer["tag"] == "dense":
            return tf.linalg.matmul(x, self.p[f"{name}/kernel"])
        if layer["tag"] == "conv":
            return tf.nn.conv2d(x, self.p[f"{name}/kernel"], layer["stride"], "SAME")
        if layer["tag"] == "convTranspose":
            size = [batch, x.shape[1] * layer["stride"], x.shape[2] * layer["stride"], layer["filters"]]
            return tf.nn.conv2d_transpose(x, self.p[f"{name}/kernel"], size, layer["stride"], "SAME")
        if layer["tag"] == "flatten":
            return tf.reshape(x, [batch, -1])
        if layer["tag"] == "reshape":
            return tf.reshape(x, [batch, *layer["shape"]])
        return None

    def fused(self, layer, name, x):
        gamma, beta = self.p[f"{name}/gamma"], self.p[f"{name}/beta"]
        y, mean, variance = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=gamma, offset=beta, mean=[], variance=[], epsilon=layer["epsilon"], is_training=True
        )[:3]
        self.track(layer, name, mean, variance)
        return y

    def track(self, layer, name, mean, variance):
        for role, value in (("mean", mean), ("variance", variance)):
            kept = self.running[f"{name}/{role}"]
            kept.assign_add((1 - layer["momentum"]) * (tf.stop_gradient(value) - kept))

    def normalise(self, layer, name, x):
        axes = list(range(len(x.shape) - 1))
        mean = tf.reduce_mean(x, axes)
        centred = x - mean
        variance = tf.reduce_mean(tf.square(centred), axes)
        self.track(layer, name, mean, variance)
        scale = tf.math.rsqrt(variance + layer["epsilon"])
        hat = centred * scale
        return hat * self.p[f"{name}/gamma"] + self.p[f"{name}/beta"], hat, self.p[f"{name}/gamma"] * scale, axes

    def value(self, x, fused):
        for layer, name in self.layers():
            y = self.linear(layer, name, x)
            if y is not None:
                y = tf.nn.bias_add(y, self.p[f"{name}/bias"]) if layer.get("bias") else y
            elif layer["tag"] == "batchNorm":
                y = self.fused(layer, name, x) if fused else self.normalise(layer, name, x)[0]
            else:
                y = {"elu": tf.nn.elu, "tanh": tf.tanh, "sigmoid": tf.sigmoid}[layer["name"]](x)
            x = y
        return x

    def with_tangent(self, x, dx):
        for layer, name in self.layers():
            y = self.linear(layer, name, x)
            if y is not None:
                y = tf.nn.bias_add(y, self.p[f"{name}/bias"]) if layer.get("bias") else y
                dy = self.linear(layer, name, dx)
            elif layer["tag"] == "batchNorm":
                y, hat, scale, axes = self.normalise(layer, name, x)
                dy = scale * (dx - tf.reduce_mean(dx, axes) - hat * tf.reduce_mean(hat * dx, axes))
            elif layer["name"] == "elu":
                y = tf.nn.elu(x)
                dy = dx * (tf.minimum(y, 0.0) + 1.0)
            elif layer["name"] == "tanh":
                y = tf.tanh(x)
                dy = dx * (1.0 - y * y)
            else:
                y = tf.sigmoid(x)
                dy = dx * (y * (1.0 - y))
            x, dx = y, dy
        return x, dx


def build(workload, arrays):
    running = {n: tf.Variable(a) for n, a in arrays.items() if n.endswith(("/mean", "/variance"))}
    parameters = {n: tf.Variable(a) for n, a in arrays.items() if n not in running and n not in ("data", "v")}
    first = {n: tf.Variable(tf.zeros_like(p)) for n, p in parameters.items()}
    second = {n: tf.Variable(tf.zeros_like(p)) for n, p in parameters.items()}
    encoder = Network(workload["encoder"], parameters, running)
    decoder = Network(workload["decoder"], parameters, running)
    dimension = int(np.prod(workload["decoder"]["input"]))
    eta, prior = workload["eta"], workload["prior"]

    def tangents(h, v):
        if sys.argv[1] == "hand":
            return decoder.with_tangent(h, v)
        with tf.autodiff.ForwardAccumulator(h, v) as forward:
            y = decoder.value(h, fused=False)
        return y, forward.jvp(y)

    @tf.function(autograph=False)
    def compiled(x, v, mu, count):
        with tf.GradientTape() as tape:
            h = encoder.value(x, fused=True)
            y, tangent = tangents(h, v)
            own = list(range(1, len(x.shape)))
            square = tf.reduce_sum(tf.square(tangent), own)
            length = tf.reduce_sum(tf.square(v), 1)
            terms = [
                tf.reduce_mean(prior * tf.reduce_sum(tf.square(h), 1)),
                mu * tf.reduce_mean(tf.reduce_sum(tf.square(x - y), own)),
                dimension / 2 * tf.reduce_mean(tf.math.log(tf.maximum(square, eta**2 * length))),
                mu * tf.reduce_mean(tf.square(tf.minimum(tf.sqrt(square) / tf.sqrt(length) - eta, 0.0))),
            ]
            loss = tf.add_n(terms)
        gradients = tape.gradient(loss, parameters)
        power1, power2 = tf.pow(0.9, count), tf.pow(0.999, count)
        for name, gradient in gradients.items():
            # The fused operation adds epsilon inside the correction: scaled so, it is outside.
            tf.raw_ops.ResourceApplyAdam(
                var=parameters[name].handle, m=first[name].handle, v=second[name].handle, beta1_power=power1, beta2_power=power2,
                lr=workload["rate"], beta1=0.9, beta2=0.999, epsilon=1e-8 * tf.sqrt(1.0 - power2), grad=gradient,
            )  # fmt: skip
        return tf.stack([loss, *terms])

    def step(x, v, i):
        return compiled(tf.constant(x), tf.constant(v), tf.constant(growth(workload, i), tf.float32), tf.constant(i + 1.0)).numpy()

    return step, lambda: {n: m.numpy() for n, m in first.items()}


serve(build, {"TensorFlow": tf.__version__})
