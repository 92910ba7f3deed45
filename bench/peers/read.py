"""Seconds by the clock and of the processor's work that numpy and pandas take for the files of `npm run bench -- data`: one JSON line for each line `npy PATH` or `csv PATH` on stdin."""
import json
import sys
import time

import numpy as np

try:
    import pandas as pd
except ImportError:
    pd = None

print(json.dumps({"numpy": np.__version__, "pandas": pd.__version__ if pd else None}), flush=True)
for line in sys.stdin:
    kind, path = line.rstrip("\n").split(" ", 1)
    start, work = time.perf_counter(), time.process_time()
    if kind == "npy":
        np.load(path).astype(np.float32, copy=True)
    elif pd is not None:
        pd.read_csv(path).to_numpy(np.float32)
    seconds = {"seconds": time.perf_counter() - start, "work": time.process_time() - work}
    print(json.dumps(seconds), flush=True)
