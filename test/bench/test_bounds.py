"""bounds.py: what it says of runs that are there, with a stand-in for steady.

    python3 test/bench/test_bounds.py
"""
import argparse
import json
import os
import tempfile
import unittest

import bounds


class Ends(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run = os.path.join(folder.name, "run")
        self.said = os.path.join(folder.name, "said")
        steady = os.path.join(folder.name, "steady")
        with open(steady, "w") as file:
            file.write(f"#!/bin/sh\necho \"$*\" >'{self.said}'\nexit $STAND_IN_EXIT\n")
        os.chmod(steady, 0o755)
        self.args = argparse.Namespace(steady=steady, steps=60, data="data")

    def there(self, *sessions):
        os.makedirs(os.path.join(self.run, "checkpoints"), exist_ok=True)
        open(os.path.join(self.run, "recipe.ini"), "w").close()
        with open(os.path.join(self.run, "run.json"), "w") as file:
            json.dump({"sessions": list(sessions)}, file)

    def trained(self, code=0):
        """What train() gives, and the words of the training that it began."""
        os.environ["STAND_IN_EXIT"] = str(code)
        if os.path.exists(self.said):
            os.unlink(self.said)
        end = bounds.train(self.args, "demo", "optim.lr=1", self.run)
        if not os.path.exists(self.said):
            return end, None
        with open(self.said) as file:
            return end, file.read()

    def test_a_run_that_diverged_has_diverged_at_the_next_call(self):
        self.assertEqual(self.trained(4)[0], 4)
        for code in (0, 4, 5):
            self.there({"exit": 75}, {"exit": code})
            self.assertEqual(self.trained(1), (code, None))

    def test_an_interrupted_run_goes_on(self):
        for sessions in (({"exit": 75},), ({"exit": 0}, {"step": 7}), ()):
            self.there(*sessions)
            end, words = self.trained(4)
            self.assertEqual(end, 4)
            self.assertIn("train --resume " + self.run, words)

    def test_a_new_run_begins(self):
        self.assertIn("train demo --out " + self.run, self.trained()[1])


if __name__ == "__main__":
    unittest.main()
