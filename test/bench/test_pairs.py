"""pairs.py on sweeps that are made here.

    python3 test/bench/test_pairs.py
"""
import contextlib
import io
import json
import math
import os
import sys
import tempfile
import unittest

import pairs
import sweeps

SIDES = (["fp32"], ["bf16"])


def add(folder, name, rate="0.1", precision="fp32", seed=0, more="", recipe="demo", **cell):
    """A run; more: further lines of its recipe's [model] section; cell: members of its cell, None to leave one out."""
    row = {"name": name, "values": {"recipe": recipe, "optim.lr": str(rate), "train.precision": precision,
                                    "train.seed": str(seed)},
           "metric": "top1", "score": 0.5, "loss": 1.0, "entropy": {"share": 0.25, "end": None}, "max_logit": 8,
           "diverged": False, "collapsed": False, "verdict": "learned", **cell}
    path = os.path.join(folder, "cells", name)
    os.makedirs(path)
    with open(os.path.join(path, "recipe.ini"), "w") as file:
        file.write("; resolved\n[model]\ndepth = 6 ; blocks\n%s\n[optim]\nlr = %s\n[train]\nprecision = %s\nseed = %s\n"
                   "init =\n" % (more, rate, precision, seed))
    with open(os.path.join(path, "probe.jsonl"), "w") as probe:
        probe.write(json.dumps({"step": 1, "weights": [
            {"sigma": 2.0 ** (precision == "bf16"), "gamma": None},
            {"sigma": 64.0, "gamma": -0.5}]}) + "\n{\"step\":2,\"attention\":[]}\n")
    return {key: value for key, value in row.items() if value is not None}


def save(folder, cells, words=()):
    with open(os.path.join(folder, "sweep.json"), "w") as file:
        json.dump({"words": list(words), "cells": cells}, file)


def write(folder, rows, words=()):
    """rows: rate, precision, seed, loss, collapsed."""
    save(folder, [add(folder, "run%d" % i, rate, precision, seed, loss=loss, collapsed=bool(collapsed),
                      verdict="collapsed" if collapsed else "learned")
                  for i, (rate, precision, seed, loss, collapsed) in enumerate(rows)] +
         [{"name": "not begun", "values": {}}], words)


def printed(*words):
    """Output and standard error of the script, which may end with a message."""
    sys.argv = ["pairs.py", *words]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            pairs.main()
        except SystemExit as end:
            return out.getvalue(), err.getvalue() + str(end)
    return out.getvalue(), err.getvalue()


class Pairs(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = self.place.name
        self.number = 0

    def tearDown(self):
        self.place.cleanup()

    def read(self, rows):
        write(self.folder, rows)
        halves = pairs.halves_of(pairs.read(self.folder)[0], "train.precision", SIDES)
        return (halves, *pairs.pairs_of(halves))

    def sweep(self, *runs, words=()):
        """A folder of these runs, each the words of add()."""
        self.number += 1
        folder = os.path.join(self.folder, "sweep%d" % self.number)
        save(folder, [add(folder, "run%d" % i, **run) for i, run in enumerate(runs)], words)
        return folder

    def test_differences_are_those_of_one_seed(self):
        _, found, alone = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.5, 0),
                                     (0.1, "fp32", 1, 3.0, 0), (0.1, "bf16", 1, 3.7, 0),
                                     (0.1, "bf16", 2, 9.0, 0)])
        self.assertEqual([run.cell["name"] for _, run in alone], ["run4"])
        (members,) = pairs.groups_of(found, pairs.SEED).values()
        change, first = pairs.differences(members, lambda run: run.loss())
        self.assertEqual(first, [1.0, 3.0])
        self.assertTrue(all(math.isclose(a, b) for a, b in zip(change, [0.5, 0.7])))
        self.assertIn("+0.6000 ± 1.2706 (1.4142)",
                      pairs.settings(found, "train.precision", ("fp32", "bf16"), math.inf))

    def test_sigma_is_that_of_the_weight_that_acts(self):
        _, found, _ = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.5, 0)])
        ((fp32, bf16),) = found.values()
        self.assertEqual((fp32.sigma(), bf16.sigma()), (1.0, 2.0))

    def test_the_edge_is_below_the_first_failure(self):
        rows = [(rate, precision, seed, 1, failed) for precision, fates in
                (("fp32", (0, 0, 1, 0)), ("bf16", (0, 1, 0, 0))) for seed in (0, 1)
                for rate, failed in zip((0.1, 0.2, 0.4, 0.8), fates)]
        halves, found, _ = self.read(rows)
        (members,) = pairs.groups_of(found, pairs.SEED, pairs.RATE).values()
        self.assertEqual([[round(x, 9) for x in edge]
                          for edge in pairs.edges(members, math.inf, (0.1, 0.2, 0.4, 0.8))], [[1, 0], [1, 0]])
        self.assertIn("| 2, 2 | 1.00 | 2 | 1.00 | 0.00 | -1.00 ± 0.00 |",
                      pairs.methods(halves, "train.precision", ("fp32", "bf16"), math.inf))

    def test_a_seed_without_the_lowest_rate_has_no_edge(self):
        out, _ = printed(self.sweep(*({"rate": rate, "precision": precision, "seed": seed, "collapsed": rate == "0.4"}
                                      for seed in (0, 1) for precision in ("fp32", "bf16")
                                      for rate in ("0.1", "0.2", "0.4") if (seed, rate) != (1, "0.1"))))
        self.assertIn("| 5 | 2 | 2 | 0, 0 | 1.00 | 1 of 2 | 1.00 | 1.00 | +0.00 ± nan |", out)

    def test_one_rate_has_no_edge(self):
        halves, _, _ = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.5, 1)])
        self.assertFalse(pairs.methods(halves, "train.precision", ("fp32", "bf16"), math.inf))

    def test_a_seed_that_no_sweep_names_has_an_edge(self):
        folder = self.sweep(*({"rate": rate, "precision": precision} for precision in ("fp32", "bf16")
                              for rate in ("0.1", "0.2")))
        cells = sweeps.cells(folder)
        for cell in cells:
            del cell["values"]["train.seed"]
        save(folder, cells)
        self.assertIn("| demo | 2 | 0 | 0 | 0, 0 | 1.00 | 1 | 1.00 | 1.00 | +0.00 ± nan |", printed(folder)[0])

    def test_values_that_move_a_little_are_pairs(self):
        write(self.folder, [(rate, "fp32", seed, 1, 0) for seed in (0, 1) for rate in (0.1, 0.2, 0.1001, 0.2001)])
        halves = pairs.halves_of(pairs.read(self.folder)[0], pairs.RATE, (["0.1", "0.2"], ["0.1001", "0.2001"]))
        found, alone = pairs.pairs_of(halves)
        self.assertEqual((len(found), alone), (4, []))
        self.assertEqual(list(pairs.labels(pairs.groups_of(found, pairs.SEED), pairs.RATE, pairs.SEED).values()),
                         ["optim.lr=0.1, demo, train.precision=fp32", "optim.lr=0.2, demo, train.precision=fp32"])

    def test_what_is_fixed_in_a_folder_labels_the_row(self):
        with tempfile.TemporaryDirectory() as other:
            write(self.folder, [(0.1, "fp32", 0, 1, 0)], ["demo", "model.depth=6", "demo:optim.beta2=0.9"])
            write(other, [(0.1, "bf16", 0, 1, 0)], ["demo", "model.depth=6", "train.threads=1,2"])
            runs = pairs.read(self.folder)[0] + pairs.read(other)[0]
            self.assertEqual(runs[0].axes["model.depth"], "6")
            self.assertNotIn("train.threads", runs[1].axes)
            pairs.forget_the_same(runs)
            self.assertEqual(set(runs[0].axes), {"recipe", "train.precision"})
            self.assertEqual(len(pairs.pairs_of(pairs.halves_of(runs, "train.precision", SIDES))[0]), 1)

    def test_runs_that_differ_in_another_key_are_no_pair(self):
        a = self.sweep({"seed": 0}, {"seed": 1}, words=["demo"])
        b = self.sweep({"precision": "bf16", "rate": "0.3"}, {"precision": "bf16", "more": "norm = post", "seed": 1},
                       words=["demo", "demo:optim.lr=0.3"])
        out, err = printed(a, b)
        self.assertIn("no two runs differ in train.precision alone, fp32 and bf16", err)
        self.assertIn("Without their like: 1; the closest of the other side differs also in optim.lr (0.1 and 0.3)\n"
                      "  %s/cells/run0\n" % a, out)
        self.assertIn("differs also in model.norm (post and none)\n  %s/cells/run1\n" % b, out)

    def test_threads_that_no_sweep_sets_may_differ(self):
        def two(*words):
            return [self.sweep({"more": "[train]\nthreads = %d" % i, "precision": precision}, words=words)
                    for i, precision in enumerate(("fp32", "bf16"))]
        out, _ = printed(*two("demo"))
        self.assertIn("1 pairs; ", out)
        self.assertIn("\ntrain.threads is not the same in 1 of the pairs", out)
        for word in ("train.threads=1", "demo:train.threads=1,2", "{train.threads,optim.lr}={1,2}"):
            self.assertIn("no two runs differ in train.precision alone", printed(*two(word))[1])

    def test_a_number_may_be_spelled_in_two_ways(self):
        out, _ = printed(self.sweep({"rate": "4e-2"}), self.sweep({"rate": "0.040", "precision": "bf16"}))
        self.assertIn("fp32 to bf16, 1 pairs", out)

    def test_two_runs_in_one_place_are_refused(self):
        a, b = self.sweep({}, {"precision": "bf16"}), self.sweep({"precision": "bf16", "loss": 7.0})
        for words in ((a, b), (b, a)):
            self.assertIn("/cells/run0 are equal in all keys" if words[1] == b else "/cells/run1 are equal in all keys",
                          printed(*words)[1])

    def test_rows_with_one_label_name_what_differs(self):
        out, _ = printed(self.sweep(*({"precision": precision, "more": "norm = " + norm}
                                      for norm in ("pre", "post") for precision in ("fp32", "bf16"))))
        self.assertIn("| demo, model.norm=pre | 1 |", out)
        self.assertIn("| demo, model.norm=post | 1 |", out)

    def test_recipes_are_compared_in_what_the_sweeps_set(self):
        some = [{"recipe": recipe, "seed": seed, "more": "norm = " + norm, "rate": rate}
                for recipe, norm in (("demo", "pre"), ("demo-sigma", "none")) for seed in (0, 1) for rate in ("1", "2")]
        out, _ = printed(self.sweep(*some), "--key", "recipe", "--from", "demo", "--to", "demo-sigma")
        self.assertIn("recipe from demo to demo-sigma, 4 pairs", out)
        some = [self.sweep({"recipe": "demo", "rate": "1"}), self.sweep({"recipe": "other", "rate": "2"}, words=["optim.lr=2"])]
        self.assertIn("no two runs", printed(*some, "--key", "recipe", "--from", "demo", "--to", "other")[1])

    def test_a_run_that_is_not_finite_fails_and_has_no_loss(self):
        some = [{"precision": precision, "seed": seed, "loss": 1.0 + seed} for precision in ("fp32", "bf16")
                for seed in (0, 1, 2)]
        some[5].update(nonfinite=True, metric=None, score=None, loss=99.0, verdict="non-finite")
        out, _ = printed(self.sweep(*some))
        self.assertIn("| demo | 3 | 0 | 1 | 2 | +0.0000 ± 0.0000 (0.7071), 2 pairs | +0.00 ± 0.00 (0.00), 2 pairs |", out)

    def test_a_run_without_a_loss_fails(self):
        out, _ = printed(self.sweep({}, {"precision": "bf16", "loss": None}), "--fail-loss", "1.5")
        self.assertIn("| demo | 1 | 0 | 1 | 1 | - |", out)

    def test_all_that_is_left_out_is_named(self):
        folder = self.sweep({}, {"precision": "bf16"}, {"seed": 1}, {"seed": 2},
                            *({"seed": 3, "precision": precision, "verdict": None} for precision in ("fp32", "bf16", "fp64")))
        out, _ = printed(folder)
        names = ["\n  %s/cells/run%d" % (folder, i) for i in range(7)]
        self.assertIn("Without their like: 2; the closest of the other side differs also in train.seed" + names[2] + names[3],
                      out)
        self.assertIn("Not ended: 2" + names[4] + names[5], out)
        self.assertNotIn(names[6], out)

    def test_a_torn_line_of_a_log_is_left_out_and_named(self):
        folder = self.sweep({}, {"precision": "bf16"})
        path = os.path.join(folder, "cells", "run0", "probe.jsonl")
        with open(path, "a") as file:
            file.write("{\"step\": 3, \"weig")
        out, err = printed(folder)
        self.assertEqual(err, "%s:3: no JSON object; left out\n" % path)
        self.assertIn("| +1.00 ± nan (nan) |", out)

    def test_what_is_not_a_sweep_is_said(self):
        self.assertIn("/nowhere/sweep.json: no such file or directory; expected the folder of a sweep",
                      printed(self.folder + "/nowhere")[1])
        path = os.path.join(self.folder, "sweep.json")
        for text, why in (("", "no JSON"), ("{", "no JSON"), ("[]", "no list of runs"), ('{"cells": [1]}', "no list of runs"),
                          ('{"cells": [{"values": {}}]}', "no list of runs")):
            with open(path, "w") as file:
                file.write(text)
            self.assertIn("%s: %s" % (path, why), printed(self.folder)[1])
        folder = self.sweep({})
        os.remove(os.path.join(folder, "cells", "run0", "recipe.ini"))
        self.assertIn("/cells/run0/recipe.ini: no such file", printed(folder)[1])
        self.assertIn("--key model.dept: no run's recipe has this key", printed(self.sweep({}), "--key", "model.dept")[1])

    def test_a_loss_above_the_bound_fails(self):
        _, found, _ = self.read([(0.1, "fp32", 0, 1.0, 0), (0.1, "bf16", 0, 1.6, 0)])
        ((fp32, bf16),) = found.values()
        self.assertEqual((fp32.fails(1.5), bf16.fails(1.5), bf16.fails(math.inf)), (False, True, False))

    def test_discordant_pairs_fall_like_coins(self):
        self.assertEqual(pairs.sign_test(0, 0), 1.0)
        self.assertAlmostEqual(pairs.sign_test(6, 0), 2 / 64)
        self.assertEqual(pairs.sign_test(2, 2), 1.0)


if __name__ == "__main__":
    unittest.main()
