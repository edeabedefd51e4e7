#!/usr/bin/env python3
"""Two values of a key, seed by seed: what differs between runs of sweeps that differ in it alone.

    build/steady sweep --plan docs/plans/precision-edge.json --out runs/edge
    python3 test/bench/pairs.py runs/edge
    python3 test/bench/pairs.py runs/a runs/b --key optim.lr --from 0.01,0.02 --to 0.0100001,0.0200001

Reads each folder's sweep.json and each run's recipe.ini and probe.jsonl; folders are read together.  Two runs are a
pair if all keys of their resolved recipes but --key are equal (default train.precision, from fp32 to bf16); with --key
recipe, all keys that the sweeps set.  train.threads may differ where no sweep sets it (--jobs does): this is said, since
sums may then round in another order.  Tables in Markdown:

- for each setting: how many runs fail on each side, pairs with the same verdict, and the mean
  difference (to - from) of the numbers of NUMBERS with a 95 % t interval over seeds, beside the standard
  deviation of the first side over seeds;
- for each method, where it was swept over learning rates: the edge, the highest rate below the first that
  fails, in doublings, paired by seed.

A run fails if it diverged or collapsed, has no loss, or one above --fail-loss; of a run that became non-finite the
loss does not count.  A run that is not there, or has not ended, leaves its pair out, and is named; so does one
whose pair would differ in more.  Two runs that are equal in all keys are refused.  The standard library is enough.
"""
import argparse
import decimal
import math
import os
import re
import statistics
import sys

import sweeps

# 97.5 % points of Student's t for 1 to 30 degrees of freedom
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
     2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
     2.045, 2.042)
RATE, SEED, THREADS = "optim.lr", "train.seed", "train.threads"


def log2(x):
    return math.log2(x) if x > 0 else math.nan


# name, digits, function of a run; of shares in points, of sizes in doublings
NUMBERS = (
    ("loss", 4, lambda run: run.loss()),
    ("score", 2, lambda run: run.number("score") * (100 if run.cell.get("metric") in SHARES else 1)),
    ("lowest entropy, points", 1, lambda run: 100 * run.entropy("share")),
    ("entropy at the end, points", 1, lambda run: 100 * run.entropy("end")),
    ("largest logit, doublings", 2, lambda run: log2(run.number("max_logit"))),
    ("largest sigma at the end, doublings", 2, lambda run: log2(run.sigma())),
)
SHARES = ("top1", "top5", "wer", "cer", "probe_top1")


def plain(value):
    """A value, or a list of values, of which 0.04 and 4e-2 are the same."""
    def one(text):
        try:
            return str(decimal.Decimal(text).normalize())
        except decimal.InvalidOperation:
            return text
    return ",".join(one(part.strip()) for part in value.split(","))


class Run:
    """keys: the resolved recipe; axes: what the sweep names, which labels the rows; given: keys that it sets in every
    recipe."""

    def __init__(self, folder, cell, fixed, given):
        self.folder, self.cell = os.path.join(folder, "cells", cell["name"]), cell
        self.keys = {key: plain(value) for key, value in
                     sweeps.recipe(os.path.join(self.folder, "recipe.ini")).items()}
        self.recipe = cell["values"].get("recipe", "")
        self.axes, self.given = {**fixed, **cell["values"]}, given

    def value(self, key):
        return self.recipe if key == "recipe" else self.keys.get(key)

    def number(self, key):
        value = self.cell.get(key)
        return math.nan if value is None else float(value)

    def entropy(self, key):
        value = (self.cell.get("entropy") or {}).get(key)
        return math.nan if value is None else float(value)

    def loss(self):
        return math.nan if self.cell.get("nonfinite") else self.number("loss")

    def fails(self, limit):
        return bool(self.cell.get("diverged") or self.cell.get("collapsed") or self.cell.get("nonfinite") or
                    not self.number("loss") <= limit)

    def sigma(self):
        """Largest spectral norm of a weight that acts, at the last probe that measured any."""
        last, path = math.nan, os.path.join(self.folder, "probe.jsonl")
        for row in sweeps.rows(path) if os.path.exists(path) else ():
            last = max((abs(w["gamma"]) if w.get("gamma") is not None else w["sigma"]
                        for w in row.get("weights", []) if w.get("sigma") is not None), default=last)
        return last


def read(folder):
    """Its runs that have ended, and the cells of those that have not.  What is the same in all of them may vary
    between folders."""
    state = sweeps.read(folder)
    words = [word.split("=", 1) for word in state.get("words", []) if "=" in word]
    fixed = {key: value for key, value in words if not re.search(r"[{}:,]", key + value)}
    given = {key for keys, _ in words if ":" not in keys for key in keys.strip("{}").split(",")}
    given |= {THREADS} & {key for keys, _ in words for key in re.split("[{},:]", keys)}
    return ([Run(folder, cell, fixed, given) for cell in state["cells"] if cell.get("verdict")],
            [cell for cell in state["cells"] if not cell.get("verdict")])


def forget_the_same(runs):
    """Takes away the axes that have one value in all runs."""
    for axis in {axis for run in runs for axis in run.axes} - {"recipe"}:
        if len({run.axes.get(axis) for run in runs}) == 1:
            for run in runs:
                run.axes.pop(axis, None)


def compared(runs, key):
    """The keys that both runs of a pair share: all others, or, of two recipes, those that the sweeps set."""
    given = {one for run in runs for one in run.given}
    every = {one for run in runs for one in run.keys} - {key} - ({THREADS} - given)
    if key != "recipe":
        return every
    families = {}
    for run in runs:
        families.setdefault(run.recipe, []).append(run)
    return {one for one in every if one in given or
            any(len({run.keys.get(one) for run in family}) > 1 for family in families.values())}


def halves_of(runs, key, sides):
    """{(what else is equal): {side: run}}.  sides: two lists of values of the key; the first of one is the like of the
    first of the other."""
    found, keys = {}, sorted(compared(runs, key))
    values_of = [[plain(value) if key != "recipe" else value for value in side] for side in sides]
    for run in runs:
        for number, side in ((values.index(run.value(key)), side) for side, values in enumerate(values_of)
                             if run.value(key) in values):
            rest = tuple((one, run.keys.get(one)) for one in keys)
            if len(sides[0]) > 1:
                rest += ((key, values_of[0][number]),)
            both = found.setdefault(rest, {})
            if side in both:
                sys.exit("%s and %s are equal in %s: give one of them" % (
                    both[side].folder, run.folder, "all keys" if key != "recipe" else "all that the sweeps set"))
            both[side] = run
    return found


def pairs_of(halves):
    """{(what else is equal): (run, run)}, and [(rest, run)] of runs without their like."""
    whole = {rest: (both[0], both[1]) for rest, both in halves.items() if len(both) == 2}
    alone = [(rest, run) for rest, both in halves.items() if len(both) == 1 for run in both.values()]
    return whole, alone


def apart(rest, run, halves):
    """In what a run differs from the closest one of the other side, beside the key; "" where that side is empty."""
    mine, side = dict(rest), next(iter(halves[rest]))
    closest = None
    for other, both in halves.items():
        if 1 - side in both:
            theirs = dict(other)
            differ = [one for one in mine if mine[one] != theirs.get(one)]
            if closest is None or len(differ) < len(closest[0]):
                closest = differ, theirs
    if closest is None:
        return ""
    differ, theirs = closest
    words = [one if one == SEED else "%s (%s and %s)" % (one, *(
        "none" if x is None else x or "empty" for x in (mine[one], theirs.get(one)))) for one in differ[:4]]
    return ", ".join(words) + (" and %d more keys" % (len(differ) - 4) if len(differ) > 4 else "")


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


def edges(pairs, limit, rates):
    """For each seed the edge of both sides, in doublings from the lowest rate of the grid: the highest
    rate below the first that fails; -1 where the lowest does; nan where a rate up to there has no pair."""
    seeds = {}
    for rest, pair in pairs:
        seeds.setdefault(rest.get(SEED), {})[float(rest[RATE])] = pair

    def edge(side, ladder):
        reached = -1.0
        for rate in rates:
            if rate not in ladder:
                return math.nan
            if ladder[rate][side].fails(limit):
                break
            reached = log2(rate / rates[0])
        return reached
    return [(edge(0, ladder), edge(1, ladder)) for ladder in seeds.values()]


# ---------------------------------------------------------------------------------------------
# tables


def cell(pairs, digits, function):
    change, first = differences(pairs, function)
    if not change:
        return "-"
    mean, half = interval(change)
    return "%+.*f ± %.*f (%.*f)%s" % (digits, mean, digits, half, digits, spread(first),
                                      "" if len(change) == len(pairs) else ", %d pairs" % len(change))


def named(axes):
    return ", ".join(value if axis == "recipe" else "%s=%s" % (axis, value) for axis, value in axes
                     if value != "-")


def labels(groups, key, *axes):
    """The row of each group: what the sweeps name; where that is equal, also the keys that are not."""
    label = {}
    for rest, members in groups.items():
        run = members[0][1][0]
        shown = {axis: value for axis, value in run.axes.items() if axis not in axes and axis != key}
        label[rest] = named(sorted({**shown, **{k: v for k, v in rest if k == key}}.items()))
    result = {}
    for rest, name in label.items():
        twins = [dict(other) for other in label if label[other] == name]
        differ = [(one, value or "empty") for one, value in rest if len({twin.get(one) for twin in twins}) > 1]
        more = [named(differ[:4])] * bool(differ) + ["%d more keys" % (len(differ) - 4)] * (len(differ) > 4)
        result[rest] = ", ".join([name] * bool(name) + more) or "all"
    return result


def markdown(heads, rows):
    return "\n".join(["| %s |" % " | ".join(heads), "| --- " * len(heads) + "|"] +
                     ["| %s |" % " | ".join(map(str, row)) for row in rows])


def settings(pairs, key, sides, limit):
    rows, groups = [], groups_of(pairs, SEED)
    label = labels(groups, key, SEED)
    for rest, members in groups.items():
        a, b = ([pair[side] for _, pair in members] for side in (0, 1))
        same = sum(x.cell["verdict"] == y.cell["verdict"] for x, y in zip(a, b))
        rows.append([label[rest], len(members), sum(x.fails(limit) for x in a),
                     sum(x.fails(limit) for x in b),
                     same] + [cell(members, digits, function) for _, digits, function in NUMBERS])
    return markdown(["setting", "pairs", "fail, %s" % sides[0], "fail, %s" % sides[1], "same verdict"] +
                    [name for name, _, _ in NUMBERS], rows)


def methods(halves, key, sides, limit):
    """Failures of each method over all rates and seeds, and its edge; empty without a sweep of rates."""
    rows, groups = [], groups_of(pairs_of(halves)[0], SEED, RATE)
    label, grid = labels(groups, key, SEED, RATE), groups_of(halves, SEED, RATE)
    for rest, members in groups.items():
        rates = sorted({float(member[RATE]) for member, _ in grid[rest] if member.get(RATE) is not None})
        if len(rates) < 2:
            continue
        fates = [(a.fails(limit), b.fails(limit)) for _, (a, b) in members]
        worse, better = fates.count((False, True)), fates.count((True, False))
        seeds = edges(members, limit, rates)
        found = [both for both in seeds if not any(map(math.isnan, both))]
        mean, half = interval([b - a for a, b in found])
        rows.append([label[rest], len(members), sum(a for a, _ in fates), sum(b for _, b in fates),
                     "%d, %d" % (worse, better), "%.2f" % sign_test(worse, better),
                     "%d" % len(found) if len(found) == len(seeds) else "%d of %d" % (len(found), len(seeds))] +
                    (["%.2f" % statistics.mean(a for a, _ in found),
                      "%.2f" % statistics.mean(b for _, b in found), "%+.2f ± %.2f" % (mean, half)]
                     if found else ["-"] * 3))
    return rows and markdown(
        ["method", "pairs", "fail, %s" % sides[0], "fail, %s" % sides[1],
         "only %s, only %s" % (sides[1], sides[0]), "p", "seeds", "edge, %s" % sides[0],
         "edge, %s" % sides[1], "moved, doublings"], rows)


def left_out(halves, ended_not):
    """A line for each reason why runs are in no pair."""
    reasons = {}
    for rest, run in pairs_of(halves)[1]:
        reasons.setdefault(apart(rest, run, halves), []).append(run.folder)
    for why, folders in reasons.items():
        print("\n  ".join(["Without their like: %d%s" % (
            len(folders), "; the closest of the other side differs also in " + why if why else "")] + folders))
    if ended_not:
        print("\n  ".join(["Not ended: %d" % len(ended_not)] + ended_not))


def check_key(runs, options, values):
    if not any(run.value(options.key) is not None for run in runs):
        sys.exit("--key %s: no run's recipe has this key" % options.key)
    have = {run.value(options.key) for run in runs}
    for value in values[0] + values[1]:
        if (value if options.key == "recipe" else plain(value)) not in have:
            print("no run that has ended has %s=%s" % (options.key, value), file=sys.stderr)


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
    runs, ended_not = [], []
    for folder in options.folders:
        ended, others = read(folder)
        runs += ended
        ended_not += [os.path.join(folder, "cells", cell["name"]) for cell in others
                      if plain(cell["values"].get(options.key, values[0][0])) in map(plain, values[0] + values[1])]
    check_key(runs, options, values)
    halves = halves_of(runs, options.key, values)
    forget_the_same(runs)
    pairs = pairs_of(halves)[0]
    if not pairs:
        left_out(halves, ended_not)
        sys.exit("no two runs differ in %s alone, %s and %s" % (options.key, options.first, options.to))
    names = ("before", "after") if len(values[0]) > 1 else (options.first, options.to)
    print("%s from %s to %s, %d pairs; mean difference ± half of its 95 %% interval (standard deviation "
          "over seeds, %s)\n" % (options.key, options.first, options.to, len(pairs), names[0]))
    other = sum(a.keys.get(THREADS) != b.keys.get(THREADS) for a, b in pairs.values())
    if other and options.key != THREADS:
        print("%s is not the same in %d of the pairs: their sums may round in another order\n" % (THREADS, other))
    print(settings(pairs, options.key, names, options.fail_loss) + "\n")
    over_rates = methods(halves, options.key, names, options.fail_loss)
    if over_rates:
        print(over_rates + "\n")
    left_out(halves, ended_not)


if __name__ == "__main__":
    main()
