#!/usr/bin/env python3
"""Golden values of sharpness: the five Hessian eigenvalues of largest magnitude of small models of
every kind, with and without sigmaReparam, plain and preconditioned by Adam.  Products are exact
(double backward, float64), eigenvalues SciPy's ARPACK to machine precision.

    python3 test/golden/make_sharpness.py          writes test/golden/sharpness.json

Models, data and starting points are those of other golden cases.  The state of Adam is made up:
after 3 steps, v of element i of tensor NAME is 1e-6 (1 + (37 i + 11 len(NAME)) mod 101)^2.
Takes a minute; needs SciPy beside PyTorch and NumPy.
"""
import json
import os
import sys

sys.dont_write_bytecode = True

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

import make_speech
import make_text
import make_vit
from make_vit import MEAN, ROOT, STD
from speech_reference import BLANK, SpeechPass, ctc, logits_of, longest_of, rows_of
from text_reference import loss_sums
from vit_reference import (cross_entropy, fill_companions, forward, read_safetensors, read_split,
                           to_images)

COUNT, STEPS, BETA1, BETA2, EPS = 5, 3, 0.9, 0.999, 1e-8
# suite, case, examples: spread over the training data
CASES = [("vit", "pre-none", 20), ("vit", "none-sigma", 20), ("vit", "file-sigma-some", 16), ("vit", "label-smoothing", 12),
         ("text", "lm-pre", 10), ("text", "lm-none-sigma", 10), ("text", "lm-some-sigma", 6),
         ("text", "mt-none-sigma", 8), ("speech", "asr-pre", 5), ("speech", "asr-none-sigma", 5),
         ("speech", "asr-some-sigma", 4)]


def spread(sample, count):
    """One of each of `sample` equal stretches (data/spread.h)."""
    edges = [k * count // sample for k in range(sample + 1)]
    turns = [(k + 1) * 0.6180339887498949 % 1 for k in range(sample)]
    return [a + int(t * (b - a)) for a, b, t in zip(edges, edges[1:], turns)]


def vit(case, count):
    folder, model = os.path.join(ROOT, make_vit.FOLDER), case["model"]
    tensors = dict(read_safetensors(os.path.join(folder, "init", case["init"])))
    fill_companions(tensors, model)
    p = {name: torch.tensor(array, dtype=torch.float64) for name, array in tensors.items()}
    pixels, labels = read_split(os.path.join(folder, "data"), "train")
    items = spread(count, len(pixels))
    images = to_images(pixels[items], torch.float64, MEAN, STD)
    labels = torch.tensor(labels[items].astype(np.int64))
    return p, lambda: cross_entropy(forward(p, images, model), labels,
                                    case["train"]["label_smoothing"])


def text(case, count):
    task = make_text.open_case(case)
    p, _ = make_text.start(case, make_text.TEXTS, task, torch.float64)
    examples = [task.train[i] for i in spread(count, len(task.train))]

    def loss():
        total, _, targets = loss_sums(p, case["model"], examples, case["train"]["label_smoothing"])
        return total / targets

    return p, loss


def twice_differentiable_ctc(logits, utterance):
    """-ln P by the forward recursion; torch's op has no second derivative."""
    labels = [BLANK]
    for label in utterance.labels:
        labels += [label, BLANK]
    log_prob = torch.log_softmax(logits[:rows_of(utterance)], -1)[:, labels]
    never = torch.full((len(labels) + 2,), -1e9, dtype=logits.dtype)  # exp() of it is 0
    skips = torch.tensor([i > 1 and labels[i] != BLANK and labels[i] != labels[i - 2]
                          for i in range(len(labels))])
    alpha = torch.cat([log_prob[0, :2], never[:len(labels) - 2]])
    for row in log_prob[1:]:
        padded = torch.cat([never[:2], alpha])
        two_back = torch.where(skips, padded[:-2], never[:len(labels)])
        alpha = row + torch.logsumexp(torch.stack([alpha, padded[1:-1], two_back]), 0)
    return -torch.logsumexp(alpha[-2:], 0)


def speech(case, count):
    task = make_speech.open_case(case)
    p, _ = make_text.start(case, make_speech.SPEECH, task, torch.float64)
    examples = [task.train[i] for i in spread(count, len(task.train))]

    def loss():
        each = []
        for u in examples:  # each with the padding that it has alone, as in evaluation
            logits = logits_of(SpeechPass(p, case["model"], None), [u], longest_of([u]))
            each.append(twice_differentiable_ctc(logits[0], u))
            assert torch.allclose(each[-1], ctc(logits, [u])[0], rtol=1e-12)
        return sum(each) / count

    return p, loss


def second_moments(name, size):
    return 1e-6 * (1 + (37 * np.arange(size) + 11 * len(name)) % 101) ** 2.0


def spectrum(product, size):
    start = np.random.RandomState(1).normal(size=size)
    values = eigsh(LinearOperator((size, size), matvec=product, dtype=np.float64), k=COUNT,
                   which="LM", tol=0, v0=product(start), return_eigenvectors=False)
    return sorted(values.tolist(), key=lambda x: -abs(x))


def run(opened):
    p, loss_of = opened
    trained = [name for name in p if name.rsplit(".", 1)[-1] not in ("u", "v")]
    for name in p:
        p[name] = p[name].detach().requires_grad_(name in trained)
    weights = [p[name] for name in trained]
    loss = loss_of()
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    sizes = [w.numel() for w in weights]

    def product(x):
        parts = torch.split(torch.tensor(np.ravel(x)), sizes)
        along = sum((g * part.view_as(g)).sum() for g, part in zip(gradients, parts))
        rows = torch.autograd.grad(along, weights, retain_graph=True)
        return torch.cat([row.flatten() for row in rows]).numpy()

    v = np.concatenate([second_moments(name, n) for name, n in zip(trained, sizes)])
    corrected = np.sqrt(v / (1 - BETA2 ** STEPS))
    scale = ((1 - BETA1 ** STEPS) * (corrected + EPS)) ** -0.5
    size = sum(sizes)
    return dict(parameters=size, loss=loss.item(), raw=spectrum(product, size),
                preconditioned=spectrum(lambda x: scale * product(scale * np.ravel(x)), size))


def main():
    torch.set_num_threads(1)
    openers = dict(vit=(vit, make_vit), text=(text, make_text), speech=(speech, make_speech))
    golden = []
    for suite, name, count in CASES:
        open_one, module = openers[suite]
        case = module.make_cases()[name]
        row = dict(suite=suite, case=name, sample=count, **run(open_one(case, count)))
        golden.append(row)
        print(name, row["parameters"], row["loss"], row["raw"], row["preconditioned"])
    with open(os.path.join(ROOT, "test/golden/sharpness.json"), "w", encoding="ascii") as out:
        rows = ",\n".join(json.dumps(row) for row in golden)
        out.write("[\n" + rows + "\n]\n")


if __name__ == "__main__":
    main()
