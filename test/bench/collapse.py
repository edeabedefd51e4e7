#!/usr/bin/env python3
"""What docs/plans/collapse.md asks of its sweep: which runs collapse, what grew before, and what each change does about it.

    build/steady sweep --plan docs/plans/collapse-cells.json --out runs/collapse-cells
    python3 test/bench/collapse.py runs/collapse-cells

Reads the sweep's sweep.json and each run's probe.jsonl.  A run collapses if the entropy of a site, mean over its heads, is
under a tenth of uniform attention's at a probe from step 10 on.  Runs that have not ended are left out, and counted in
"of".  A run without a probe from step 10 on, since it became non-finite before, counts as one that did not collapse, and
is named.  The standard library is enough.
"""
import argparse
import math
import os
import statistics
import sys

import sweeps
from fisher import fisher
from pairs import interval

FIRST_STEP, LIMIT, SEEDS = 10, 0.1, 5
CHANGES = {  # optim.front_lr_scale, model.reparam_front, model.power_steps, whether the learning rate is another
    ("1", "false", "1", False): "plain",
    ("0.1", "false", "1", False): "slow front",
    ("1", "true", "1", False): "σ of the convolution",
    ("1", "false", "auto", False): "more power iterations",
    ("1", "false", "1", True): "learning rate by warm-up",
}
CELLS = ["no LayerNorm, no warm-up", "no LayerNorm, learning rate 0.3", "post-LN, no warm-up", "post-LN, learning rate 0.3",
         "post-LN, deviation 0.03"]


KEYS = ("recipe", "optim.lr", "schedule.warmup_steps", "model.init_std", "optim.front_lr_scale", "model.reparam_front",
        "model.power_steps", "train.seed")
RECIPES = {"digits-sigma-adagrad": "no LayerNorm, ", "digits-sigma-post-adagrad": "post-LN, "}


def place(values):
    """Cell and change of a run; None for those of another sweep."""
    recipe, rate, warmup, deviation, *change = (values.get(k) for k in KEYS[:-1])
    what = "no warm-up" if warmup == "0" else "deviation 0.03" if deviation == "0.03" else "learning rate 0.3"
    cell, change = RECIPES.get(recipe, "") + what, CHANGES.get((*change, rate in ("0.04", "0.004")))
    known = cell in CELLS and change and deviation in ("0.1", "0.03") and None not in (rate, warmup, values.get("train.seed"))
    return (cell, change) if known else None


def share(site):
    """Of uniform attention's entropy, mean over the heads; None where one of the numbers is missing."""
    known = site["uniform"] and site["entropy"] and None not in site["entropy"]
    return statistics.mean(site["entropy"]) / site["uniform"] if known else None


class Run:
    def __init__(self, folder, cell):
        values, self.name = cell["values"], cell["name"]
        found = place(values)
        if not found:
            sys.exit("%s: %s: no run of docs/plans/collapse.md: %s" % (
                folder, self.name, ", ".join("%s is %s" % (key, values.get(key)) for key in KEYS)))
        self.cell, self.change = found
        nonfinite = cell.get("nonfinite", False)
        self.seed, self.loss = values["train.seed"], None if nonfinite else cell.get("loss")
        self.ended = nonfinite or self.loss is not None
        if self.ended:
            log = os.path.join(folder, "cells", cell["name"], "probe.jsonl")
            self.read([row for row in sweeps.rows(log) if row.get("attention")])

    def read(self, rows):
        def lowest(some):
            shares = (share(s) for row in some for s in row["attention"])
            return min((x for x in shares if x is not None), default=None)

        late = [row for row in rows if row["step"] >= FIRST_STEP]
        self.lowest, self.early = lowest(late), lowest(row for row in rows if row["step"] < FIRST_STEP)
        self.end = lowest(late[-1:])
        self.collapses = self.lowest is not None and self.lowest < LIMIT
        self.grew = self.collapses and growth(rows, late)


def times(now, first):
    """By which factor a number has grown; nan where one is missing."""
    if now is None or first is None or now == first == 0:
        return math.nan
    return now / first if first else math.inf


def growth(rows, late):
    """Step of the first collapse, and by which factors ‖x‖² and σ² of its site have grown since the first probe of it."""
    for row in late:
        shares = [(share(s), i) for i, s in enumerate(row["attention"]) if share(s) is not None]
        lowest, i = min(shares, default=(LIMIT, 0))
        if lowest < LIMIT:
            site = row["attention"][i]
            first = next(s for r in rows for s in r["attention"] if s["site"] == site["site"])
            return row["step"], *(times(site.get(what), first.get(what)) for what in ("input", "sigma2"))


def percent(numbers):
    numbers = [x for x in numbers if x is not None]
    return "%.1f to %.1f" % (100 * min(numbers), 100 * max(numbers)) if numbers else ""


def mean(losses, of):
    words = "%.2f" % statistics.mean(losses) if losses else ""
    return words + (" (%d not finite)" % (of - len(losses)) if len(losses) < of else "")


def table(runs):
    print("| cell | change | ended | collapse | lowest entropy, per cent | before step 10 | in the end | loss: mean | to plain |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for cell in CELLS:
        plain = {r.seed: r.loss for r in runs if (r.cell, r.change) == (cell, "plain")}
        for change in CHANGES.values():
            some = [r for r in runs if (r.cell, r.change) == (cell, change)]
            losses = [r.loss for r in some if r.loss is not None]
            pairs = [r.loss - plain[r.seed] for r in some if r.loss is not None and plain.get(r.seed) is not None]
            apart = "%+.2f ± %.2f" % interval(pairs) if change != "plain" and len(pairs) > 1 else ""
            print("| %s | %s | %d of %d | %d | %s | %s | %s | %s | %s |" % (
                cell, change, len(some), SEEDS, sum(r.collapses for r in some), percent([r.lowest for r in some]),
                percent([r.early for r in some]), percent([r.end for r in some]),
                mean(losses, len(some)), apart))


def verdict(changed, plain):
    (a, n), (b, m) = ((sum(r.collapses for r in some), len(some)) for some in (changed, plain))
    p = fisher(a, n, b, m)
    word = "does not remove it" if a >= b else "removes it" if p < 0.05 and 5 * a <= n else "open"
    return "%d of %d collapse, plain %d of %d, p = %.2g: %s" % (a, n, b, m, p, word)


def cause(plain):
    fallen = [r.grew for r in plain if r.collapses]
    held = sum(x >= 10 and x > s for _, x, s in fallen)
    word = "" if not fallen else ": the input is the cause" if 5 * held >= 4 * len(fallen) else \
        ": it is not" if 2 * held < len(fallen) else ": open"
    print("- of %d plain runs that collapse ‖x‖² grew by at least ten times, and more than σ², in %d%s"
          % (len(fallen), held, word))
    if fallen:
        inputs, sigmas = ([x for x in some if not math.isnan(x)] for some in ([x for _, x, _ in fallen], [s for _, _, s in fallen]))
        print("- factors, medians: ‖x‖² %s, σ² %s; first collapse at step %d to %d" % (
            middle(inputs, len(fallen)), middle(sigmas, len(fallen)), min(t for t, _, _ in fallen), max(t for t, _, _ in fallen)))


def middle(numbers, of):
    words = "%.3g" % statistics.median(numbers) if numbers else "unknown"
    return words + (" (known of %d of %d)" % (len(numbers), of) if len(numbers) < of else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("sweep", help="folder of the sweep")
    folder = parser.parse_args().sweep
    cells = sweeps.cells(folder)
    runs = [r for r in (Run(folder, cell) for cell in cells) if r.ended]
    print("%d of %d runs have ended\n" % (len(runs), len(cells)))
    table(runs)
    of = {change: [r for r in runs if r.change == change] for change in CHANGES.values()}
    print()
    for change, some in of.items():
        if change != "plain" and some and of["plain"]:
            print("- %s: %s" % (change, verdict(some, of["plain"])))
    cause(of["plain"])
    unseen = [r.name for r in runs if r.lowest is None]
    if unseen:
        print("- without a probe from step %d on, counted as not collapsed: %s" % (FIRST_STEP, ", ".join(unseen)))


if __name__ == "__main__":
    main()
