"""digits.py on recordings that are made here.

    python3 test/bench/test_digits.py
"""
import glob
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import wave

HERE = os.path.dirname(os.path.abspath(__file__))
SPEAKERS = "ann ben cat dan eve fay".split()


def record(path, value, rate=8000):
    with wave.open(path, "w") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(struct.pack("<h", value) * 20)


def run(*words):
    return subprocess.run([sys.executable, os.path.join(HERE, "digits.py"), *words], capture_output=True, text=True)


class Digits(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.recordings = os.path.join(self.tmp.name, "recordings")
        os.mkdir(self.recordings)
        for s, name in enumerate(SPEAKERS):
            for digit in range(10):
                for take in range(12):  # the value says which recording it is
                    record(os.path.join(self.recordings, "%d_%s_%d.wav" % (digit, name, take)), 1 + s * 1000 + digit * 100 + take)

    def values(self, path):
        """What has been joined: the recordings' values in their order, each once a recording."""
        with wave.open(path) as w:
            frames = struct.unpack("<%dh" % w.getnframes(), w.readframes(w.getnframes()))
        sounds = [f for f in frames if f]
        return sounds[::20]

    def test_splits_are_apart_and_texts_are_right(self):
        out = os.path.join(self.tmp.name, "out")
        done = run(self.recordings, out, "--train", "20", "--eval", "5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("left out: speaker fay", done.stderr)
        takes = {"train-clean": range(10, 12), "dev-clean": range(5, 10), "test-clean": range(5), "dev-other": range(12)}
        words = "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split()
        for split, allowed in takes.items():
            texts = {}
            for path in glob.glob(os.path.join(out, split, "*", "1", "*.trans.txt")):
                with open(path) as f: texts.update(line.rstrip("\n").split(" ", 1) for line in f)
            self.assertEqual(len(texts), 80 if split == "train-clean" else 20)
            for path in glob.glob(os.path.join(out, split, "*", "1", "*.wav")):
                values = [v - 1 for v in self.values(path)]
                self.assertTrue(3 <= len(values) <= 7)
                speaker = int(path.split(os.sep)[-3])
                self.assertEqual({v // 1000 + 1 for v in values}, {speaker})
                self.assertEqual(speaker == 5, split == "dev-other")
                self.assertTrue(all(v % 100 in allowed for v in values))
                self.assertEqual(texts[os.path.basename(path)[:-4]], " ".join(words[v % 1000 // 100] for v in values))

    def test_what_does_not_fit_is_said(self):
        out = os.path.join(self.tmp.name, "out")
        record(os.path.join(self.recordings, "readme_x.wav"), 1)
        record(os.path.join(self.recordings, "9_ann_11.wav"), 1, rate=16000)
        done = run(self.recordings, out)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("left out: readme_x.wav", done.stderr)
        self.assertIn("those before it had", done.stderr)
        done = run(self.recordings, self.tmp.name)
        self.assertIn("is there already", done.stderr)


if __name__ == "__main__":
    unittest.main()
