"""Makes test/golden/bpe.json: texts, and the codes and pieces that subword-nmt 0.3.8 makes of them.

    pip install subword-nmt==0.3.8
    python3 test/golden/make_bpe.py > test/golden/bpe.json

With a number it tries so many random texts against a program that learns and splits them instead:

    python3 test/golden/make_bpe.py 10000 ./learn        ./learn MERGES TEXT CODES prints the split lines
"""
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile

from subword_nmt import apply_bpe, learn_bpe

learn_bpe.tqdm = lambda items, **_: items

# What a letter can be: no-break and wide spaces, tabs, line separators, marks of BPE itself.
ALPHABETS = ["ab", "abc@", "ab</w>", "a</w>", "w>b\\.*", "aäßñ日\U0001F600", "ab\u200b\ufeff.",
             "abcdefghijklmnop\u00a0", "abcde\u3000\t\u2028\u0085", "abc\x0b\x0c\x1c\x1d", "ab\u00a0",
             "a\u00a0\u2003b"]
WRITTEN = [("10\u00a0km\u3000weit und 10\u00a0km\u3000nah\n" * 3, 50),
           ("  zwei  Blanks   am Anfang und  am Ende  \n\n \nzwei zwei\n" * 2, 40),
           ("tab\tund tab\tund\u2028Zeile\u2028Zeile \u0085x\u0085x\n" * 2, 40),
           ("un@@ happy un@@ happy @@ @@ a@@b @@\n" * 2, 40),
           ("a</w> a</w> b</w>c b</w>c </w> </w>a\n" * 2, 40),
           ("Ende\r\nEnde\r\nalt\rmac\ralt\rmac \r x\r\n", 40),
           ("aaaa aaa aaaaa aa bbbb abab baba\n" * 3, 40),
           ("once only\n", 5)]


def draw(seed):
    dice = random.Random(seed)
    letters = dice.choice(ALPHABETS)
    lines = []
    for _ in range(dice.randint(1, 12)):
        words = ["".join(dice.choice(letters) for _ in range(dice.randint(1, dice.choice([3, 8, 20]))))
                 for _ in range(dice.randint(0, 8))]
        lines.append(" " * dice.choice([0, 0, 1, 2]) + dice.choice([" ", "  "]).join(words))
    return "\n".join(lines) + "\n", dice.choice([1, 5, 30, 100])


def lines_of(text):
    """Lines as Python reads them: \\r ends one, too."""
    return io.StringIO(text, newline=None)


def make(text, merges):
    codes = io.StringIO(newline="\n")
    with contextlib.redirect_stderr(io.StringIO()):
        learn_bpe.learn_bpe(lines_of(text), codes, merges)
    if codes.getvalue().count("\n") < 2:
        return None  # its own reader refuses codes without a merge
    bpe = apply_bpe.BPE(io.StringIO(codes.getvalue(), newline="\n"))
    pieces = [" ".join(filter(None, (bpe.segment(part) for part in lines_of(line))))
              for line in text.split("\n")[:-1]]
    return {"text": text, "merges": merges, "codes": codes.getvalue(), "pieces": pieces}


def cases(seeds):
    for text, merges in [*WRITTEN, *map(draw, seeds)]:
        with contextlib.suppress(ValueError):  # max() of a text without a pair
            case = make(text, merges)
            if case:
                yield case


def compare(case, program, folder):
    text, codes = os.path.join(folder, "text"), os.path.join(folder, "codes")
    with open(text, "w", encoding="utf-8", newline="") as file:
        file.write(case["text"])
    run = subprocess.run([program, str(case["merges"]), text, codes], capture_output=True)
    with open(codes, encoding="utf-8", newline="") as file:
        return (file.read() == case["codes"],
                run.stdout.decode().split("\n")[:-1] == case["pieces"])


if len(sys.argv) == 3:
    count, wrong = 0, [0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(range(1000, 1000 + int(sys.argv[1]))):
            learned, split = compare(case, sys.argv[2], folder)
            count += 1
            wrong[0] += not learned
            wrong[1] += learned and not split
    print(f"{count} texts: {wrong[0]} with other codes, {wrong[1]} split otherwise")
else:
    print("[" + ",\n".join(json.dumps(case) for case in cases(range(40))) + "]")
