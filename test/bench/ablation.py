#!/usr/bin/env python3
"""What docs/plans/grid.md asks of the ablation: each change of sigmaReparam against none, seed by seed.

    build/steady sweep --plan docs/plans/ablation.json --out runs/ablation
    python3 test/bench/ablation.py runs/ablation

A row a change: the tail loss (mean of the last fifth of the steps), the mean difference to the unchanged recipe over
the seeds with a 95 % t interval, and the verdict by the plan: it matters if the interval leaves out 0 and the mean
difference is above a tenth of the unchanged loss; it hardly matters if the interval is within that tenth; else it is
open.  A change with a seed that has not ended, or whose loss is not finite, has no interval.  The standard library is
enough.
"""
import argparse
import math
import statistics
import sys

import sweeps
from pairs import interval

KEYS = ("model.gamma_init", "model.init_std", "model.qkv", "model.power_steps", "model.reparam_scope")
UNCHANGED = ("1", "0.2", "joint", "1", "all")


def read(folder):
    """Of each setting of KEYS: the cells, by seed."""
    settings = {}
    for cell in sweeps.cells(folder):
        setting, seed = tuple(cell["values"].get(key) for key in KEYS), cell["values"].get("train.seed")
        if None in setting or seed is None:
            sys.exit("%s: %s: no run of docs/plans/grid.md's ablation: it does not name %s" % (
                folder, cell.get("name"), ", ".join(key for key in (*KEYS, "train.seed") if key not in cell["values"])))
        if seed in settings.setdefault(setting, {}):
            sys.exit("%s: two runs have these keys and train.seed %s: %s" % (folder, seed, ", ".join(
                "%s=%s" % both for both in zip(KEYS, setting))))
        settings[setting][seed] = cell
    if UNCHANGED not in settings:
        sys.exit("%s: no run of the unchanged recipe: %s" % (folder, ", ".join("%s=%s" % both for both in zip(KEYS, UNCHANGED))))
    return settings


def loss_of(cell):
    return None if cell is None or cell.get("nonfinite") else cell.get("loss")


def changed(setting):
    """The keys with another value than the unchanged recipe's."""
    some = ["%s = %s" % (key.split(".")[1], value) for key, value, was in zip(KEYS, setting, UNCHANGED) if value != was]
    return ", ".join("`%s`" % words for words in some) or "none"


def verdict(differences, loss):
    mean, half = interval(differences)
    if math.isnan(half):
        return "open"
    if abs(mean) > max(half, loss / 10):
        return "matters: better" if mean < 0 else "matters: worse"
    return "hardly matters" if abs(mean) + half < loss / 10 else "open"


def row(setting, cells, control):
    bad = sum(bool(cell.get("nonfinite")) for cell in cells.values())
    losses = [loss_of(cell) for cell in cells.values()]
    if None in losses:
        return "| %s | | | %d of %d not finite, %d not ended | | |" % (
            changed(setting), bad, len(cells), losses.count(None) - bad)
    words = "%.3f | %.3f to %.3f" % (statistics.mean(losses), min(losses), max(losses))
    shares = [(cell.get("entropy") or {}).get("share") for cell in cells.values()]
    lowest = "%.1f" % min(100 * x for x in shares if x is not None) if any(x is not None for x in shares) else ""
    if setting == UNCHANGED:
        return "| none | %s | | | %s |" % (words, lowest)
    if any(loss_of(control.get(seed)) is None for seed in cells):
        return "| %s | %s | | the unchanged recipe has not ended, or not with a finite loss | %s |" % (changed(setting), words, lowest)
    differences = [loss_of(cell) - loss_of(control[seed]) for seed, cell in cells.items()]
    return "| %s | %s | %+.3f ± %.3f | %s | %s |" % (
        changed(setting), words, *interval(differences),
        verdict(differences, statistics.mean(loss_of(control[seed]) for seed in cells)), lowest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    settings = read(parser.parse_args().folder)
    print("| change | loss | range | difference, 95 % | verdict | lowest entropy, per cent |")
    print("| --- | --- | --- | --- | --- | --- |")
    for setting, cells in settings.items():
        print(row(setting, cells, settings[UNCHANGED]))


if __name__ == "__main__":
    main()
