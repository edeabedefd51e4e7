"""Makes test/golden/ctc.json: loss and gradient of torch.nn.functional.ctc_loss in float64.

    /usr/bin/python3 test/golden/make_ctc.py > test/golden/ctc.json

Logits are not in the file: number i of a case is (x_i / 2^31 - 1/2) * spread + lift, where
x_i = (1103515245 x_(i-1) + 12345) mod 2^31, x_(-1) = seed, and lift is added to the blank alone.
The gradient is that of the sum of all utterances' losses.  Of each row [t] one number is kept:
its sum over classes k of gradient_k * (k + 1), and of rows that are a multiple of `every` all.
"""
import json

import torch

M = 1 << 31
CASES = [
    # name, seed, spread, lift, blank, T, V, frames, labels
    ("short", 1, 4, 0, 4, 12, 5, [12, 9, 5], [[0, 1, 2, 3], [2, 2, 2], [1, 1, 0]]),
    ("empty", 2, 6, 0, 0, 8, 3, [8, 5], [[], [1, 1, 2]]),
    ("tight", 3, 5, 0, 3, 9, 4, [9, 4], [[0, 0, 0, 1, 1, 2], [2, 1, 0, 2]]),
    ("digits", 4, 8, 0, 28, 70, 29, [70, 55, 31], [24, 17, 9]),
    ("long", 5, 10, 0, 28, 400, 29, [400, 322], [60, 47]),
    ("plateau", 6, 3, 12, 28, 400, 29, [400, 250], [60, 41]),  # nearly all blank
]


def sequence(seed, count):
    out, x = [], seed
    for _ in range(count):
        x = (1103515245 * x + 12345) % M
        out.append(x)
    return out


def labels_of(wanted, seed, blank):
    """Given, or so many letters; every fifth is like the one before it."""
    if isinstance(wanted, list):
        return wanted
    letters = [x // 65536 % blank for x in sequence(seed, wanted)]
    return [letters[i - 1] if i % 5 == 4 else letters[i] for i in range(wanted)]


def run(name, seed, spread, lift, blank, T, V, frames, wanted):
    B = len(frames)
    z = torch.tensor(sequence(seed, B * T * V), dtype=torch.float64) / M
    z = ((z - 0.5) * spread).reshape(B, T, V)
    z[:, :, blank] += lift
    z.requires_grad_(True)
    labels = [labels_of(w, seed + 100 + b, blank) for b, w in enumerate(wanted)]
    longest = max(len(row) for row in labels)
    padded = torch.tensor([row + [0] * (longest - len(row)) for row in labels])
    each = torch.nn.functional.ctc_loss(
        z.log_softmax(2).transpose(0, 1), padded, torch.tensor(frames),
        torch.tensor([len(row) for row in labels]), blank=blank, reduction="none")
    each.sum().backward()
    every = max(1, T // 8)
    weights = torch.arange(1, V + 1, dtype=torch.float64)
    digits = lambda numbers: [float(f"{x:.9g}") for x in numbers]
    return {"name": name, "seed": seed, "spread": spread, "lift": lift, "blank": blank,
            "length": T, "classes": V, "frames": frames, "labels": labels, "every": every,
            "loss": digits(each.tolist()), "moments": digits((z.grad @ weights).flatten().tolist()),
            "rows": digits(z.grad[:, ::every].flatten().tolist())}


print("[")
print(",\n".join(json.dumps(run(*case)) for case in CASES))
print("]")
