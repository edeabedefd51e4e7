#!/usr/bin/env python3
"""Two values of a key, seed by seed: what differs between runs of sweeps that differ in it alone.

    build/steady sweep --plan docs/plans/precision-edge.json --out runs/edge
    python3 test/bench/pairs.py runs/edge
    python3 test/bench/pairs.py runs/a runs/b --key optim.lr --from 0.01,0.02 --to 0.0100001,0.0200001

Reads each folder's sweep.json and each run's probe.jsonl; folders are read together.  Two runs are a pair if all
that the sweep names but --key is equal (default train.precision, from fp32 to bf16).  Tables in Markdown:

- for each setting: how many runs fail on each side, pairs with the same verdict, and the mean
  difference (to - from) of the numbers of NUMBERS with a 95 % t interval over seeds, beside the standard
  deviation of the first side over seeds;
- for each method, where it was swept over learning rates: the edge, the highest rate below the first that
  fails, in doublings, paired by seed.

A run fails if it diverged or collapsed, or its loss is above --fail-loss.  A run that is not
there, or has not ended, leaves its pair out, and is named.  The standard library is enough.
"""
import argparse
import json
import math
import os
import re
import statistics
import sys

# 97.5 % points of Student's t for 1 to 30 degrees of freedom
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
     2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
     2.045, 2.042)
RATE, SEED = "optim.lr", "train.seed"


def log2(x):
    return math.log2(x) if x > 0 else math.nan


# name, digits, function of a run; of shares in points, of sizes in doublings
NUMBERS = (
    ("loss", 4, lambda run: run.number("loss")),
    ("score", 2, lambda run: run.number("score") * (100 if run.cell["metric"] in SHARES else 1)),
    ("lowest entropy, points", 1, lambda run: 100 * run.entropy("share")),
    ("entropy at the end, points", 1, lambda run: 100 * run.entropy("end")),
    ("largest logit, doublings", 2, lambda run: log2(run.number("max_logit"))),
    ("largest sigma at the end, doublings", 2, lambda run: log2(run.sigma())),
)
SHARES = ("top1", "top5", "wer", "cer", "probe_top1")


class Run:
    def __init__(self, folder, cell, fixed):
        self.folder, self.cell = os.path.join(folder, "cells", cell["name"]), cell
        self.axes = {**fixed, **cell["values"]}

    def number(self, key):
        value = self.cell.get(key)
        return math.nan if value is None else float(value)

    def entropy(self, key):
        value = (self.cell.get("entropy") or {}).get(key)
        return math.nan if value is None else float(value)

    def fails(self, loss):
        return (self.cell["diverged"] or self.cell["collapsed"] or self.cell.get("nonfinite", False) or
                self.number("loss") > loss)

    def sigma(self):
        """Largest spectral norm of a weight that acts, at the last probe that measured any."""
        last = math.nan
        try:
            with open(os.path.join(self.folder, "probe.jsonl")) as file:
                for line in file:
                    weights = json.loads(line).get("weights", [])
                    last = max((abs(w["gamma"]) if w.get("gamma") is not None else w["sigma"]
                                for w in weights if w.get("sigma") is not None), default=last)
        except OSError:
            pass
        return last


def read(folder):
    """Its runs that have ended.  What is the same in all of them may vary between folders."""
    with open(os.path.join(folder, "sweep.json")) as file:
        state = json.load(file)
    words = [word.split("=", 1) for word in state.get("words", []) if "=" in word]
    fixed = {key: value for key, value in words if not re.search(r"[{}:,]", key + value)}
    return [Run(folder, cell, fixed) for cell in state["cells"] if cell.get("verdict")]


def forget_the_same(runs):
    """Takes away the axes that have one value in all runs."""
    for axis in {axis for run in runs for axis in run.axes} - {"recipe"}:
        if len({run.axes.get(axis) for run in runs}) == 1:
            for run in runs:
                del run.axes[axis]


def pairs_of(runs, key, sides):
    """{(what else is equal): (run, run)}, and the names of runs without their like.  sides: two
    lists of values of the key; the first of one is the like of the first of the other."""
    found = {}
    for run in runs:
        for number, side in ((values.index(run.axes[key]), side) for side, values in enumerate(sides)
                             if run.axes.get(key) in values):
            rest = tuple((axis, value) if axis != key else (axis, sides[0][number])
                         for axis, value in sorted(run.axes.items())
                         if axis != key or len(sides[0]) > 1)
            found.setdefault(rest, {})[side] = run
    whole = {rest: (both[0], both[1]) for rest, both in found.items() if len(both) == 2}
    alone = [run.cell["name"] for both in found.values() if len(both) == 1 for run in both.values()]
    return whole, alone


def without(rest, *axes):
    return tuple((axis, value) for axis, value in rest if axis not in axes)


def groups_of(pairs, *axes):
    """Pairs that are equal but for these axes, in the order of the table."""
    groups = {}
    for rest, pair in pairs.items():
        groups.setdefault(without(rest, *axes), []).append((dict(rest), pair))
    return groups


# ---------------------------------------------------------------------------------------------
# statistics


def interval(values):
    """Mean and half width of the 95 % interval; nan for fewer than two."""
    if not values:
        return math.nan, math.nan
    mean, n = statistics.mean(values), len(values)
    if n < 2:
        return mean, math.nan
    return mean, T[min(n - 1, len(T)) - 1] * statistics.stdev(values) / math.sqrt(n)


def spread(values):
    return statistics.stdev(values) if len(values) > 1 else math.nan


def differences(pairs, function):
    """Of the pairs in which both have the number; and the numbers of the first side."""
    both = [(function(a), function(b)) for _, (a, b) in pairs]
    both = [(a, b) for a, b in both if math.isfinite(a) and math.isfinite(b)]
    return [b - a for a, b in both], [a for a, _ in both]


def sign_test(worse, better):
    """Exact McNemar test, two-sided: discordant pairs fall on either side like coins."""
    n, k = worse + better, min(worse, better)
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2 ** n)


def edges(pairs, loss):
    """For each seed the edge of both sides, in doublings from the lowest rate of the grid: the highest
    rate below the first that fails; -1 where the lowest does."""
    seeds = {}
    for rest, pair in pairs:
        seeds.setdefault(rest[SEED], []).append((float(rest[RATE]), pair))
    result = []
    for ladder in seeds.values():
        ladder.sort(key=lambda step: step[0])
        lowest = ladder[0][0]

        def edge(side, ladder=ladder, lowest=lowest):
            reached = -1.0
            for rate, pair in ladder:
                if pair[side].fails(loss):
                    break
                reached = log2(rate / lowest)
            return reached
        result.append((edge(0), edge(1)))
    return result


# ---------------------------------------------------------------------------------------------
# tables


def cell(pairs, digits, function):
    change, first = differences(pairs, function)
    if not change:
        return "-"
    mean, half = interval(change)
    return "%+.*f ± %.*f (%.*f)" % (digits, mean, digits, half, digits, spread(first))


def named(rest):
    return ", ".join(value if axis == "recipe" else "%s=%s" % (axis, value) for axis, value in rest
                     if value != "-") or "all"


def markdown(heads, rows):
    return "\n".join(["| %s |" % " | ".join(heads), "| --- " * len(heads) + "|"] +
                     ["| %s |" % " | ".join(map(str, row)) for row in rows])


def settings(pairs, sides, loss):
    rows = []
    for rest, members in groups_of(pairs, SEED).items():
        a, b = ([pair[side] for _, pair in members] for side in (0, 1))
        same = sum(x.cell["verdict"] == y.cell["verdict"] for x, y in zip(a, b))
        rows.append([named(rest), len(members), sum(x.fails(loss) for x in a),
                     sum(x.fails(loss) for x in b),
                     same] + [cell(members, digits, function) for _, digits, function in NUMBERS])
    return markdown(["setting", "pairs", "fail, %s" % sides[0], "fail, %s" % sides[1], "same verdict"] +
                    [name for name, _, _ in NUMBERS], rows)


def methods(pairs, sides, loss):
    """Failures of each method over all rates and seeds, and its edge; empty without a sweep of rates."""
    rows = []
    for rest, members in groups_of(pairs, SEED, RATE).items():
        if len({member[RATE] for member, _ in members if RATE in member}) < 2:
            continue
        fates = [(a.fails(loss), b.fails(loss)) for _, (a, b) in members]
        worse, better = fates.count((False, True)), fates.count((True, False))
        found = edges(members, loss)
        mean, half = interval([b - a for a, b in found])
        rows.append([named(rest), len(members), sum(a for a, _ in fates), sum(b for _, b in fates),
                     "%d, %d" % (worse, better), "%.2f" % sign_test(worse, better), len(found),
                     "%.2f" % statistics.mean(a for a, _ in found),
                     "%.2f" % statistics.mean(b for _, b in found), "%+.2f ± %.2f" % (mean, half)])
    return rows and markdown(
        ["method", "pairs", "fail, %s" % sides[0], "fail, %s" % sides[1],
         "only %s, only %s" % (sides[1], sides[0]), "p", "seeds", "edge, %s" % sides[0],
         "edge, %s" % sides[1], "moved, doublings"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="of sweeps")
    parser.add_argument("--key", default="train.precision")
    parser.add_argument("--from", dest="first", default="fp32", help="its values, comma-separated")
    parser.add_argument("--to", default="bf16", help="as many")
    parser.add_argument("--fail-loss", type=float, default=math.inf, metavar="NATS")
    options = parser.parse_args()
    values = (options.first.split(","), options.to.split(","))
    if len(values[0]) != len(values[1]):
        parser.error("--from and --to have %d and %d values" % tuple(map(len, values)))
    runs = [run for folder in options.folders for run in read(folder)]
    forget_the_same(runs)
    pairs, alone = pairs_of(runs, options.key, values)
    if not pairs:
        sys.exit("no two runs differ in %s alone, %s and %s" % (options.key, options.first, options.to))
    names = ("before", "after") if len(values[0]) > 1 else (options.first, options.to)
    print("%s from %s to %s, %d pairs; mean difference ± half of its 95 %% interval (standard deviation "
          "over seeds, %s)\n" % (options.key, options.first, options.to, len(pairs), names[0]))
    print(settings(pairs, names, options.fail_loss) + "\n")
    over_rates = methods(pairs, names, options.fail_loss)
    if over_rates:
        print(over_rates + "\n")
    if alone:
        print("Without their like: %d, such as %s" % (len(alone), alone[0]))


if __name__ == "__main__":
    main()
