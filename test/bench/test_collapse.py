"""collapse.py: its cells, its collapses and the plan's verdicts, of a sweep that is made here.

    python3 test/bench/test_collapse.py
"""
import unittest

import collapse
from made_up import printed

POST = "digits-sigma-post-adagrad"
SETTINGS = {  # change: optim.lr, front_lr_scale, reparam_front, power_steps of the cell "no LayerNorm, no warm-up"
    "plain": ("0.1", "1", "false", "1"), "slow": ("0.1", "0.1", "false", "1"), "front": ("0.1", "1", "true", "1"),
    "power": ("0.1", "1", "false", "auto"), "rate": ("0.004", "1", "false", "1"),
}


def cell(change, seed, loss, recipe="digits-sigma-adagrad", warmup="0", deviation="0.1"):
    rate, scale, front, power = SETTINGS[change]
    values = {"recipe": recipe, "optim.lr": rate, "schedule.warmup_steps": warmup, "model.init_std": deviation,
              "optim.front_lr_scale": scale, "model.reparam_front": front, "model.power_steps": power, "train.seed": str(seed)}
    return {"name": "%s-%s-%s" % (recipe, change, seed), "values": values, "loss": loss, "nonfinite": loss is None}


def site(name, entropy, squares, sigma2):
    return {"site": name, "entropy": [entropy, entropy], "uniform": 4.0, "input": squares, "sigma2": sigma2}


def probes(cell):
    """All fall before step 10; afterwards the plain runs do in their second site, and one of those with a slow front."""
    name = cell["name"]
    falls = "plain" in name or name.endswith("slow-1")
    input_grew = not name.endswith("plain-5")
    yield {"step": 1, "attention": [site("a", 3.9, 50, 1), site("b", 3.9, 50, 1)]}
    yield {"step": 5, "attention": [site("a", 0.1, 50, 1), site("b", 3.9, 50, 1)]}
    yield {"step": 10, "attention": [site("a", 3.0, 50, 1), site("b", 0.2 if falls else 2.0, 5000 if input_grew else 100, 3)]}
    yield {"step": 20, "weights": []}
    yield {"step": 300, "attention": [site("a", 3.0, 50, 1), site("b", 3.2, 50, 1)]}


class Collapse(unittest.TestCase):
    def test_cells(self):
        self.assertEqual(collapse.place(cell("rate", 1, 1.0, POST, "100", "0.03")["values"]),
                         ("post-LN, deviation 0.03", "learning rate by warm-up"))
        self.assertEqual(collapse.place(cell("slow", 1, 1.0, POST, "100")["values"]), ("post-LN, learning rate 0.3", "slow front"))

    def test_verdicts(self):
        cells = [cell("plain", s, 60.0 + s) for s in range(1, 6)] + [cell("slow", s, 50.0 + s + s % 2) for s in range(1, 6)]
        cells += [{**cell("front", 1, 1e12), "nonfinite": True}, cell("power", 1, 70.0)]
        cells += [{**cell("rate", 1, None), "nonfinite": False}]
        text = printed(collapse, cells, probes)
        for line in ("12 of 13 runs have ended",
                     "| no LayerNorm, no warm-up | plain | 5 of 5 | 5 | 5.0 to 5.0 | 2.5 to 2.5 | 75.0 to 75.0 | 63.00 |  |",
                     "| no LayerNorm, no warm-up | slow front | 5 of 5 | 1 | 5.0 to 50.0 | 2.5 to 2.5 | 75.0 to 75.0 | 53.60 | -9.40 ± 0.68 |",
                     "| σ of the convolution | 1 of 5 | 0 | 50.0 to 50.0 | 2.5 to 2.5 | 75.0 to 75.0 |  (1 not finite) |  |",
                     "- slow front: 1 of 5 collapse, plain 5 of 5, p = 0.048: removes it",
                     "- more power iterations: 0 of 1 collapse, plain 5 of 5, p = 0.17: open",
                     "- of 5 plain runs that collapse ‖x‖² grew by at least ten times, and more than σ², in 4: the input is the cause",
                     "- factors, medians: ‖x‖² 100, σ² 3; first collapse at step 10 to 10"):
            self.assertIn(line, text)
        self.assertIn("post-LN, no warm-up | plain | 0 of 5 |", text)

    def test_runs_that_break_early_are_named(self):
        cells = [cell("plain", s, 60.0) for s in (1, 2)] + [cell("slow", s, 50.0) for s in (1, 2)]
        cells[0].update(nonfinite=True)

        def short(cell):
            return list(probes(cell))[:2 if cell is cells[0] else None]
        text = printed(collapse, cells, short)
        self.assertIn("| no LayerNorm, no warm-up | plain | 2 of 5 | 1 | 5.0 to 5.0 | 2.5 to 2.5 | 75.0 to 75.0 | 60.00 (1 not finite) |  |",
                      text)
        self.assertIn("- without a probe from step 10 on, counted as not collapsed: %s\n" % cells[0]["name"], text)
        text = printed(collapse, cells[:1], short)
        self.assertIn("| no LayerNorm, no warm-up | plain | 1 of 5 | 0 |  | 2.5 to 2.5 |  |  (1 not finite) |  |", text)

    def test_numbers_that_are_missing(self):
        def torn(_):
            yield {"step": 1, "attention": [site("a", 3.9, 50, 1)]}
            yield {"step": 5, "attention": [site("b", 3.9, 0, 1), {**site("c", 1, 1, 1), "uniform": 0.0}]}
            yield {"step": 10, "attention": [site("b", 0.1, 50, None), {**site("a", 3, 1, 1), "entropy": [None, 1.0]}]}
        text = printed(collapse, [cell("plain", s, 60.0) for s in (1, 2)], torn)
        self.assertIn("- factors, medians: ‖x‖² inf, σ² unknown (known of 0 of 2); first collapse at step 10 to 10", text)

    def test_another_sweep_is_an_error(self):
        for key, value in (("recipe", "demo"), ("model.init_std", None), ("model.power_steps", "3")):
            row = cell("plain", 1, 60.0)
            row["values"][key] = value
            with self.assertRaisesRegex(SystemExit, "no run of docs/plans/collapse.md: .*%s is %s" % (key, value)):
                printed(collapse, [row], probes)


if __name__ == "__main__":
    unittest.main()
