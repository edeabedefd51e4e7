"""grid.py: its midpoint, its points and its counts, of a sweep that is made here.

    python3 test/bench/test_grid.py
"""
import math
import unittest

import grid
from made_up import printed

START = "{model.init_std,optim.weight_decay}"
SHAPE = "{train.batch,train.steps,schedule.warmup_steps}"


def cell(recipe, start, rate, shape, seed, loss, entropy=0.5):
    values = {"recipe": recipe, "optim.lr": str(rate), SHAPE: shape, "train.seed": str(seed)}
    if start:
        values.update({START: start})
    values_of = {"values": values, "nonfinite": False}
    if loss is not None:
        values_of.update(loss=loss, score=0.25, collapsed=entropy < 0.1, nonfinite=math.isnan(loss))
    if loss is not None and math.isnan(loss):
        values_of["loss"] = None
    return values_of


def sweep(sigma, baseline, control):
    """Two points; a method's losses are those of the second, the first has 0.3."""
    cells = []
    for shape, losses in (("64,300,0", None), ("64,300,60", (sigma, baseline, control))):
        for seed in range(5):
            s, b, c = [x[seed] for x in losses] if losses else (0.3, 0.3, 0.3)
            cells += [cell("demo-sigma", None, 0.004, shape, seed, s), cell("demo", "0.07,0.05", 0.004, shape, seed, b),
                      cell("demo", "0.2,0.05", 0.004, shape, seed, c), cell("demo", "0.07,0", 0.004, shape, seed, None)]
    return cells


class Grid(unittest.TestCase):
    def test_keys_that_move_together(self):
        self.assertEqual(grid.part({SHAPE: "64,300,60"}, "schedule.warmup_steps"), "60")
        self.assertEqual(grid.part({"optim.lr": "1"}, "optim.lr"), "1")
        self.assertIsNone(grid.part({SHAPE: "64,300,60"}, "optim.lr"))

    def test_a_point_fails_if_most_of_its_seeds_do(self):
        limit = (math.log(10) + 0.3) / 2
        below, above = limit - 0.01, limit + 0.01
        text = printed(grid, sweep([below] * 5, [above] * 3 + [below] * 2, [above] * 2 + [below] * 2 + [math.nan]))
        for line in ("midpoint 1.301", "| baseline | 10 of 10 | 3 | 1 of 2 | 0 |", "| σReparam | 10 of 10 | 0 | 0 of 2 | 0 |",
                     "| control: σReparam's start | 10 of 10 | 3 | 1 of 2 |", "| control: no decay | 0 of 10 |",
                     "σReparam: 0 of 2 points fail", "baseline: 3 of 10 against σReparam's 0 of 10, p = 0.21"):
            self.assertIn(line, text)

    def test_the_midpoint_is_never_above_chance(self):
        cells = sweep([20.0] * 5, [2.4] * 5, [2.2] * 2 + [9.0] * 3)
        for row in cells:
            row["loss"] = 4.0 if row.get("loss") == 0.3 else row.get("loss")
        text = printed(grid, cells)
        for line in ("midpoint 2.303", "| baseline | 10 of 10 | 10 | 2 of 2 |", "| control: σReparam's start | 10 of 10 | 8 | 2 of 2 |"):
            self.assertIn(line, text)

    def test_a_loss_that_is_not_finite_fails(self):
        text = printed(grid, sweep([math.nan] * 5, [0.3] * 5, [0.3] * 5))
        self.assertIn("| σReparam | 10 of 10 | 5 | 1 of 2 |", text)

    def test_an_unknown_method_is_an_error(self):
        with self.assertRaisesRegex(SystemExit, "no run of docs/plans/grid.md: .* are mnist, None, None"):
            printed(grid, [cell("mnist", None, 0.004, "64,300,0", 1, 0.3)])

    def test_a_point_with_a_run_that_has_not_ended_is_none(self):
        cells = sweep([0.5] * 5, [0.1, 0.1, 3.0, 3.0, 3.0], [0.5] * 5)
        for row in [c for c in cells if c.get("loss") == 3.0][1:]:  # of the five two low ones and a high one are left
            row.pop("loss")
        text = printed(grid, cells)
        for line in ("midpoint 1.301", "| baseline | 8 of 10 | 1 | 0 of 1 | 0 |", "baseline: 1 of 8 against σReparam's 0 of 10",
                     "left out of the points, since some of their runs have not ended: 1 of baseline\n"):
            self.assertIn(line, text)
        self.assertNotIn("left out", printed(grid, sweep([0.5] * 5, [0.5] * 5, [0.5] * 5)))

    def test_nothing_to_compare_is_said(self):
        cells = sweep([0.5] * 5, [0.5] * 5, [0.5] * 5)
        for row in cells:
            row.pop("score", None)
            if row["values"]["recipe"] == "demo-sigma":
                row.pop("loss")
        text = printed(grid, cells)
        self.assertIn("| baseline | 10 of 10 | 0 | 0 of 2 | 0 | - |", text)
        self.assertIn("σReparam: no run has ended, so there is nothing to compare with", text)
        self.assertNotIn("against", text)
        self.assertIn("no midpoint: no point has ended with finite losses in all of its runs",
                      printed(grid, [cell("demo-sigma", None, 0.004, "64,300,0", 1, math.nan)]))


if __name__ == "__main__":
    unittest.main()
