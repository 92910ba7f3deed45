"""Splits of scikit-learn's small tables, and what its densities make of them: `python small_tables.py FOLDER SEEDS`.

Each seed permutes the rows: 60 % to train on, 20 % to choose by, 20 % to report on. Values come rounded, so that a density could grow
without bound on their grid; each column gets uniform noise as wide as its smallest step. Columns are standardised by the training rows
and turned to their principal axes, which changes no density and no distance. `shuffled` has test rows whose columns were shuffled, each
by itself, before the turn: the same columns without what ties them. Writes NAME-SEED.json with splits and figures.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import sklearn
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture

NAMES = ["wine", "breast_cancer", "diabetes", "iris", "digits"]
COMPONENTS = [1, 2, 3, 5, 10]
MOST_DIMENSIONS = 16


def dequantised(rows, random):
    steps = [np.diff(np.unique(column)).min(initial=np.inf) for column in rows.T]
    steps = np.where(np.isfinite(steps), steps, 1.0)
    return rows + (random.random(rows.shape) - 0.5) * steps


def split(name, seed):
    random = np.random.default_rng(seed)
    rows = dequantised(getattr(datasets, f"load_{name}")().data, random)
    rows = rows[random.permutation(len(rows))]
    first, second = int(0.6 * len(rows)), int(0.8 * len(rows))
    train = rows[:first]
    rows = (rows - train.mean(0)) / train.std(0)
    axes = np.linalg.svd(rows[:first], full_matrices=True)[2].T
    shuffled = np.stack([random.permutation(column) for column in rows[second:].T], 1)
    parts = {"train": rows[:first], "validation": rows[first:second], "test": rows[second:], "shuffled": shuffled}
    return {part: values @ axes for part, values in parts.items()}


def best(models, validation):
    return max(models, key=lambda model: model.score(validation))


def figures(model, parts):
    inside, outside = model.score_samples(parts["test"]), model.score_samples(parts["shuffled"])
    labels = np.r_[np.zeros(len(inside)), np.ones(len(outside))]
    return {"nll": -inside.mean(), "auc": roc_auc_score(labels, -np.r_[inside, outside])}


def peers(parts):
    D = parts["train"].shape[1]
    gaussian = GaussianMixture(1).fit(parts["train"])
    mixtures = [GaussianMixture(k, n_init=5, random_state=0).fit(parts["train"]) for k in COMPONENTS]
    mixture = best(mixtures, parts["validation"])
    ppca = best([PCA(d).fit(parts["train"]) for d in range(1, min(MOST_DIMENSIONS + 1, D))], parts["validation"])
    back = ppca.inverse_transform(ppca.transform(parts["test"]))
    return {
        "gaussian": figures(gaussian, parts),
        "mixture": figures(mixture, parts) | {"components": mixture.n_components},
        "ppca": figures(ppca, parts)
        | {
            "d": int(ppca.n_components_),
            "noise": float(np.sqrt(ppca.noise_variance_)),
            "deviations": np.sqrt(ppca.explained_variance_).tolist(),
            "reconstruction": ((parts["test"] - back) ** 2).sum(1).mean(),
        },
    }


def main(folder, seeds):
    warnings.simplefilter("ignore", ConvergenceWarning)
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        for seed in range(seeds):
            parts = split(name, seed)
            found = {"versions": {"scikit-learn": sklearn.__version__}, "D": parts["train"].shape[1], "peers": peers(parts)}
            found |= {part: np.round(values, 6).ravel().tolist() for part, values in parts.items()}
            (folder / f"{name}-{seed}.json").write_text(json.dumps(found))


main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
