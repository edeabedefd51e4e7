"""pairs.py on sweeps that are made here.

    python3 test/bench/test_pairs.py
"""
import json
import math
import os
import tempfile
import unittest

import pairs

SIDES = (["fp32"], ["bf16"])


def write(folder, rows, words=()):
    """rows: rate, precision, seed, loss, collapsed."""
    cells = []
    for i, (rate, precision, seed, loss, collapsed) in enumerate(rows):
        name = "run%d" % i
        cells.append({
            "name": name, "values": {"recipe": "demo", "optim.lr": str(rate), "train.precision": precision,
                                     "train.seed": str(seed)},
            "metric": "top1", "score": 0.5, "loss": loss, "entropy": {"share": 0.25, "end": None},
            "max_logit": 8, "diverged": False, "collapsed": bool(collapsed),
            "verdict": "collapsed" if collapsed else "learned"})
        os.makedirs(os.path.join(folder, "cells", name))
        with open(os.path.join(folder, "cells", name, "probe.jsonl"), "w") as probe:
            probe.write(json.dumps({"step": 1, "weights": [
                {"sigma": 2.0 ** (precision == "bf16"), "gamma": None},
                {"sigma": 64.0, "gamma": -0.5}]}) + "\n{\"step\":2,\"attention\":[]}\n")
    with open(os.path.join(folder, "sweep.json"), "w") as file:
        json.dump({"words": list(words), "cells": cells + [{"name": "not begun", "values": {}}]}, file)


class Pairs(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = self.place.name

    def tearDown(self):
        self.place.cleanup()

    def read(self, rows):
        write(self.folder, rows)
        return pairs.pairs_of(pairs.read(self.folder), "train.precision", SIDES)

    def test_differences_are_those_of_one_seed(self):
        found, alone = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.5, 0),
                                  (0.1, "fp32", 1, 3.0, 0), (0.1, "bf16", 1, 3.7, 0),
                                  (0.1, "bf16", 2, 9.0, 0)])
        self.assertEqual(alone, ["run4"])
        (members,) = pairs.groups_of(found, pairs.SEED).values()
        change, first = pairs.differences(members, lambda run: run.number("loss"))
        self.assertEqual(first, [1.0, 3.0])
        self.assertTrue(all(math.isclose(a, b) for a, b in zip(change, [0.5, 0.7])))
        self.assertIn("+0.6000 ± 1.2706 (1.4142)", pairs.settings(found, ("fp32", "bf16"), math.inf))

    def test_sigma_is_that_of_the_weight_that_acts(self):
        found, _ = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.5, 0)])
        ((fp32, bf16),) = found.values()
        self.assertEqual((fp32.sigma(), bf16.sigma()), (1.0, 2.0))

    def test_the_edge_is_below_the_first_failure(self):
        rows = [(rate, precision, seed, 1, failed) for precision, fates in
                (("fp32", (0, 0, 1, 0)), ("bf16", (0, 1, 0, 0))) for seed in (0, 1)
                for rate, failed in zip((0.1, 0.2, 0.4, 0.8), fates)]
        found, _ = self.read(rows)
        (members,) = pairs.groups_of(found, pairs.SEED, pairs.RATE).values()
        self.assertEqual([[round(x, 9) for x in edge] for edge in pairs.edges(members, math.inf)],
                         [[1, 0], [1, 0]])
        self.assertIn("| 2, 2 | 1.00 | 2 | 1.00 | 0.00 | -1.00 ± 0.00 |",
                      pairs.methods(found, ("fp32", "bf16"), math.inf))

    def test_one_rate_has_no_edge(self):
        found, _ = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.5, 1)])
        self.assertFalse(pairs.methods(found, ("fp32", "bf16"), math.inf))

    def test_values_that_move_a_little_are_pairs(self):
        write(self.folder, [(rate, "fp32", seed, 1, 0) for seed in (0, 1) for rate in (0.1, 0.2, 0.1001, 0.2001)])
        found, alone = pairs.pairs_of(pairs.read(self.folder), pairs.RATE,
                                      (["0.1", "0.2"], ["0.1001", "0.2001"]))
        self.assertEqual((len(found), alone), (4, []))
        self.assertEqual(len(pairs.groups_of(found, pairs.SEED)), 2)

    def test_what_is_fixed_in_a_folder_is_known(self):
        with tempfile.TemporaryDirectory() as other:
            write(self.folder, [(0.1, "fp32", 0, 1, 0)], ["demo", "model.depth=6", "demo:optim.beta2=0.9"])
            write(other, [(0.1, "bf16", 0, 1, 0)], ["demo", "model.depth=6", "train.threads=1,2"])
            runs = pairs.read(self.folder) + pairs.read(other)
            self.assertEqual(runs[0].axes["model.depth"], "6")
            self.assertNotIn("train.threads", runs[1].axes)
            pairs.forget_the_same(runs)
            self.assertEqual(set(runs[0].axes), {"recipe", "train.precision"})
            self.assertEqual(len(pairs.pairs_of(runs, "train.precision", SIDES)[0]), 1)

    def test_a_loss_above_the_bound_fails(self):
        found, _ = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.6, 0)])
        ((fp32, bf16),) = found.values()
        self.assertEqual((fp32.fails(1.5), bf16.fails(1.5), bf16.fails(math.inf)), (False, True, False))

    def test_discordant_pairs_fall_like_coins(self):
        self.assertEqual(pairs.sign_test(0, 0), 1.0)
        self.assertAlmostEqual(pairs.sign_test(6, 0), 2 / 64)
        self.assertEqual(pairs.sign_test(2, 2), 1.0)


if __name__ == "__main__":
    unittest.main()
