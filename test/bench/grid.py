#!/usr/bin/env python3
"""What docs/plans/grid.md asks of a sweep: failures of each method, failing points of each learning rate, Fisher's p.

    build/steady sweep --plan docs/plans/grid-mnist.json --out runs/grid-mnist
    python3 test/bench/grid.py runs/grid-mnist [SWEEP...]

A run fails if its loss (mean of the last fifth of the steps) is above the midpoint of ln K and the lowest mean loss of a
point of the sweep (five seeds), or above ln K where no mean is lower, or a loss or gradient is not finite; a point fails if
most of its seeds do.  Runs that have not ended are counted in "of"; a point that has one gives no mean loss, and is no point
of a table.  The standard library is enough.
"""
import argparse
import math
import statistics
import sys

import sweeps
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
    def __init__(self, folder, cell):
        values = cell["values"]
        start = values.get("recipe"), part(values, "model.init_std"), part(values, "optim.weight_decay")
        if start not in METHODS or part(values, "optim.lr") is None:
            sys.exit("%s: %s: no run of docs/plans/grid.md: recipe, model.init_std and optim.weight_decay are %s, optim.lr is %s"
                     % (folder, cell.get("name"), ", ".join(map(str, start)), part(values, "optim.lr")))
        self.method = METHODS[start]
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


def whole(runs):
    """Points all of whose runs have ended."""
    return {point: group for point, group in points(runs).items() if all(r.ended for r in group)}


def midpoint(everything, classes):
    """None without a point all of whose runs have ended and are finite; never above chance."""
    means = [statistics.mean(r.loss for r in group)
             for name in METHODS.values()
             for group in whole(r for r in everything if r.method == name).values()
             if all(r.loss is not None and not r.nonfinite for r in group)]
    return (math.log(classes) + min(means + [math.log(classes)])) / 2 if means else None


def lost(groups, limit):
    return sum(2 * sum(r.fails(limit) for r in group) > len(group) for group in groups)


def table(of, limit, rates):
    print("| method | ended | fail | " + " | ".join("at %g, of points" % r for r in rates)
          + " | entropy < 10 % | accuracy, per cent: mean, lowest |")
    print("| --- | --- | --- |" + " --- |" * len(rates) + " --- | --- |")
    for name, planned in of.items():
        runs = [r for r in planned if r.ended]
        if not runs:
            print("| %s | 0 of %d | |%s | |" % (name, len(planned), " |" * len(rates)))
            continue
        failing = []
        for rate in rates:
            groups = [g for p, g in whole(planned).items() if p[0] == rate]
            failing.append("%d of %d" % (lost(groups, limit), len(groups)))
        scores = [100 * r.score for r in runs if r.score is not None]
        print("| %s | %d of %d | %d | %s | %d | %s |" % (
            name, len(runs), len(planned), sum(r.fails(limit) for r in runs), " | ".join(failing),
            sum(r.collapsed for r in runs), "%.1f, %.1f" % (statistics.mean(scores), min(scores)) if scores else "-"))


def verdict(of, limit):
    sigma = [r for r in of["σReparam"] if r.ended]
    failed, groups = sum(r.fails(limit) for r in sigma), whole(of["σReparam"])
    if not sigma:
        print("\n- σReparam: no run has ended, so there is nothing to compare with")
        return
    print("\n- σReparam: %d of %d points fail" % (lost(groups.values(), limit), len(groups)))
    for name, planned in of.items():
        runs = [r for r in planned if r.ended]
        if runs and name != "σReparam":
            count = sum(r.fails(limit) for r in runs)
            print("- %s: %d of %d against σReparam's %d of %d, p = %.2g" % (
                name, count, len(runs), failed, len(sigma), fisher(count, len(runs), failed, len(sigma))))


def say_left_out(of):
    begun = {name: [g for g in points(planned).values() if any(r.ended for r in g) and not all(r.ended for r in g)]
             for name, planned in of.items()}
    if any(begun.values()):
        print("- left out of the points, since some of their runs have not ended: " + ", ".join(
            "%d of %s" % (len(groups), name) for name, groups in begun.items() if groups))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", nargs="+")
    parser.add_argument("--classes", type=int, default=10)
    args = parser.parse_args()
    for folder in args.sweep:
        everything = [Run(folder, cell) for cell in sweeps.cells(folder)]
        if not any(r.ended for r in everything):
            print("%s: no run has ended" % folder)
            continue
        limit = midpoint(everything, args.classes)
        if limit is None:
            print("%s: no midpoint: no point has ended with finite losses in all of its runs" % folder)
            continue
        print("\n%s: midpoint %.3f" % (folder, limit))
        of = {name: [r for r in everything if r.method == name] for name in METHODS.values()}
        table(of, limit, sorted({r.rate for r in everything}))
        verdict(of, limit)
        say_left_out(of)


if __name__ == "__main__":
    main()
