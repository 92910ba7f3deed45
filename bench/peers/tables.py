"""Writes the small tables that scikit-learn brings as CSV files with a header: `python tables.py FOLDER`.

NAME.csv holds the features alone. Of a table with classes NAME-inside.csv has the examples of one class and NAME-outside.csv
those of the others: data of a model, and data to tell from it.
"""
import pathlib
import sys

import numpy as np
from sklearn import datasets

INSIDE = {"wine": 1, "breast_cancer": 1, "iris": 1, "digits": 0}


def write(path, rows):
    header = ",".join(f"x{i + 1}" for i in range(rows.shape[1]))
    np.savetxt(path, rows, fmt="%.9g", delimiter=",", header=header, comments="")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ["wine", "breast_cancer", "diabetes", "iris", "digits"]:
        found = getattr(datasets, f"load_{name}")()
        # Files are in order of their classes, and every sixth row is held out.
        order = np.random.default_rng(0).permutation(len(found.data))
        rows, target = found.data[order], found.target[order]
        write(folder / f"{name}.csv", rows)
        if name in INSIDE:
            write(folder / f"{name}-inside.csv", rows[target == INSIDE[name]])
            write(folder / f"{name}-outside.csv", rows[target != INSIDE[name]])


main(pathlib.Path(sys.argv[1]))
