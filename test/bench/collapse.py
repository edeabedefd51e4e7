#!/usr/bin/env python3
"""What docs/plans/collapse.md asks of its sweep: which runs collapse, what grew before, and what each change does about it.

    build/steady sweep --plan docs/plans/collapse-cells.json --out runs/collapse-cells
    python3 test/bench/collapse.py runs/collapse-cells

Reads the sweep's sweep.json and each run's probe.jsonl.  A run collapses if the entropy of a site, mean over its heads, is
under a tenth of uniform attention's at a probe from step 10 on.  Runs that have not ended are left out, and counted in
"of".  The standard library is enough.
"""
import argparse
import json
import os
import statistics

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


def place(values):
    """Cell and change of a run."""
    rate, warmup, deviation = (values[k] for k in ("optim.lr", "schedule.warmup_steps", "model.init_std"))
    lower = rate in ("0.04", "0.004")
    change = CHANGES[tuple(values[k] for k in ("optim.front_lr_scale", "model.reparam_front", "model.power_steps")) + (lower,)]
    what = "no warm-up" if warmup == "0" else "deviation 0.03" if deviation == "0.03" else "learning rate 0.3"
    return ("post-LN, " if "post" in values["recipe"] else "no LayerNorm, ") + what, change


def share(site):
    return statistics.mean(site["entropy"]) / site["uniform"]


class Run:
    def __init__(self, folder, cell):
        values = cell["values"]
        self.cell, self.change = place(values)
        nonfinite = cell.get("nonfinite", False)
        self.seed, self.loss = values["train.seed"], None if nonfinite else cell.get("loss")
        self.ended = nonfinite or self.loss is not None
        if self.ended:
            with open(os.path.join(folder, "cells", cell["name"], "probe.jsonl")) as file:
                self.read([row for row in map(json.loads, file) if row.get("attention")])

    def read(self, rows):
        def lowest(some):
            return min((share(s) for row in some for s in row["attention"]), default=None)

        late = [row for row in rows if row["step"] >= FIRST_STEP]
        self.lowest, self.early = lowest(late), lowest(row for row in rows if row["step"] < FIRST_STEP)
        self.end = lowest(late[-1:])
        self.collapses = self.lowest is not None and self.lowest < LIMIT
        self.grew = self.collapses and growth(rows, late)


def growth(rows, late):
    """Step of the first collapse, and by which factors ‖x‖² and σ² of its site have grown since the first probe."""
    for row in late:
        site = min(row["attention"], key=share)
        if share(site) < LIMIT:
            first = next(s for s in rows[0]["attention"] if s["site"] == site["site"])
            return row["step"], site["input"] / first["input"], site["sigma2"] / first["sigma2"]


def percent(numbers):
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
                percent([r.early for r in some if r.early is not None]), percent([r.end for r in some]),
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
        print("- factors, medians: ‖x‖² %.3g, σ² %.3g; first collapse at step %d to %d"
              % (statistics.median(x for _, x, _ in fallen), statistics.median(s for _, _, s in fallen),
                 min(t for t, _, _ in fallen), max(t for t, _, _ in fallen)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("sweep", help="folder of the sweep")
    folder = parser.parse_args().sweep
    with open(os.path.join(folder, "sweep.json")) as file:
        cells = json.load(file)["cells"]
    runs = [r for r in (Run(folder, cell) for cell in cells) if r.ended]
    print("%d of %d runs have ended\n" % (len(runs), len(cells)))
    table(runs)
    of = {change: [r for r in runs if r.change == change] for change in CHANGES.values()}
    print()
    for change, some in of.items():
        if change != "plain" and some and of["plain"]:
            print("- %s: %s" % (change, verdict(some, of["plain"])))
    cause(of["plain"])


if __name__ == "__main__":
    main()
