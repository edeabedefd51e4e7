"""Makes test/golden/tok13a.json: lines and their tokens by the regular expressions of mteval-v13a.

    python3 test/golden/make_tok13a.py > test/golden/tok13a.json
"""
import json
import random
import re

RULES = [
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
]
ENTITIES = [("<skipped>", ""), ("-\n", ""), ("\n", " "), ("&quot;", '"'), ("&amp;", "&"),
            ("&lt;", "<"), ("&gt;", ">")]
PIECES = list("aZ09.,-'\"!?&;()/\\ \t\n") + ["é", "€", "\u00a0", "\u3000", "😀", "..", ",.", "1.", ".5",
                                            "3-4", "-\n", "don't", "&amp;", "&quot;", "&lt;",
                                            "<skipped>", "skipped>", "amp;"]
LINES = ["", " ", ".", ",.", "...", "1.", ".1", "1.5", "1,000.5", "a.b", "a.,b", "1-2", "1--2",
         "a-1-b", "U.S. dollars", "It's 5.5%, isn't it?", "&amp;lt;b&gt;", "<skip<skipped>ped>",
         "co-\noperate", "end-\n", "x\u00a0y", "5.é", "é.5", "\x00.\x00", "[{(~^`@:;<=>)}]"]


def tok13a(line):
    for what, by in ENTITIES:
        line = line.replace(what, by)
    line = f" {line} "
    for pattern, by in RULES:
        line = pattern.sub(by, line)
    return " ".join(line.split())


draw = random.Random(13)
LINES += ["".join(draw.choices(PIECES, k=draw.randint(1, 14))) for _ in range(275)]
LINES += [chr(code) * 2 + "1" + chr(code) + "2" for code in range(128)]
print("[")
print(",\n".join(json.dumps([line, tok13a(line)]) for line in LINES))
print("]")
