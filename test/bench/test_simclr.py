"""simclr.py: its test, its look for the first large gradient, a sweep that is made here.

    python3 test/bench/test_simclr.py
"""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

import simclr


def cell(recipe, warmup, seed, loss, entropy=0.5, fall=None):
    name = "%s,%s,%s" % (recipe, warmup, seed)
    values = {"recipe": recipe, "schedule.warmup_steps": warmup, "train.seed": str(seed)}
    if loss is None:
        return {"name": name, "values": values}
    return {"name": name, "values": values, "loss": loss, "score": 0.25, "entropy": {"share": entropy},
            "collapsed": entropy < 0.1, "nonfinite": False, "probe": {"fall": fall}}


def write(folder, cells, front):
    for c in cells:
        os.makedirs(os.path.join(folder, "cells", c["name"]))
        with open(os.path.join(folder, "cells", c["name"], "probe.jsonl"), "w") as file:
            for x in front:
                file.write(json.dumps({"weights": [{"name": "patch_embed.proj", "grad_inf": x},
                                                   {"name": "blocks.0.attn.qkv", "grad_inf": 1.0}]}) + "\n")
    with open(os.path.join(folder, "sweep.json"), "w") as file:
        json.dump({"cells": cells}, file)


class Simclr(unittest.TestCase):
    def test_fisher_as_the_plan_gives_it(self):
        self.assertAlmostEqual(simclr.fisher(5, 8, 0, 8), 0.0256, 4)
        self.assertAlmostEqual(simclr.fisher(4, 8, 0, 8), 0.0769, 4)
        self.assertAlmostEqual(simclr.fisher(0, 16, 5, 16), 0.0434, 4)
        self.assertEqual(simclr.fisher(3, 8, 3, 8), 1)

    def test_first_number_above_ten_medians(self):
        self.assertIsNone(simclr.first_over([1, 9, 2, 9]))
        self.assertEqual(simclr.first_over([1, 2, 21, 1]), 2)
        self.assertIsNone(simclr.first_over([20, 1, 1]))

    def test_table_and_claims(self):
        cells = [cell(simclr.BASELINE, "39", s, 5.0, 0.01) for s in range(8)]
        cells += [cell(simclr.BASELINE, "156", s, 4.0, fall=0.1 if s == 0 else None) for s in range(8)]
        cells += [cell(simclr.SIGMA, w, s, 4.0) for w in ("39", "156") for s in range(8)]
        cells += [cell(simclr.FROZEN, "39", 0, None)]
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
            write(folder, cells, [1, 1, 30])
            sys.argv = ["simclr.py", folder]
            simclr.main()
        text = out.getvalue()
        for line in ("| `cifar-simclr-baseline` | 39 | 8 of 8 | 8 | 0 | 8 |",
                     "| `cifar-simclr-baseline` | 156 | 8 of 8 | 0 | 1 | 0 |",
                     "1: 8 of 8 Baseline", "in 9 of 9 unstable Baseline trials",
                     "sigmaReparam unstable: 9 of 16 against 0 of 16, p = 0.0008157",
                     "not ended: cifar-simclr-frozen,39,0"):
            self.assertIn(line, text)


if __name__ == "__main__":
    unittest.main()
