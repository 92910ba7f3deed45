"""scikit-learn's mixtures of codes: JSON on stdin and stdout, mean ln p of the codes and rounds for each seed and tolerance."""
import json
import sys

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture

given = json.load(sys.stdin)
codes = np.asarray(given["codes"], dtype=np.float64).reshape(-1, given["d"])


def fitted(seed, tolerance):
    mixture = GaussianMixture(given["components"], tol=tolerance, max_iter=2000, random_state=seed)
    mixture.fit(codes)
    return {"seed": seed, "tolerance": tolerance, "logLikelihood": mixture.score(codes), "rounds": mixture.n_iter_}


fits = [fitted(seed, tolerance) for tolerance in (1e-4, 1e-8) for seed in range(given["seeds"])]
print(json.dumps({"versions": {"scikit-learn": sklearn.__version__}, "fits": fits}))
