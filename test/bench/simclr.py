#!/usr/bin/env python3
"""What docs/plans/simclr.md asks of its sweep: counts, Fisher's exact tests, and where gradients grow first.

    build/steady sweep --plan docs/plans/simclr.json --out runs/simclr
    python3 test/bench/simclr.py runs/simclr

Reads the sweep's sweep.json and each run's probe.jsonl.  A trial fails if its loss (mean of the last fifth of the steps)
is above --fail-loss or not finite, falls if the online probe's accuracy fell, and is unstable if it does
either.  Trials that have not ended are counted in "of" and named at the end; so are those of other recipes or warm-ups.
Losses of trials that became non-finite are not in the means.  The standard library is enough.
"""
import argparse
import os
import statistics
import sys

import sweeps
from fisher import fisher

SHORT, LONG = "39", "156"
BASELINE, FROZEN, SIGMA = "cifar-simclr-baseline", "cifar-simclr-frozen", "cifar-simclr-sigma"
PLANNED = (BASELINE, FROZEN, SIGMA, "cifar-simclr-sigma-pre", "cifar-simclr-sigma-001")


class Trial:
    def __init__(self, folder, cell, fail_loss):
        self.name, self.values = cell["name"], cell["values"]
        self.recipe, self.warmup = (self.values.get(key) for key in ("recipe", "schedule.warmup_steps"))
        if self.recipe is None or self.warmup is None:
            sys.exit("%s: %s: no run of docs/plans/simclr.md: the sweep does not name its recipe and schedule.warmup_steps"
                     % (folder, self.name))
        self.ended = cell.get("loss") is not None or cell.get("nonfinite", False)
        self.path = os.path.join(folder, "cells", self.name, "probe.jsonl")
        if not self.ended:
            return
        nonfinite = cell.get("nonfinite", False)
        self.loss, self.score = None if nonfinite else cell.get("loss"), cell.get("score")
        self.entropy, self.collapsed = (cell.get("entropy") or {}).get("share"), cell.get("collapsed", False)
        self.fails = nonfinite or self.loss > fail_loss
        self.falls = (cell.get("probe") or {}).get("fall") is not None
        self.unstable = self.fails or self.falls


def first_over(rows, factor=10):
    """Index of the first number above `factor` times the median of those before it, or None."""
    for i in range(1, len(rows)):
        before = [x for x in rows[:i] if x is not None]
        if before and rows[i] is not None and rows[i] > factor * statistics.median(before):
            return i
    return None


def gradients(path):
    """Of each probe: largest gradient of the patch embedding, and of the first attention's queries."""
    front, first = [], []
    for probe in sweeps.rows(path):
        row = {w["name"]: w.get("grad_inf") for w in probe.get("weights", [])}
        if "patch_embed.proj" in row:
            front.append(row["patch_embed.proj"])
            first.append(row.get("blocks.0.attn.qkv"))
    return front, first


def order(trial):
    """When gradients first leave their median, as probes: patch embedding, attention."""
    return tuple(first_over(rows) for rows in gradients(trial.path))


def counts(trials, planned):
    print("| set-up | warm-up | ended | fail | fall | collapse | loss: mean, range | lowest entropy, per cent | final probe, per cent: mean, range |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for key, n in planned.items():
        some = [t for t in trials if (t.recipe, t.warmup) == key]
        if not some:
            print("| `%s` | %s | 0 of %d | | | | | | |" % (*key, n))
            continue
        print("| `%s` | %s | %d of %d | %d | %d | %d | %s | %s | %s |" % (
            *key, len(some), n, sum(t.fails for t in some), sum(t.falls for t in some), sum(t.collapsed for t in some),
            spread([t.loss for t in some], 2), spread([t.entropy for t in some], 1, 100, mean=False),
            spread([t.score for t in some], 1, 100)))


def spread(numbers, digits, factor=1, mean=True):
    """Mean and range of those that are there; how many are not."""
    known = [factor * x for x in numbers if x is not None]
    if not known:
        return "-"
    words = "%.*f to %.*f" % (digits, min(known), digits, max(known))
    if mean:
        words = "%.*f, %s" % (digits, statistics.mean(known), words)
    return words + (" (of %d)" % len(known) if len(known) < len(numbers) else "")


def compare(name, what, one, other):
    if not one or not other:
        print("- %s: no such trials have ended on %s" % (name, "both sides" if not one and not other else "one side"))
        return
    a, b = sum(what(t) for t in one), sum(what(t) for t in other)
    print("- %s: %d of %d against %d of %d, p = %.4g" % (name, a, len(one), b, len(other), fisher(a, len(one), b, len(other))))


def claims(trials):
    def of(recipe, warmup=None):
        return [t for t in trials if t.recipe == recipe and warmup in (None, t.warmup)]

    base, short, long = of(BASELINE), of(BASELINE, SHORT), of(BASELINE, LONG)
    print("\n- 1: %s" % ("no Baseline trial has ended" if not base else
                         "%d of %d Baseline trials with the short warm-up are unstable, %d of %d of all" % (
                             sum(t.unstable for t in short), len(short), sum(t.unstable for t in base), len(base))))
    compare("2a, Baseline and Frozen Patcher unstable", lambda t: t.unstable, base, of(FROZEN))
    orders = [order(t) for t in base if t.unstable]
    before = sum(p is not None and (q is None or p <= q) for p, q in orders)
    neither = sum(p is None for p, q in orders)
    print("- 2b: the patch embedding's gradient leaves its median first, or at the same probe, in %d of %d unstable Baseline trials"
          " (never in %d): %s" % (before, len(orders), neither, ", ".join("%s/%s" % o for o in orders)))
    compare("3, Baseline and sigmaReparam unstable", lambda t: t.unstable, base, of(SIGMA))
    compare("4, Baseline unstable with the short and the long warm-up", lambda t: t.unstable, short, long)
    scores = [[t.score for t in some if t.score is not None] for some in (short, long)]
    if all(scores):
        print("  lowest final accuracy: %.4f and %.4f" % tuple(map(min, scores)))
    compare("5, attention collapses in Baseline and sigmaReparam", lambda t: t.collapsed, base, of(SIGMA))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--fail-loss", type=float, default=4.63)
    args = parser.parse_args()
    everything = [Trial(args.folder, cell, args.fail_loss) for cell in sweeps.cells(args.folder)]
    planned = {}
    for trial in everything:
        key = trial.recipe, trial.warmup
        planned[key] = planned.get(key, 0) + 1
    trials = [t for t in everything if t.ended]
    counts(trials, planned)
    claims(trials)
    for trial in everything:
        if trial.recipe not in PLANNED or trial.warmup not in (SHORT, LONG):
            print("not of the plan: " + trial.name)
        if not trial.ended:
            print("not ended: " + trial.name)


if __name__ == "__main__":
    main()
