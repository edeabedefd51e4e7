"""ablation.py: its verdicts, of a sweep that is made here.

    python3 test/bench/test_ablation.py
"""
import unittest

import ablation
from made_up import printed


def cells(setting, losses):
    return [{"values": {**dict(zip(ablation.KEYS, setting)), "train.seed": str(seed)}, "loss": loss,
             "nonfinite": loss is None, "entropy": {"share": 0.5}} for seed, loss in enumerate(losses)]


class Ablation(unittest.TestCase):
    def test_verdicts(self):
        control = [1.0, 1.1, 0.9, 1.2, 0.8]
        moved = {"worse": 0.3, "small": 0.01, "better": -0.3}
        some = cells(ablation.UNCHANGED, control)
        for name, by in moved.items():
            some += cells(("1", name, "joint", "1", "all"), [x + by + 0.01 * (i % 2) for i, x in enumerate(control)])
        some += cells(("1", "0.2", "separate", "1", "all"), [2.0, 0.5, 1.9, 0.4, 1.0])
        some += cells(("spectral", "0.2", "joint", "1", "all"), [2.0, 0.5, None, 0.4, 1.0])
        stopped = cells(("1", "0.2", "joint", "1", "attention"), [2.0] * 5)
        stopped[0]["nonfinite"] = True  # the loss that it had before
        text = printed(ablation, some + stopped)
        for line in ("| none | 1.000 | 0.800 to 1.200 | | | 50.0 |",
                     "| `init_std = worse` | 1.304 | 1.100 to 1.510 | +0.304 ± 0.007 | matters: worse |",
                     "| `init_std = small` | 1.014 | 0.810 to 1.220 | +0.014 ± 0.007 | hardly matters |",
                     "| `init_std = better` | 0.704 | 0.500 to 0.910 | -0.296 ± 0.007 | matters: better |",
                     "| open |", "| `gamma_init = spectral` | | | 1 of 5 not finite, 0 not ended |"):
            self.assertIn(line, text)
        self.assertEqual(len(text.splitlines()), 9)

    def test_a_control_that_broke_is_no_control(self):
        some = cells(ablation.UNCHANGED, [1.0, 1.1]) + cells(("1", "0.4", "joint", "1", "all"), [1.0, 1.1])
        some[1]["nonfinite"] = True  # with the loss that it had before
        some[2]["entropy"] = {"share": None}
        text = printed(ablation, some)
        self.assertIn("| none | | | 1 of 2 not finite, 0 not ended | | |", text)
        self.assertIn("| the unchanged recipe has not ended, or not with a finite loss | 50.0 |", text)

    def test_one_seed_has_no_verdict(self):
        text = printed(ablation, cells(ablation.UNCHANGED, [1.0]) + cells(("1", "0.4", "joint", "1", "all"), [9.0]))
        self.assertIn("| +8.000 ± nan | open |", text)

    def test_another_sweep_is_an_error(self):
        one = cells(ablation.UNCHANGED, [1.0])
        for some, why in ((one + one, "two runs have these keys and train.seed 0"), ([{"values": {}}], "it does not name model.gamma_init"),
                          (cells(("1", "0.4", "joint", "1", "all"), [1.0]), "no run of the unchanged recipe")):
            with self.assertRaisesRegex(SystemExit, why):
                printed(ablation, some)


if __name__ == "__main__":
    unittest.main()
