"""simclr.py: its test, its look for the first large gradient, a sweep that is made here.

    python3 test/bench/test_simclr.py
"""
import unittest

import simclr
from made_up import printed


def cell(recipe, warmup, seed, loss, entropy=0.5, fall=None):
    name = "%s,%s,%s" % (recipe, warmup, seed)
    values = {"recipe": recipe, "schedule.warmup_steps": warmup, "train.seed": str(seed)}
    if loss is None:
        return {"name": name, "values": values}
    return {"name": name, "values": values, "loss": loss, "score": 0.25, "entropy": {"share": entropy},
            "collapsed": entropy < 0.1, "nonfinite": False, "probe": {"fall": fall}}


def probes(*front, first=1.0):
    """Rows of probe.jsonl with these gradients of the patch embedding."""
    return lambda _: ({"weights": [{"name": "patch_embed.proj", "grad_inf": x},
                                   {"name": "blocks.0.attn.qkv", "grad_inf": first}]} for x in front)


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
        self.assertEqual(simclr.first_over([None, None, 1, None, 11]), 4)
        self.assertIsNone(simclr.first_over([None, None, 5]))

    def test_table_and_claims(self):
        cells = [cell(simclr.BASELINE, "39", s, 5.0, 0.01) for s in range(8)]
        cells += [cell(simclr.BASELINE, "156", s, 4.0, fall=0.1 if s == 0 else None) for s in range(8)]
        cells += [cell(simclr.SIGMA, w, s, 4.0) for w in ("39", "156") for s in range(8)]
        cells += [cell(simclr.FROZEN, "39", 0, None)]
        text = printed(simclr, cells, probes(1, 1, 30))
        for line in ("| `cifar-simclr-baseline` | 39 | 8 of 8 | 8 | 0 | 8 |",
                     "| `cifar-simclr-baseline` | 156 | 8 of 8 | 0 | 1 | 0 |",
                     "1: 8 of 8 Baseline", "in 9 of 9 unstable Baseline trials",
                     "sigmaReparam unstable: 9 of 16 against 0 of 16, p = 0.0008157",
                     "not ended: cifar-simclr-frozen,39,0"):
            self.assertIn(line, text)

    def test_numbers_that_are_missing(self):
        cells = [cell(simclr.BASELINE, "39", s, 5.0) for s in range(2)] + [cell(simclr.SIGMA, "39", s, 4.0) for s in range(2)]
        cells[0].update(nonfinite=True, loss=99.0, score=None, entropy={"share": None})
        cells[1].update(score=None, entropy={"share": None}, probe=None)
        cells[2].update(score=None)
        text = printed(simclr, cells, probes(None, None, 30, first=None))
        for line in ("| `cifar-simclr-baseline` | 39 | 2 of 2 | 2 | 0 | 0 | 5.00, 5.00 to 5.00 (of 1) | - | - |",
                     "| `cifar-simclr-sigma` | 39 | 2 of 2 | 0 | 0 | 0 | 4.00, 4.00 to 4.00 | 50.0 to 50.0 | 25.0, 25.0 to 25.0 (of 1) |",
                     "in 0 of 2 unstable Baseline trials (never in 2): None/None, None/None"):
            self.assertIn(line, text)

    def test_what_is_not_of_the_plan_is_named(self):
        text = printed(simclr, [cell("mnist", "39", 0, 4.0), cell(simclr.SIGMA, "10", 0, 4.0)], probes(1, 1))
        for line in ("- 1: no Baseline trial has ended", "- 3, Baseline and sigmaReparam unstable: no such trials have ended on one side",
                     "- 4, Baseline unstable with the short and the long warm-up: no such trials have ended on both sides",
                     "not of the plan: mnist,39,0", "not of the plan: cifar-simclr-sigma,10,0"):
            self.assertIn(line, text)
        self.assertNotIn("0 of 0 against", text)
        with self.assertRaisesRegex(SystemExit, "does not name its recipe and schedule.warmup_steps"):
            printed(simclr, [{"name": "x", "values": {"recipe": "demo"}}])


if __name__ == "__main__":
    unittest.main()
