"""The recogniser in PyTorch, as functions of a dict of named tensors: the blocks of
text_reference.py without biases, a convolution in front and CTC behind, and recordings.

    utterances = read_manifest("train.tsv")
    model = dict(MODEL, norm="none", reparam="sigma")
    loss = losses(p, model, utterances[:3], longest_of(utterances[:3])).mean()

A loss is -ln P of an utterance's labels, in nats.  Imported by make_speech.py.
"""
import os
import wave
from collections import namedtuple

import numpy as np
import torch
import torch.nn.functional as F

import text_reference
import vit_reference
from make_logmel import FILTERS, features
from text_reference import SELF, Pass, norm_layers, stacks

LETTERS = " 'abcdefghijklmnopqrstuvwxyz"  # labels 0 ... 27
BLANK = len(LETTERS)
LABELS = BLANK + 1
KERNEL, STRIDE, SECONDS = 7, 3, 0.03  # of the convolution; a row of its output

MODEL = dict(kind="transcribe", width=16, depth=2, heads=2, mlp_ratio=2, context=40, norm="pre",
             final_norm=True, reparam="none", reparam_scope="all", gamma_init="spectral",
             qkv="joint", activation="relu", temperature=1.0, position="cape", cape_shift=0,
             reparam_front=False,
             decoder_depth=0)


# ---------------------------------------------------------------------------------------------
# recordings

Utterance = namedtuple("Utterance", "features labels text")  # [T, FILTERS] in float64


def read_wav(path):
    """Samples within -1 ... 1, and their rate."""
    with wave.open(path, "rb") as file:
        assert file.getnchannels() == 1 and file.getsampwidth() == 2
        data = file.readframes(file.getnframes())
        return np.frombuffer(data, "<i2") / 32768.0, file.getframerate()


def encode(text):
    return [LETTERS.index(c) for c in " " + text + " "]


def read_manifest(path):
    """Lines path<TAB>duration<TAB>text, paths as seen from the manifest."""
    utterances = []
    with open(path, encoding="ascii") as file:
        for line in file:
            name, _, text = line.rstrip("\n").split("\t")
            x = features(*read_wav(os.path.join(os.path.dirname(path), name)))
            text = " ".join(text.lower().split())
            utterances.append(Utterance((x - x.mean()) / x.std(), encode(text), text))
            assert rows_of(utterances[-1]) >= len(text) + 2 + sum(
                a == b for a, b in zip(text, text[1:])), line
    return utterances


def rows_of(utterance):
    """Rows that the encoder makes of an utterance."""
    return len(utterance.features) // STRIDE


def longest_of(utterances):
    """In frames."""
    return max(len(u.features) for u in utterances)


# ---------------------------------------------------------------------------------------------
# parameters


def linear_layers(model):
    """Names of the layers that a reparametrisation may reach: the convolution by a key alone."""
    front = ["conv"] if model["reparam_front"] and model["reparam"] != "none" else []
    return front + text_reference.block_layers(model) + ["head"]


def reparametrised_layers(model):
    names = linear_layers(model)
    kept = vit_reference.reparametrised_layers(model, names)
    return [name for name in names if name in kept or name == "conv"]


def parameter_shapes(model):
    """Shapes of the plain parameters (no companions)."""
    d, hidden = model["width"], int(model["width"] * model["mlp_ratio"])
    shapes = {"input_norm.weight": (1,), "input_norm.bias": (1,),
              "conv.weight": (2 * d, FILTERS, KERNEL), "conv.bias": (2 * d,)}
    if model["position"] == "learned":
        shapes["pos_embed"] = (model["context"], d)
    for name in text_reference.block_layers(model):
        part = name.rsplit(".", 1)[-1]
        rows = hidden if part == "fc1" else {"qkv": 3, "qk": 2}.get(part, 1) * d
        shapes[name + ".weight"] = (rows, hidden if part == "fc2" else d)
        if part == "proj":
            shapes[name[:-len("proj")] + "shift"] = (1,)
    for name in norm_layers(model):
        shapes[name + ".weight"] = shapes[name + ".bias"] = (d,)
    return {**shapes, "head.weight": (LABELS, d), "head.bias": (LABELS,)}


def effective_weight(p, name, model):
    if name in reparametrised_layers(model):
        return vit_reference.reparametrise(p, name, model["reparam"])
    return p[name + ".weight"]


# ---------------------------------------------------------------------------------------------
# the model


def frames_before(length):
    """Zeros in front, so that there are ceil(length / STRIDE) rows and as many zeros behind, or one
    more."""
    rows = -(-length // STRIDE)
    return max((rows - 1) * STRIDE + KERNEL - length, 0) // 2


def cape(valid, width, dtype):
    """[T, D]: sines of the seconds from the middle of the `valid` rows; every row of the batch has
    its number, padding too."""
    length, count = valid
    second = SECONDS * torch.arange(length, dtype=torch.float64)
    second = second - second[:count].mean()
    channel = torch.arange(width)
    slow = 10000.0 ** (-2 * (channel // 2).double() / width)
    return (30 * second[:, None] * slow + (channel % 2) * torch.pi / 2).sin().to(dtype)


def masked_norm(x, count, p):
    """Of one utterance [T, FILTERS], its last T - count frames padding."""
    valid = x[:count]
    std = (valid - valid.mean()).pow(2).mean().sqrt()
    y = p["input_norm.weight"] * (valid - valid.mean()) / (std + 1e-7) + p["input_norm.bias"]
    return F.pad(y, (0, 0, 0, len(x) - count))


class SpeechPass(Pass):
    def __init__(self, p, model, seen=None):
        self.p, self.model, self.seen = p, model, seen
        self.weight = {name: effective_weight(p, name, model) for name in linear_layers(model)}

    def linear(self, x, site, parts):
        return torch.cat([x @ self.weight[site + "." + part].T for part in parts], -1)

    def self_attention(self, x, site, is_open, valid):
        shifted = x + self.p[site + ".shift"]
        q, k, v = self.linear(shifted, site, SELF[self.model["qkv"]]).chunk(3, -1)
        return self.attention(q, k, v, site, is_open, valid)

    def front(self, examples, longest):
        """[B, rows of the longest example, D].  longest: frames of the step's longest utterance, which
        places the kernel."""
        dtype = self.p["conv.weight"].dtype
        length = longest_of(examples)
        rows = -(-length // STRIDE)
        x = torch.stack([masked_norm(F.pad(torch.tensor(u.features, dtype=dtype),
                                           (0, 0, 0, length - len(u.features))),
                                     len(u.features), self.p) for u in examples])
        x = F.pad(x.transpose(1, 2), (frames_before(longest), KERNEL + STRIDE))
        w = self.weight.get("conv", self.p["conv.weight"]).view_as(self.p["conv.weight"])
        x = F.conv1d(x, w, self.p["conv.bias"], stride=STRIDE)[:, :, :rows]
        first, second = x.transpose(1, 2).chunk(2, -1)
        return first * second.sigmoid()

    def positions(self, examples, shape):
        """What is added to [B, T, D]; what padding gets is of no account."""
        _, length, width = shape
        if self.model["position"] == "learned":
            return self.p["pos_embed"][:length]
        dtype = self.p["conv.weight"].dtype
        if self.model["position"] == "none":
            return torch.zeros(length, width, dtype=dtype)
        return torch.stack([cape((length, rows_of(u)), width, dtype) for u in examples])


def logits_of(run, examples, longest):
    """[B, T, LABELS]."""
    x = run.front(examples, longest)
    x = x + run.positions(examples, x.shape)
    count = torch.tensor([rows_of(u) for u in examples])
    valid = torch.arange(x.shape[1])[None, :] < count[:, None]
    x = run.stack(stacks(run.model)[0], x, valid[:, None, :], valid)
    return x @ run.weight["head"].T + run.p["head.bias"]


# ---------------------------------------------------------------------------------------------
# losses


def ctc(logits, examples):
    """[B] of [B, T, LABELS]."""
    return F.ctc_loss(F.log_softmax(logits, -1).transpose(0, 1),
                      torch.tensor([label for u in examples for label in u.labels]),
                      torch.tensor([rows_of(u) for u in examples]),
                      torch.tensor([len(u.labels) for u in examples]),
                      blank=BLANK, reduction="none")


def losses(p, model, examples, longest, seen=None):
    """[B].  longest: of the whole step, micro-batches that are not here included."""
    return ctc(logits_of(SpeechPass(p, model, seen), examples, longest), examples)


# ---------------------------------------------------------------------------------------------
# transcripts


def read_path(labels):
    """Repeats become one, blanks go, several boundaries are one blank between words."""
    kept = [b for a, b in zip([None] + labels, labels) if b != a and b != BLANK]
    return " ".join("".join(LETTERS[label] for label in kept).split())


def edits(reference, hypothesis):
    """Levenshtein's distance of two sequences."""
    row = list(range(len(hypothesis) + 1))
    for i, unit in enumerate(reference):
        left, row = row, [i + 1]
        for j, other in enumerate(hypothesis):
            row.append(min(left[j] + (unit != other), left[j + 1] + 1, row[j] + 1))
    return row[-1]


def score(p, model, utterances):
    """Each utterance by itself: mean loss, errors a word and a character of greedy decoding;
    margin: between the best label of a row and the next."""
    loss, margin = 0.0, float("inf")
    words, characters = [0, 0], [0, 0]
    for u in utterances:
        logits = logits_of(SpeechPass(p, model), [u], longest_of([u]))
        loss += ctc(logits, [u]).item() / len(utterances)
        logits = logits[0, :rows_of(u)]
        top = logits.topk(2).values
        margin = min(margin, (top[:, 0] - top[:, 1]).min().item())
        text = read_path(logits.argmax(1).tolist())
        for sums, a, b in ((words, u.text.split(), text.split()), (characters, u.text, text)):
            sums[0] += edits(a, b)
            sums[1] += len(a)
    return dict(loss=loss, wer=words[0] / words[1], cer=characters[0] / characters[1],
                margin=margin)
