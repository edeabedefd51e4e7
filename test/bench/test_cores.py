"""cores.py: options that are refused, and the tables without any.

    python3 test/bench/test_cores.py
"""
import contextlib
import io
import sys
import unittest
from unittest import mock

import cores


def run(*words):
    """Exit code, stdout, stderr."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
            mock.patch.object(sys, "argv", ["cores.py", *words]):
        try:
            cores.main()
        except SystemExit as end:
            code = end.code
    return code, out.getvalue(), err.getvalue()


class Options(unittest.TestCase):
    def test_rates_and_counts_are_above_nothing(self):
        for option in ("--core", "--stream", "--memory", "--share", "--repeat"):
            for value in ("0", "-1"):
                code, out, err = run(option, value)
                self.assertEqual((code, out), (2, ""))
                self.assertIn("%s: expected above 0" % value, err)
        for value in ("nan", "inf", "fast"):
            self.assertEqual(run("--core", value)[:2], (2, ""))
        self.assertEqual(run("--share", "1.5")[:2], (2, ""))

    def test_models_are_known(self):
        code, out, err = run("--measure", "--models", "vit-s16,bogus")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("'bogus' is not known; expected vit-ti16, ", err)

    def test_a_program_that_does_not_run_is_named(self):
        for steady, said in (("/nonexistent", "No such file"), ("false", "exit 1, silent")):
            code, out, _ = run("--measure", "--steady", steady)
            self.assertIn(said, code)
            self.assertEqual(out, "")

    def test_tables_have_a_row_for_each_model(self):
        code, out, _ = run()
        self.assertEqual((code, out.count("| vit-s16")), (0, 2))
        self.assertNotIn("nan", out)


if __name__ == "__main__":
    unittest.main()
