"""One peer's side of bench/peers: JSON lines on stdin and stdout, arrays as raw float32 in files.

A peer is a function `build(workload, arrays)` that returns a training step `(x, v, i) -> five numbers` and a function that
gives Adam's first moments by our names and in our layouts. Layers come as data, in the words of dsl/layer.ts.
"""
import json
import os
import sys
import time

import numpy as np

"""Where a peer computes: `cpu` or `cuda`; and whether products on a GPU may round their operands to TF32."""
DEVICE = os.environ.get("PEER_DEVICE", "cpu")
TF32 = os.environ.get("PEER_TF32") == "1"
TERMS = ["loss", "prior", "reconstruction", "volume", "injectivity"]


def same_padding(size, kernel, stride):
    """TensorFlow's 'same': the odd row of padding comes last."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def layer_name(network, index, layer):
    return f"{network['name']}/{index}.{layer['tag']}"


def growth(workload, step):
    """The paper's penalty schedule, 1 + i^nu / 1000."""
    return 1.0 + step ** workload["nu"] / 1000.0


def read_arrays(message):
    flat = np.fromfile(message["file"], dtype=np.float32)
    arrays = {}
    for entry in message["arrays"]:
        size = int(np.prod(entry["shape"], dtype=np.int64))
        arrays[entry["name"]] = flat[entry["offset"] : entry["offset"] + size].reshape(entry["shape"]).copy()
    return arrays


def serve(build, versions):
    """Answers `prepare` with the terms of the first two steps, and `time` with the milliseconds of each step."""
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    step = x = v = None
    count = 0

    def run():
        nonlocal count
        values = step(x, v, count)
        count += 1
        return [float(value) for value in values]

    for line in sys.stdin:
        message = json.loads(line)
        if message["op"] == "prepare":
            arrays = read_arrays(message)
            x, v = arrays["data"], arrays["v"]
            step, first_moments = build(message["workload"], arrays)
            first = dict(zip(TERMS, run()))
            moments = first_moments()
            parameters = [entry for entry in message["arrays"] if entry["role"] == "parameter"]
            gradients = [np.asarray(moments[entry["name"]], dtype=np.float32).ravel() / 0.1 for entry in parameters]
            np.concatenate(gradients).astype(np.float32).tofile(message["gradients"])
            reply = {"versions": versions, "terms": [first, dict(zip(TERMS, run()))]}
        elif message["op"] == "time":
            clock = {"wall": time.perf_counter, "cpu": time.process_time}[message["clock"]]
            milliseconds = []
            for _ in range(message["steps"]):
                start = clock()
                run()
                milliseconds.append((clock() - start) * 1000)
            reply = {"milliseconds": milliseconds}
        else:
            break
        print(json.dumps(reply), file=lines)
