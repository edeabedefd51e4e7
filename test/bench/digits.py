#!/usr/bin/env python3
"""Strings of spoken digits in the layout of LibriSpeech, joined from the Free Spoken Digit Dataset.

    git clone https://github.com/Jakobovski/free-spoken-digit-dataset
    python3 test/bench/digits.py free-spoken-digit-dataset/recordings data/librispeech-digits

Recordings are named DIGIT_SPEAKER_TAKE.wav.  An utterance is three to seven of one speaker's, with pauses of up to a
tenth of a second.  Of the first four speakers, by name, takes 0 to 4 are for test-clean (as that set has it), 5 to 9 for
dev-clean, the others for train-clean; the fifth is in dev-other alone; a sixth is left out, which is said.  So no
recording is in two splits.  The same arguments give the same files.  The standard library is enough.
"""
import argparse
import os
import random
import sys
import wave

WORDS = "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split()
CLEAN, TEST, DEV = 4, range(0, 5), range(5, 10)


def recordings(folder):
    """{speaker: {(digit, take): path}}"""
    found = {}
    for name in sorted(os.listdir(folder)):
        parts = name[:-4].split("_")
        if not name.endswith(".wav") or len(parts) != 3 or not (parts[0].isdigit() and parts[2].isdigit()) or int(parts[0]) > 9:
            print("not a recording of a digit, left out: %s" % name, file=sys.stderr)
            continue
        found.setdefault(parts[1], {})[int(parts[0]), int(parts[2])] = os.path.join(folder, name)
    return found


def form_of(found):
    """Channels, bytes a number and rate, which all recordings have to share."""
    form = None
    for path in [path for mine in found.values() for path in mine.values()]:
        try:
            with wave.open(path) as w: mine = w.getparams()[:3]
        except (wave.Error, EOFError) as error: sys.exit("%s: no WAV file of whole numbers: %s" % (path, error))
        if form and mine != form: sys.exit("%s: channels, bytes and rate are %s, those before it had %s" % (path, mine, form))
        form = mine
    return form


def sound(path):
    with wave.open(path) as w: return w.readframes(w.getnframes())


def takes_of(split, take):
    if split == "dev-other": return True
    return {"test-clean": take in TEST, "dev-clean": take in DEV}.get(split, take not in TEST and take not in DEV)


def write_split(out, split, speakers, count, draw, form):
    """count utterances a speaker; speakers: [(number, {(digit, take): path})]"""
    channels, width, rate = form
    for number, mine in speakers:
        pool = [(digit, path) for (digit, take), path in sorted(mine.items()) if takes_of(split, take)]
        if not pool: sys.exit("speaker %d has no recordings for %s: remove %s and add some" % (number, split, out))
        folder = os.path.join(out, split, str(number), "1")
        os.makedirs(folder)
        with open(os.path.join(folder, "%d-1.trans.txt" % number), "w") as text:
            for i in range(count):
                chosen = [draw.choice(pool) for _ in range(draw.randint(3, 7))]
                pieces = [sound(path) for _, path in chosen]
                pauses = [bytes(int(draw.uniform(0, 0.1) * rate) * channels * width) for _ in pieces[1:]] + [b""]
                name = "%d-1-%04d" % (number, i)
                with wave.open(os.path.join(folder, name + ".wav"), "w") as w:
                    w.setnchannels(channels)
                    w.setsampwidth(width)
                    w.setframerate(rate)
                    w.writeframes(b"".join(p + q for p, q in zip(pieces, pauses)))
                text.write("%s %s\n" % (name, " ".join(WORDS[digit] for digit, _ in chosen)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", help="folder of DIGIT_SPEAKER_TAKE.wav")
    parser.add_argument("out", help="folder to make")
    parser.add_argument("--train", type=int, default=300, help="training utterances a speaker (default 300)")
    parser.add_argument("--eval", type=int, default=30, help="utterances a speaker in dev-clean and test-clean (default 30)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = recordings(args.recordings)
    names = sorted(found)
    if len(names) <= CLEAN: sys.exit("%s: %d speakers, needed are %d" % (args.recordings, len(names), CLEAN + 1))
    if os.path.exists(args.out) and os.listdir(args.out): sys.exit("%s: is there already" % args.out)
    for name in names[CLEAN + 1:]: print("left out: speaker %s" % name, file=sys.stderr)
    speakers = [(i + 1, found[name]) for i, name in enumerate(names)]
    draw, form = random.Random(args.seed), form_of(found)
    for split, count in (("train-clean", args.train), ("dev-clean", args.eval), ("test-clean", args.eval)):
        write_split(args.out, split, speakers[:CLEAN], count, draw, form)
    write_split(args.out, "dev-other", speakers[CLEAN:CLEAN + 1], args.eval * CLEAN, draw, form)


if __name__ == "__main__":
    main()
