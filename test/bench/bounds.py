#!/usr/bin/env python3
"""Theorem 3.1 on live runs: no head's entropy may be below its bound.

    nice python3 test/bench/bounds.py [--steady build/steady] [--data FOLDER]
        [--runs FOLDER] [--steps 60] [--sample 32] [--only WORD]

Trains short runs of every task - without LayerNorm, before and behind it, with and without
sigmaReparam, at learning rates up to those that collapse or diverge, at other temperatures -
keeps a checkpoint each tenth of a run, and probes all of them (steady probe --checkpoint all
--json).  A line a run, then the totals; exit code 1 when a head is below its bound by more
than rounding (1e-4 of the bound, and as much in nats).

Runs on data that are not there are left out, with a line that says so.  The python3 standard
library is enough.  About a quarter of an hour on two cores; a run whose
folder is there is not trained again, unless it was interrupted: it goes on.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

ROUNDING = 1e-4
ENDS = (0, 4, 5)  # exit codes of `steady train` after which there is nothing to go on with

SMALL = "model.depth=6 data.synthetic_count=4000 guard.collapse=warn"
RUNS = [
    # name, recipe, words; {data} is the folder of real data
    ("glyphs-pre", "demo", SMALL + " optim.lr=0.002"),
    ("glyphs-pre-fast", "demo", SMALL + " optim.lr=0.02 schedule.warmup_epochs=0"),
    ("glyphs-pre-faster", "demo", SMALL + " optim.lr=0.1 schedule.warmup_epochs=0"),
    ("glyphs-post-fast", "demo", SMALL + " optim.lr=0.02 model.norm=post schedule.warmup_epochs=0"),
    ("glyphs-none", "demo", SMALL + " optim.lr=0.005 model.norm=none"),
    ("glyphs-sigma-none", "demo-sigma", SMALL + " optim.lr=0.02 model.norm=none"),
    ("glyphs-sigma-pre", "demo-sigma", SMALL + " optim.lr=0.02 model.norm=pre"),
    ("glyphs-spectral", "demo", SMALL + " optim.lr=0.02 model.reparam=spectral"),
    ("glyphs-weight", "demo", SMALL + " optim.lr=0.02 model.reparam=weight"),
    ("glyphs-sharp", "demo", SMALL + " optim.lr=0.002 model.temperature=0.1"),
    ("glyphs-soft", "demo", SMALL + " optim.lr=0.02 model.temperature=10"),
    ("grammar-pre", "grammar", ""),
    ("grammar-fast", "grammar", "optim.lr=0.1 schedule.warmup_steps=0"),
    ("grammar-post", "grammar", "model.norm=post optim.lr=0.03 schedule.warmup_steps=0"),
    ("grammar-sigma", "grammar", "model.norm=none model.reparam=sigma optim.lr=0.01"),
    ("grammar-sharp", "grammar", "model.temperature=0.2 model.qkv=separate"),
    ("numbers-pre", "numbers-pre", "data.synthetic_count=4000"),
    ("numbers-pre-fast", "numbers-pre",
     "data.synthetic_count=4000 optim.lr=0.05 schedule.warmup_steps=0 model.qkv=qk-v"),
    ("numbers-post-fast", "numbers-post", "data.synthetic_count=4000 optim.lr=0.01"),
    ("numbers-deepnorm-sigma", "numbers-deepnorm-sigma", "data.synthetic_count=4000"),
    ("tones-pre", "tones", "data.synthetic_count=300"),
    ("tones-fast", "tones", "data.synthetic_count=300 optim.lr=0.05 schedule.warmup_steps=0"),
    ("tones-post-sharp", "tones",
     "data.synthetic_count=300 model.norm=post model.temperature=0.3 optim.lr=0.01"),
    ("tones-sigma", "tones-sigma", "data.synthetic_count=300"),
    ("mnist", "mnist", "data.path={data}/mnist"),
    ("mnist-fast", "mnist", "data.path={data}/mnist optim.lr=0.05"),
    ("mnist-sigma", "mnist-sigma", "data.path={data}/mnist"),
    ("multi30k-post", "multi30k-post", "data.path={data}/multi30k/train data.limit=4000 "
     "data.val_path= data.test_path= data.bpe_merges=1000 schedule.warmup_steps=20"),
    ("multi30k-fast", "multi30k-post", "data.path={data}/multi30k/train data.limit=4000 "
     "data.val_path= data.test_path= data.bpe_merges=1000 schedule.warmup_steps=0 optim.lr=0.01"),
    ("digits-pre-fast", "digits-pre", "data.path={data}/librispeech-digits model.depth=4 "
     "optim.lr=0.03 schedule.warmup_steps=0"),
    ("digits-sigma-adagrad", "digits-sigma-adagrad",
     "data.path={data}/librispeech-digits schedule.warmup_steps=0 model.depth=6"),
    ("digits-sigma-post-adagrad", "digits-sigma-post-adagrad",
     "data.path={data}/librispeech-digits schedule.warmup_steps=0 model.depth=6"),
]


def needs(words, data):
    """The folder of real data that a run needs and that is not there, or None."""
    for word in words.split():
        if "{data}" in word:
            path = word.split("=", 1)[1].format(data=data)
            if not os.path.exists(path) and not os.path.exists(os.path.dirname(path)):
                return path
    return None


def ended(folder):
    """The exit code of the last process that trained the run; None: it was killed, or there is none."""
    try:
        with open(os.path.join(folder, "run.json")) as file:
            return json.load(file)["sessions"][-1].get("exit")
    except (OSError, ValueError, LookupError):
        return None


def train(args, recipe, words, folder):
    """How it ended: 0: it has its steps, 4: it diverged on its way, 5: a guard stopped it; all have
    checkpoints, mostly.  A run that is there and was interrupted goes on."""
    there = os.path.exists(os.path.join(folder, "recipe.ini"))
    if there and ended(folder) in ENDS:
        return ended(folder)
    command = [args.steady, "train", *(["--resume", folder] if there else [recipe, "--out", folder]),
               "--no-report", "guard.exit=ok",
               f"train.steps={args.steps}", f"train.checkpoint_every={max(args.steps // 10, 1)}",
               "train.keep=1000", "train.eval_every=1000000"]
    command += [word.format(data=args.data) for word in words.split()]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in ENDS:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.returncode


def probe(args, folder):
    """The rows of all checkpoints."""
    command = [args.steady, "probe", folder, "--checkpoint", "all", "--json",
               "--sample", str(args.sample)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        return None
    return [json.loads(line) for line in done.stdout.splitlines()]


class Tally:
    def __init__(self):
        self.heads = self.below = self.unknown = self.collapsed = 0
        self.gaps, self.shares = [], []
        self.least = (float("inf"), "")
        self.lowest = float("inf")

    def see(self, name, row):
        for site in row["attention"]:
            uniform = site["uniform"]
            known = [e for e in site["entropy"] if e is not None]
            if known and uniform:
                share = statistics.mean(known) / uniform
                self.lowest = min(self.lowest, share)
                self.collapsed += share < 0.1
            for h, (entropy, bound) in enumerate(zip(site["entropy"], site["bound"])):
                if entropy is None or bound is None:
                    self.unknown += 1
                    continue
                gap = entropy - bound
                self.heads += 1
                self.below += gap < -ROUNDING * max(bound, 1)
                self.gaps.append(gap)
                if entropy > 0:
                    self.shares.append(bound / entropy)
                self.least = min(self.least, (gap, f"{name} step {row['step']} "
                                                   f"{site['site']} head {h}"))

    def add(self, other):
        for name in ("heads", "below", "unknown", "collapsed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.gaps += other.gaps
        self.shares += other.shares
        self.least = min(self.least, other.least)
        self.lowest = min(self.lowest, other.lowest)


def show(name, checkpoints, t, note):
    if not t.gaps:
        print(f"{name:28} {checkpoints:5}  no bounds{note}", flush=True)
        return
    print(f"{name:28} {checkpoints:5} {t.heads:7} {t.below:6} {t.least[0]:10.3g} "
          f"{statistics.median(t.gaps):8.3f} {100 * t.lowest:7.3g} %{note}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steady", default="build/steady")
    parser.add_argument("--data", default="data")
    parser.add_argument("--runs", default="/tmp/steady-bounds")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--sample", type=int, default=32)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    total, runs, checkpoints = Tally(), 0, 0
    print(f"{'run':28} {'saved':>5} {'heads':>7} {'below':>6} {'least gap':>10} {'median':>8} "
          f"{'lowest':>9}")
    for name, recipe, words in RUNS:
        if args.only not in name:
            continue
        missing = needs(words, args.data)
        if missing:
            print(f"{name:28} left out: {missing} is not there")
            continue
        folder = os.path.join(args.runs, name)
        diverged = train(args, recipe, words, folder) == 4
        rows = probe(args, folder)
        if rows is None:
            print(f"{name:28} diverged before its first checkpoint")
            continue
        tally = Tally()
        for row in rows:
            tally.see(name, row)
        show(name, len(rows), tally, "  diverged" if diverged else "")
        total.add(tally)
        runs += 1
        checkpoints += len(rows)
    if not total.gaps:
        sys.exit("no head was checked")
    print(f"\n{runs} runs, {checkpoints} checkpoints, {total.heads} heads checked "
          f"({total.unknown} without a finite entropy or bound, {total.collapsed} sites under "
          f"10 % of uniform)")
    print(f"below their bound: {total.below}")
    print(f"gap: median {statistics.median(total.gaps):.3f} nats, smallest {total.least[0]:.3g} "
          f"at {total.least[1]}")
    tight = sum(share > 0.01 for share in total.shares) / len(total.shares)
    print(f"bound over entropy: median {statistics.median(total.shares):.3g}, above 0.01 at "
          f"{100 * tight:.0f} % of heads, largest {max(total.shares):.6f}")
    sys.exit(total.below > 0)


if __name__ == "__main__":
    main()
