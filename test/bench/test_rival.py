"""The parts of compare.py that run nothing: search, file, choices, tables.

    python3 test/bench/test_rival.py
"""
import math
import os
import tempfile
import types
import unittest

import compare_table
import rival

PRECISIONS = ["fp32", "bf16"]


def timer(costs, failing=()):
    """A run that takes 100 ms, times the costs of the words that it is given."""
    def run(config):
        for name, word in config.items():
            if word in failing:
                raise RuntimeError("no " + word)
        return 100 * math.prod(costs.get(word, 1) for word in config.values())
    return run


def entry(tried, best):
    return dict(config={**rival.beginning(), **best[0]}, ms=best[1], compile_s=7.0, torch="2.13.0",
                tried=[dict(config={**rival.beginning(), **words}, ms=ms) for words, ms in tried])


def side(ms, megabytes):
    return dict(median_ms=ms, processor_ms=2 * ms, step_ms=[ms, 0.9 * ms], activation_bytes=1e6 * megabytes,
                flops=1e9 * ms, gemm_gflops=2000.0, batch=8, warmup_ms=[2000.0], torch="2.13.0",
                libraries="MKL 2024.2")


class Search(unittest.TestCase):
    def test_finds_the_fastest_word_of_each_choice(self):
        costs = {"matmul": 0.9, "tcmalloc": 0.8, "jemalloc": 0.95, "default": 0.5, "foreach": 1.2}
        best, ms, tried = rival.search(timer(costs), list(rival.CHOICES), rival.beginning())
        self.assertEqual({name: word for name, word in best.items() if word != rival.CHOICES[name][0]},
                         {"attention": "matmul", "malloc": "tcmalloc", "compile": "default"})
        self.assertAlmostEqual(ms, 36)
        self.assertEqual(len(tried), 1 + sum(len(words) - 1 for words in rival.CHOICES.values()))

    def test_keeps_what_failed_with_its_reason(self):
        best, _, tried = rival.search(timer({"default": 0.1}, {"default"}), ["compile"], rival.beginning())
        self.assertEqual(best["compile"], "no")
        self.assertEqual([row["failed"] for row in tried if "failed" in row], ["no default"])
        self.assertEqual(rival.failures(dict(tried=tried), "fp32"), [
            "torch.compile, SDPA, fused AdamW, malloc keeps its pages: no default"])

    def test_does_not_follow_less_than_a_hundredth(self):
        best, _, _ = rival.search(timer({"matmul": 0.995}), ["attention"], rival.beginning())
        self.assertEqual(best["attention"], "sdpa")

    def test_goes_past_a_beginning_that_fails(self):
        best, _, _ = rival.search(timer({}, {"sdpa"}), ["attention", "malloc"], rival.beginning())
        self.assertEqual(best["attention"], "matmul")

    def test_says_why_nothing_ran(self):
        with self.assertRaisesRegex(RuntimeError, "no fused"):
            rival.search(timer({}, {"fused"}), ["malloc"], rival.beginning())

    def test_opens_only_choices_that_matter(self):
        names = rival.open_choices("fp32", False, 1, "GenuineIntel")
        self.assertEqual(set(rival.CHOICES) - set(names), {"bf16", "layout", "openmp", "pin", "mkl"})
        self.assertEqual(rival.open_choices("bf16", True, 2, "AMD"), list(rival.CHOICES))

    def test_runs_a_second_form_only_if_it_is_near(self):
        tried = [({}, 105.0), ({"malloc": "plain"}, 108.0), ({"compile": "default"}, 100.0)]
        near = rival.finalists(entry(tried, tried[2]))
        self.assertEqual([config["compile"] for config in near], ["default", "no"])
        self.assertEqual(near[1]["malloc"], "tuned")
        tried[0] = ({}, 111.0)
        tried[1] = ({"malloc": "plain"}, 120.0)
        self.assertEqual(len(rival.finalists(entry(tried, tried[2]))), 1)


class File(unittest.TestCase):
    def test_gives_back_what_it_was_given(self):
        made = entry([({}, 3.0), ({"compile": "default", "pin": "pinned"}, 2.0)],
                     ({"compile": "default", "pin": "pinned"}, 2.0))
        made["tried"].append(dict(config=rival.beginning(), failed='said "no"'))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "found.json")
            self.assertEqual(rival.load(path), {})
            rival.save(path, {"a": {"fp32": made, "bf16": made}, "b": {"bf16": made}})
            found = rival.load(path)
        self.assertEqual(rival.entry_of(found, "a", "fp32"), made)
        self.assertEqual(rival.entry_of(found, "b", "bf16"), made)
        self.assertIsNone(rival.entry_of(found, "b", "fp32"))

    def test_the_one_in_the_tree_can_be_read(self):
        found = rival.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "rival.json"))
        for model, precisions in found.items():
            for precision in precisions:
                made = rival.entry_of(found, model, precision)
                self.assertTrue(rival.finalists(made))
                self.assertTrue(rival.describe(made["config"], precision))

    def test_refuses_unknown_words(self):
        self.assertEqual(rival.parse(""), rival.beginning())
        for text in ("compile=fast", "speed=1", "compile"):
            with self.assertRaisesRegex(ValueError, "compile=no|default"):
                rival.parse(text)


class Process(unittest.TestCase):
    def test_environment_has_what_the_form_asks_for(self):
        config = {**rival.beginning(), "malloc": "tcmalloc", "openmp": "intel", "pin": "pinned"}
        env = rival.environment_of(config, {"A": "1"}, "/venv", "/cache")
        self.assertEqual(env["LD_PRELOAD"], "libtcmalloc_minimal.so.4 /venv/lib/libiomp5.so")
        self.assertEqual((env["A"], env["OMP_PROC_BIND"]), ("1", "close"))
        self.assertNotIn("MALLOC_TOP_PAD_", env)
        self.assertIn("MALLOC_TOP_PAD_", rival.environment_of(rival.beginning(), {}, "/", "/cache"))


class Tables(unittest.TestCase):
    def setUp(self):
        rows = [{"torch fp32": side(a, 100), "here fp32": side(b, 50), "torch bf16": side(c, 80),
                 "here bf16": side(d, 30)} for a, b, c, d in ((120, 100, 90, 60), (500, 100, 72, 60), (140, 100, 90, 50))]
        made = {**entry([({}, 1.0)], ({}, 1.0)), "won": rival.beginning()}
        self.results = {"vit": dict(rows=rows, entries={p: made for p in PRECISIONS})}

    def cells(self, by):
        table = compare_table.steps(self.results, PRECISIONS, by, False).splitlines()
        heads, row = ([cell.strip() for cell in line.strip("|").split("|")] for line in (table[0], table[2]))
        self.assertEqual(len(heads), len(row))
        return dict(zip(heads, row))

    def test_ratios_are_medians_of_each_rounds(self):
        cells = self.cells("median")
        self.assertEqual(cells["PyTorch / here, fp32"], "1.40")
        self.assertEqual(cells["PyTorch / here, bf16"], "1.50")
        self.assertEqual(cells["here, fp32 / bf16"], "1.67")
        self.assertEqual(cells["MB here, bf16 / fp32"], "0.60")
        self.assertEqual(cells["share of GEMM here, fp32"], "50 %")

    def test_least_compares_the_fastest_steps_of_all_rounds(self):
        self.assertEqual(self.cells("least")["PyTorch / here, bf16"], "%.2f" % (72 / 50))

    def test_one_precision_has_no_column_of_both(self):
        text = compare_table.steps(self.results, ["fp32"], "median", False)
        self.assertNotIn("bf16", text)

    def test_the_form_that_ran_is_named(self):
        self.assertIn("eager, autocast, SDPA, fused AdamW, malloc keeps its pages | 1 | 7 | 2.0",
                      compare_table.forms(types.SimpleNamespace(processor="P"), {"OMP_NUM_THREADS": "1"}, self.results,
                                          PRECISIONS))


if __name__ == "__main__":
    unittest.main()
