"""Seconds that numpy and pandas take for the files of `npm run bench -- data`: one JSON line for each line `npy PATH` or `csv PATH` on stdin."""
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
    start = time.perf_counter()
    if kind == "npy":
        np.load(path).astype(np.float32, copy=True)
    elif pd is not None:
        pd.read_csv(path).to_numpy(np.float32)
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
