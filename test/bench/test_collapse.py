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


if __name__ == "__main__":
    unittest.main()
