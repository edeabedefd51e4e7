"""Makes test/golden/statistics.json: intervals and exact tests by SciPy and by enumeration.

    /usr/bin/python3 test/golden/make_statistics.py > test/golden/statistics.json

Bootstrap: all n^n resamples of n numbers one by one; the level by SciPy's normal and Student
distributions.  Signs, Fisher, Clopper-Pearson: scipy.stats.  Made with SciPy 1.17.
"""
import itertools
import json

import numpy as np
from scipy import stats

SAMPLES = {
    "three": [97.1, 97.42, 97.2],
    "four": [0.51, 0.49, 0.73, 0.5],
    "five": [2.303, 1.911, 2.25, 1.07, 2.301],
    "six": [-1.5, 0.25, 3.75, 0.5, 0.125, -0.75],
    "seven": [12.0, 11.5, 18.25, 14.0, 9.75, 10.0, 13.5],
    "ties": [1.0, 1.0, 2.0, 2.0, 2.0],
    "equal": [0.1, 0.1, 0.1],
}
DIFFERENCES = {
    "all above": [1.2, 0.8, 1.6],
    "one below": [0.3, -0.1, 0.25, 0.4, 0.5],
    "mixed": [-1.5, 0.25, 3.75, 0.5, 0.125, -0.75, 2.0, 1.0],
    "zeros": [0.0, 0.0, 0.5, 0.25, 0.0, 0.75],
    "one": [0.5],
}
TABLES = [(7, 8, 0, 8), (0, 8, 7, 8), (3, 3, 0, 3), (5, 40, 0, 40), (1, 10, 2, 15), (0, 5, 0, 5), (8, 8, 8, 8),
          (12, 30, 31, 200), (2, 4, 2, 4), (1, 2, 1, 900)]
SHARES = [(0, 40), (40, 40), (1, 40), (7, 8), (0, 8), (5, 10), (3, 3), (1, 1), (137, 1000), (0, 1)]


def bootstrap(x):
    n = len(x)
    rows = np.array(list(itertools.product(range(n), repeat=n)))
    means = np.sort(np.asarray(x)[rows].mean(axis=1))
    level = stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
    rank = int(np.ceil(level * (1 - 1e-9) * len(means))) - 1
    return {"level": level, "low": means[rank], "high": means[-1 - rank]}


def flip(d):
    if len(d) == 1:
        return 1.0
    return stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue


def share(k, n):
    interval = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
    return {"k": k, "n": n, "low": interval.low, "high": interval.high}


def main():
    golden = {
        "mean": [{"name": name, "x": x, **bootstrap(x)} for name, x in SAMPLES.items()],
        "flip": [{"name": name, "d": d, "p": float(flip(d))} for name, d in DIFFERENCES.items()],
        "fisher": [{"table": t, "p": float(stats.fisher_exact([[t[0], t[1] - t[0]], [t[2], t[3] - t[2]]])[1])}
                   for t in TABLES],
        "share": [share(k, n) for k, n in SHARES],
    }
    print(json.dumps(golden, indent=1, default=float))


main()
