#!/usr/bin/env python3
"""What docs/plans/grid.md asks of a sweep: failures of each method, failing points of each learning rate, Fisher's p.

    build/steady sweep --plan docs/plans/grid-mnist.json --out runs/grid-mnist
    python3 test/bench/grid.py runs/grid-mnist [SWEEP...]

A run fails if its loss (mean of the last fifth of the steps) is above the midpoint of ln K and the lowest mean loss of a
point of the sweep (five seeds), or a loss or gradient is not finite; a point fails if most of its seeds do.  Runs that have
not ended are counted in "of".  The standard library is enough.
"""
import argparse
import json
import math
import os
import statistics

from fisher import fisher

METHODS = {
    ("demo", "0.07", "0.05"): "baseline",
    ("demo-sigma", None, None): "σReparam",
    ("demo", "0.2", "0.05"): "control: σReparam's start",
    ("demo", "0.07", "0"): "control: no decay",
}


def part(values, key):
    """Of a set of keys that the sweep moves together, "{a,b}=1;2", the value of one."""
    if key in values:
        return values[key]
    for keys, some in values.items():
        if keys.startswith("{") and key in keys[1:-1].split(","):
            return some.split(",")[keys[1:-1].split(",").index(key)]
    return None


class Run:
    def __init__(self, cell):
        values = cell["values"]
        recipe = values["recipe"]
        self.method = METHODS[recipe, part(values, "model.init_std"), part(values, "optim.weight_decay")]
        self.rate = float(part(values, "optim.lr"))
        self.point = self.rate, part(values, "train.batch"), part(values, "schedule.warmup_steps") != "0"
        self.nonfinite, self.loss = cell.get("nonfinite", False), cell.get("loss")
        self.ended = self.loss is not None or self.nonfinite
        self.score = cell.get("score")
        self.collapsed = cell.get("collapsed", False)

    def fails(self, limit):
        return self.nonfinite or self.loss is None or not self.loss <= limit


def points(runs):
    groups = {}
    for run in runs:
        groups.setdefault(run.point, []).append(run)
    return groups


def midpoint(runs, classes):
    means = [statistics.mean(r.loss for r in group)
             for name in METHODS.values()
             for group in points(r for r in runs if r.method == name).values()
             if all(r.loss is not None and not r.nonfinite for r in group)]
    return (math.log(classes) + min(means)) / 2


def table(of, limit, rates):
    print("| method | ended | fail | " + " | ".join("at %g, of points" % r for r in rates)
          + " | entropy < 10 % | accuracy, per cent: mean, lowest |")
    print("| --- | --- | --- |" + " --- |" * len(rates) + " --- | --- |")
    for name, (runs, planned) in of.items():
        if not runs:
            print("| %s | 0 of %d | |%s | |" % (name, planned, " |" * len(rates)))
            continue
        failing = []
        for rate in rates:
            groups = [g for p, g in points(runs).items() if p[0] == rate]
            failing.append("%d of %d" % (sum(2 * sum(r.fails(limit) for r in g) > len(g) for g in groups), len(groups)))
        scores = [100 * r.score for r in runs if r.score is not None]
        print("| %s | %d of %d | %d | %s | %d | %.1f, %.1f |" % (
            name, len(runs), planned, sum(r.fails(limit) for r in runs), " | ".join(failing),
            sum(r.collapsed for r in runs), statistics.mean(scores), min(scores)))


def verdict(of, limit):
    sigma = of["σReparam"][0]
    failed = sum(r.fails(limit) for r in sigma)
    lost = sum(2 * sum(r.fails(limit) for r in g) > len(g) for g in points(sigma).values())
    print("\n- σReparam: %d of %d points fail" % (lost, len(points(sigma))))
    for name, (runs, _) in of.items():
        if runs and name != "σReparam":
            count = sum(r.fails(limit) for r in runs)
            print("- %s: %d of %d against σReparam's %d of %d, p = %.2g" % (
                name, count, len(runs), failed, len(sigma), fisher(count, len(runs), failed, len(sigma))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", nargs="+")
    parser.add_argument("--classes", type=int, default=10)
    args = parser.parse_args()
    for folder in args.sweep:
        with open(os.path.join(folder, "sweep.json")) as file:
            everything = [Run(cell) for cell in json.load(file)["cells"]]
        ended = [r for r in everything if r.ended]
        if not ended:
            print("%s: no run has ended" % folder)
            continue
        limit = midpoint(ended, args.classes)
        print("\n%s: midpoint %.3f" % (folder, limit))
        of = {name: ([r for r in ended if r.method == name], sum(r.method == name for r in everything))
              for name in METHODS.values()}
        table(of, limit, sorted({r.rate for r in everything}))
        verdict(of, limit)


if __name__ == "__main__":
    main()
