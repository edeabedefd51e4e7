"""compare.py with stand-ins for steady and for a Python with PyTorch, which print at once what a
measurement would.

    python3 test/bench/test_compare.py
"""
import contextlib
import io
import json
import os
import shutil
import tempfile
import unittest
from unittest import mock

import compare
import compare_options
import rival

COMMON = {"parameters": 10, "median_ms": 100, "processor_ms": 100, "step_ms": [100, 100], "flops": 1e9,
          "gemm_gflops": 100, "batch": 8, "activation_bytes": 1e6}
STEADY = """#!/bin/sh
[ "$*" = 'doctor --env' ] && { echo OMP_NUM_THREADS=1; exit; }
[ "$*" = 'doctor --json' ] && { echo '{"bf16": {"products": %s, "why": "no units"}}'; exit 1; }
echo '{"steady": "0.1.0", "openblas": "0.3.21", "core": "Zen", "threads": 1}'
echo '%s'
"""
TORCH = """#!/bin/sh
[ "$1" = -c ] && { printf '/usr\\n%%s\\n' %s; exit; }
echo "$*" >>'%s'
case "$*" in *vit-b16*) echo boom >&2; exit 1 ;; *%s*) kill -TERM $PPID; sleep 5 ;; esac
echo '%s'
"""


class Compare(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.found = self.path("found.json")
        self.stand_ins()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)
        return self.path(name)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def stand_ins(self, bf16="true", version="2.13.0", killed_at="nothing", loss=(2, 1)):
        self.write("steady", STEADY % (bf16, json.dumps({**COMMON, "loss": loss})))
        self.write("python", TORCH % (version, self.path("calls"), killed_at, json.dumps(
            {**COMMON, "torch": "2.13.0", "libraries": "x", "loss": [4, 3, 2, 1], "least_processor_ms": 100,
             "warmup_ms": [1000]})))

    def run_it(self, *words, models="vit-ti16", rounds="1", stdout=None):
        """Exit code, stdout, stderr, and the calls of PyTorch."""
        self.write("calls", "")
        out, err = stdout or io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = compare.main([
                    "--steady", self.path("steady"), "--python", self.path("python"), "--cache", self.path("cache"),
                    "--found", self.found, "--models", models, "--rounds", rounds, *words])
            except SystemExit as exit:
                code = exit.code
        return code, "" if stdout else out.getvalue(), err.getvalue(), self.read("calls").splitlines()

    def refused(self, pattern, *words, **options):
        """Exit 2 with such a message, before PyTorch is started."""
        code, out, err, calls = self.run_it(*words, **options)
        self.assertEqual((code, out, calls), (2, "", []), err)
        self.assertRegex(err.splitlines()[-1], pattern)


class Precisions(Compare):
    def test_without_bf16_products_fp32_is_compared_alone(self):
        self.stand_ins(bf16="false")
        code, out, err, calls = self.run_it()
        self.assertEqual(code, 0, err)
        self.assertIn("fp32 alone: no fast bf16 products here: no units", err)
        self.assertIn("fp32 alone", out)
        self.assertNotIn("bf16 ms", out)
        self.assertFalse([call for call in calls if "--precision bf16" in call])

    def test_bf16_alone_is_refused_at_once(self):
        self.stand_ins(bf16="false")
        code, _, err, calls = self.run_it("--precision", "bf16")
        self.assertEqual((code, calls), (1, []))
        self.assertIn("no units; use --precision fp32", err)

    def test_both_where_there_are(self):
        code, out, _, _ = self.run_it()
        self.assertEqual(code, 0)
        self.assertIn("PyTorch / here, bf16", out)


class Words(Compare):
    def test_unknown_models_are_refused_before_a_search(self):
        self.refused("'small' is not known; expected all, .*vit-ti16", models="small")
        self.refused("did you mean vit-s16?", models="vit-s61")
        self.refused("an empty name", models="")
        self.refused("an empty name", models="vit-ti16,")

    def test_spaces_and_repetitions_do_not_count(self):
        code, _, err, _ = self.run_it("--precision", "fp32", models="cifar-vit, vit-ti16,cifar-vit")
        self.assertEqual(code, 0, err)
        self.assertEqual(sorted(rival.load(self.found)), ["cifar-vit", "vit-ti16"])

    def test_every_known_model_has_its_script(self):
        for model in compare_options.MODELS:
            with open(compare.script_of(model)) as file:
                self.assertIn('"%s": ' % model, file.read())

    def test_numbers_below_one(self):
        for option in ("--rounds", "--steps", "--threads", "--limit"):
            for number in ("0", "-1"):
                self.refused("%s: expected 1 or more" % number, option, number)
        self.refused("nan: expected 0 or more", "--seconds", "nan")
        self.refused("invalid int value: 'two'", "--rounds", "two")

    def test_forms_and_choices(self):
        self.refused("--rival foo=bar: a choice is one of", "--rival", "foo=bar")
        self.refused("--tune speed: 'speed' is not known", "--tune", "speed")
        self.refused("--tune : an empty name", "--tune", "")
        self.refused("nothing to --tune", "--rival", "compile=no", "--tune")

    def test_programs_that_are_none(self):
        self.refused("--python /nonexistent: No such file", "--python", "/nonexistent")
        self.refused(r"no Python \(exit 1\)", "--python", shutil.which("false"))
        self.stand_ins(version="none")
        self.refused("it has no PyTorch", "--precision", "fp32")
        self.stand_ins()
        for steady in ("/nonexistent", shutil.which("false")):
            code, _, err, calls = self.run_it("--steady", steady)
            self.assertEqual((code, calls), (1, []))
            self.assertRegex(err, "^compare.py: .*(No such file|exit 1, silent)")

    def test_files_are_tried_before_anything_is_measured(self):
        self.refused("--raw /nodir/x: No such file", "--raw", "/nodir/x")
        self.refused("--found /nodir/h.json: No such file or directory in /nodir", "--found", "/nodir/h.json")
        self.refused("--found .*: is a folder|--found .*: Is a directory", "--found", self.folder)
        self.refused("--cache .*found.json", "--cache", self.write("found.json", "{}"))

    def test_files_of_forms_that_are_none(self):
        entry = '{"vit-ti16": {"fp32": {"config": "%s", "ms": 1, "compile_s": 0, "tried": %s}}}'
        for text, pattern in (("", "empty"), ("{", "not JSON"), ("[]", "expected {model"), ('{"a": 1}', "expected {model"),
                              ('{"a": {"fp32": 7}}', "a, fp32: a value of a wrong type"),
                              ('{"a": {"fp32": {}}}', "a, fp32: no '"), (entry % ("speed=1", "[]"), "speed=1: a choice"),
                              (entry % ("", "3"), "wrong type"), (entry % ("", '[{"ms": 2}]'), "no 'config'")):
            self.refused("--found %s: .*%s" % (self.write("bad.json", text), pattern), "--found", self.path("bad.json"))


class Failures(Compare):
    def test_a_model_that_fails_leaves_the_tables_of_the_others(self):
        code, out, err, _ = self.run_it("--precision", "fp32", models="vit-ti16,vit-b16,vit-s16")
        self.assertEqual(code, 1)
        self.assertIn("| vit-ti16, batch 8 |", out)
        self.assertIn("| vit-s16, batch 8 |", out)
        self.assertRegex(err.splitlines()[-1], "compare.py: vit-b16: fp32: no form of PyTorch ran: .*exit 1, boom")

    def test_losses_that_are_not_finite_or_not_there(self):
        for loss in ((), (2, None), (1, 2, 3)):
            self.stand_ins(loss=loss)
            code, out, err, _ = self.run_it("--precision", "fp32", "--rival", "")
            self.assertEqual((code, out), (1, ""))
            self.assertIn("vit-ti16: the loss here does not fall", err)

    def test_an_interruption_prints_what_there_is_and_a_search_goes_on(self):
        self.stand_ins(killed_at="jemalloc")
        with mock.patch.object(rival, "environment_of", lambda config, env, prefix, cache: env), \
                mock.patch.object(rival, "options_of", lambda config: ["%s=%s" % pair for pair in config.items()]):
            code, out, err, _ = self.run_it("--precision", "fp32", models="vit-ti16")
            self.assertEqual((code, out), (130, ""))
            self.assertIn("interrupted at vit-ti16", err)
            begun = rival.load(self.found)["vit-ti16"]["fp32"]
            self.assertEqual(begun["open"][0], "malloc")
            self.stand_ins()
            code, out, err, calls = self.run_it("--precision", "fp32")
        self.assertEqual(code, 0, err)
        self.assertIn("it goes on with malloc, ", err)
        self.assertFalse([call for call in calls if "attention=matmul" in call])
        done = rival.load(self.found)["vit-ti16"]["fp32"]
        self.assertNotIn("open", done)
        self.assertIn("matmul", [row["config"]["attention"] for row in done["tried"]])

    def test_a_full_stdout_does_not_lose_the_tables(self):
        class Full(io.StringIO):
            def write(self, text):
                raise OSError(28, "No space left on device")

        code, _, err, _ = self.run_it("--precision", "fp32", stdout=Full())
        self.assertEqual(code, 1)
        self.assertIn("| vit-ti16, batch 8 |", err)
        self.assertIn("stdout: No space left", err)


class Found(Compare):
    def known(self, ms=100.0, **other):
        """Eager was the best; a compiled form was near."""
        begin = rival.beginning()
        entry = dict(config=begin, ms=ms, torch="2.13.0", processor=compare_options.processor(), threads=1,
                     by="processor", depth=2, date="2026-01-01", compile_s=65.0, tried=[
                         dict(config=begin, ms=ms), dict(config={**begin, "malloc": "jemalloc"}, failed="none"),
                         dict(config={**begin, "compile": "max-autotune"}, ms=1.05 * ms)])
        rival.save(self.found, {"vit-ti16": {"fp32": {**entry, **other}}})

    def tuned(self):
        code, _, err, calls = self.run_it("--precision", "fp32", "--tune", "attention")
        self.assertEqual(code, 0, err)
        self.assertTrue([call for call in calls if "--compile max-autotune" in call], "the second finalist")
        return rival.load(self.found)["vit-ti16"]["fp32"]

    def test_a_search_of_some_choices_keeps_the_other_tries(self):
        self.known()
        made = self.tuned()
        self.assertEqual([row.get("ms") for row in made["tried"]], [None, 105.0, 100, 100])
        self.assertEqual(made["compile_s"], 65.0)
        self.assertFalse([row for row in made["tried"] if "at" in row])

    def test_tries_of_another_place_say_so(self):
        self.known(processor="Other", ms=300.0)
        made = self.tuned()
        self.assertEqual([row.get("at", {}).get("processor") for row in made["tried"]],
                         ["Other", "Other", "Other", None, None])
        self.assertEqual(made["processor"], compare_options.processor())

    def test_choices_that_make_no_difference_are_named(self):
        self.known()
        before = rival.load(self.found)
        code, _, err, calls = self.run_it("--precision", "fp32", "--tune", "pin,bf16", "--threads", "1")
        self.assertEqual(code, 0, err)
        self.assertRegex(err, r"vit-ti16, fp32: --tune pin,bf16: it makes no difference here \(fp32, one thread\)")
        self.assertEqual(rival.load(self.found), before)
        _, _, err, _ = self.run_it("--precision", "fp32", "--tune", "pin,attention", "--threads", "1")
        self.assertRegex(err, r"--tune pin: it makes no difference here \(one thread\)")
        self.assertRegex(err, r"(?m)^(.*vit-ti16, fp32: [0-9.]+ ms.*)$")
        _, _, err, _ = self.run_it("--precision", "fp32", "--tune", "all", "--threads", "1")
        self.assertNotIn("no difference", err)

    def test_a_form_of_another_place_is_marked(self):
        for other, said in ((dict(processor="Other"), "Other, 1 thread, PyTorch 2.13.0"),
                            (dict(threads=2), "2 threads"), (dict(torch="1.13.1"), "PyTorch 1.13.1")):
            self.known(**other)
            code, out, err, _ = self.run_it("--precision", "fp32")
            self.assertEqual(code, 0, err)
            self.assertRegex(err, r"found elsewhere \(.*%s.*--tune searches here" % said)
            self.assertRegex(out, r"\| [^|]*%s[^|]* \|\n" % said)
        self.known()
        _, out, err, _ = self.run_it("--precision", "fp32")
        self.assertNotIn("elsewhere", out + err)
        self.assertIn("| here |", out)


if __name__ == "__main__":
    unittest.main()
