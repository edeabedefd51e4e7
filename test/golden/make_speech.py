#!/usr/bin/env python3
"""Golden values of the recogniser: as make_text.py, whose way of running a case it uses, with the
model and the recordings of speech_reference.py.

    /usr/bin/python3 test/golden/make_speech.py            remakes everything in test/golden/speech/
    /usr/bin/python3 test/golden/make_speech.py --float32  how far float32 alone moves each case

It writes
    data/*                  short sounds (WAV), a tone a letter, and two manifests
    init/*.safetensors      where the cases start, F32: a file has the tensors of several cases
    cases/NAME.ini          one recipe a case (paths are relative to the repository's root)
    golden.json             what each case must log
"""
import os
import sys
import wave
import zlib
from collections import namedtuple

sys.dont_write_bytecode = True

import numpy as np
import torch

from make_text import Kind, remake
from make_vit import OPTIM, ROOT, SCHEDULE, STEPS, ini_text, shake_companions
from speech_reference import (BLANK, LETTERS, MODEL, effective_weight, linear_layers, longest_of, losses,
                              parameter_shapes, read_manifest, reparametrised_layers, rows_of,
                              score)
from vit_reference import fill_companions

FOLDER = "test/golden/speech"  # from the repository's root, as it stands in the recipes
BATCH = 3
TRAIN = dict(batch=BATCH, accumulate=1, recompute="none", ema=0.0)
Task = namedtuple("Task", "train test")


# ---------------------------------------------------------------------------------------------
# recordings

# name, rate, samples, text; the frames of neighbours leave all remainders when divided by 3
TRAINING = [("one", 8000, 4400, "a b"), ("two", 16000, 8100, "oo no"),
            ("three", 8000, 7210, "It's  all"), ("four", 8000, 3777, "ann"),
            ("five", 8000, 5600, "see zoo"), ("six", 16000, 6400, "x"),
            ("seven", 8000, 6011, "we'll"), ("eight", 8000, 4960, "no no"),
            ("two", 16000, 8100, "on off"), ("three", 8000, 7210, "hello joe"),
            ("four", 8000, 3777, "quip")]
TEST = [("nine", 8000, 5111, "moon"), ("ten", 16000, 7000, "it's a"),
        ("eleven", 8000, 6730, "bee is off"), ("one", 8000, 4400, "go")]


def sound(name, rate, count, text):
    """A tone of two partials for each letter, which fades in and out, and noise, less and less."""
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    t = np.arange(count) / rate
    place = t * len(text) * rate / count
    pitch = np.array([150 + 90 * LETTERS.index(c) for c in text.lower()])[place.astype(int)]
    loud = (pitch > 150) * (0.1 + np.sin(np.pi * (place % 1)))
    x = 0.25 * np.sin(2 * np.pi * pitch * t) + 0.1 * np.sin(2 * np.pi * 1.31 * pitch * t)
    return loud * x + rng.normal(0, 0.02, count) * np.exp(-3 * t)


def make_data():
    folder = os.path.join(ROOT, FOLDER, "data")
    for manifest, lines in (("train.tsv", TRAINING), ("test.tsv", TEST)):
        with open(os.path.join(folder, manifest), "w", encoding="ascii") as out:
            for name, rate, count, text in lines:
                out.write("%s.wav\t%.4f\t%s\n" % (name, count / rate, text))
                if os.path.exists(os.path.join(folder, name + ".wav")):
                    continue
                with wave.open(os.path.join(folder, name + ".wav"), "wb") as file:
                    file.setnchannels(1)
                    file.setsampwidth(2)
                    file.setframerate(rate)
                    x = np.rint(32767 * np.clip(sound(name, rate, count, text), -1, 1))
                    file.writeframes(x.astype("<i2").tobytes())


# ---------------------------------------------------------------------------------------------
# one case


def manifest(name):
    return "%s/data/%s.tsv" % (FOLDER, name)


def open_case(_):
    task = Task(*(read_manifest(os.path.join(ROOT, manifest(name))) for name in ("train", "test")))
    assert {len(u.features) % 3 for u in task.train} == {0, 1, 2}
    assert max(map(rows_of, task.train + task.test)) < MODEL["context"]
    return task


def backward(p, case, examples, seen):
    """The mean loss of a batch, in equal micro-batches."""
    loss, longest = 0.0, longest_of(examples)
    size = len(examples) // case["train"]["accumulate"]
    for first in range(0, len(examples), size):
        each = losses(p, case["model"], examples[first:first + size], longest, seen)
        (each.sum() / len(examples)).backward()
        loss += each.sum().item() / len(examples)
    return loss


@torch.no_grad()
def evaluate(p, case, task):
    return score(p, case["model"], task.test)


# ---------------------------------------------------------------------------------------------
# cases and starting points


def make_init(case):
    """One file for all that start plainly: what a model does not have it leaves there."""
    tensors = {}
    for qkv in ("joint", "qk-v", "separate"):
        model = dict(MODEL, qkv=qkv, position="learned")
        for name, shape in parameter_shapes(model).items():
            rng = np.random.RandomState(zlib.crc32(name.encode()))
            layer = name.rsplit(".", 2)[-2:]
            gain = layer[-1] == "weight" and "norm" in layer[0]
            spread = 0.3 if layer[0] in ("qkv", "qk", "q", "k") else 0.2
            spread = 0.06 if name == "conv.weight" else spread
            tensors[name] = rng.normal(1.0 if gain else 0.0, spread, shape)
    tensors["head.bias"][BLANK] = -3  # else all transcripts are empty after ten steps
    if case["some"]:  # gamma without u and v, then u alone, then nothing, ...
        model = case["model"]
        tensors = {name: tensors[name] for name in parameter_shapes(model)}
        fill_companions(tensors, model, reparametrised_layers(model))
        shake_companions(tensors, reparametrised_layers(model), 6,
                         lambda i, part: i % 3 < 2 and part == ("gamma", "u")[i % 3])
    return tensors


def make_cases():
    """{name: case}: sections with all keys filled, and what is given in the recipe."""
    cases = {}

    def add(name, some=False, **changes):
        """changes: section_key=value."""
        if changes.get("model_norm") == "none" and changes["optim_name"] == "adagrad":
            changes["optim_lr"] = 0.002  # what no norm holds is soon too wild for float
        case = dict(model=dict(MODEL), optim=dict(OPTIM), schedule=dict(SCHEDULE),
                    train=dict(TRAIN), given=changes, some=some,
                    init="some.safetensors" if some else "plain.safetensors")
        for word, value in changes.items():
            section, key = word.split("_", 1)
            assert key in case[section], word
            case[section][key] = value
        assert "asr-" + name not in cases
        cases["asr-" + name] = case

    sigma = dict(model_norm="none", model_reparam="sigma")
    post = dict(model_norm="post")
    adagrad = dict(optim_name="adagrad", optim_lr=0.004, optim_clip=1.0, schedule_warmup_steps=4)
    lars = dict(optim_name="lars", optim_lr=0.2, optim_trust=0.02, optim_adapt_1d=True)
    adamw = dict(optim_name="adamw", optim_lr=3e-3, optim_weight_decay=0.3)
    sgd = dict(optim_name="sgd", optim_lr=2e-3, optim_momentum=0.9, optim_clip=20.0)

    for norm in ("pre", "post", "none", "deepnorm"):
        add(norm, model_norm=norm, **adagrad)
        add(norm + "-sigma", model_norm=norm, model_reparam="sigma",
            model_gamma_init=1 if norm in ("post", "deepnorm") else "spectral", **adagrad)
    add("pre-spectral", model_reparam="spectral", **sgd)
    add("post-spectral", model_reparam="spectral", **post, **adagrad)
    add("none-spectral", model_norm="none", model_reparam="spectral", **adagrad)
    add("pre-weight", model_reparam="weight", **adamw)
    add("post-weight", model_reparam="weight", **post, **lars)
    add("none-weight", model_norm="none", model_reparam="weight", **adagrad)
    add("lars-pre", **lars)
    add("lars-post", **post, **lars)
    add("lars-sigma", **sigma, **lars)
    add("lars-matrices", **sigma, **dict(lars, optim_adapt_1d=False, optim_lr=0.02))
    add("adamw", **adamw)
    add("sgd", **sgd)
    add("qk-v", model_qkv="qk-v", **post, **adagrad)
    add("qk-v-sigma", model_qkv="qk-v", **sigma, **adagrad)
    add("separate", model_qkv="separate", **adagrad)
    add("separate-sigma", model_qkv="separate", **sigma, **adamw)
    add("position-none", model_position="none", **adagrad)
    add("position-learned", model_position="learned", **sigma, **adamw)
    add("scope-blocks", model_reparam_scope="blocks", **sigma, **lars)
    add("front-lr-scale", optim_front_lr_scale=0.1, **sigma, **adagrad)
    add("reparam-front", model_reparam_front=True, model_reparam_scope="attention", **sigma,
        **adagrad)
    add("reparam-front-weight", model_norm="none", model_reparam="weight",
        model_reparam_front=True, optim_front_lr_scale=0.5, **adamw)
    add("scope-attention", model_reparam_scope="attention", **sigma, **adagrad)
    add("some-sigma", some=True, **sigma, **adagrad)
    add("gamma-one", model_gamma_init=1, **sigma, **adamw)
    add("final-norm-off", model_final_norm=False, model_temperature=0.7, **adamw)
    add("gelu", model_activation="gelu", **post, **adagrad)
    add("batch-2", train_batch=2, **sigma, **adagrad)
    add("accumulate-2", train_batch=4, train_accumulate=2, **post, **adagrad)
    add("accumulate-3", train_accumulate=3, **sigma, **adagrad)
    add("recompute", train_recompute="block", **adagrad)
    add("recompute-sigma", train_recompute="block", train_batch=4, train_accumulate=2, **sigma,
        **lars)
    add("ema-sigma", train_ema=0.8, **sigma, **adamw)
    return cases


def recipe_text(case):
    """The case as a recipe; only what differs from the neutral defaults, and what fixes the
    run."""
    model = case["model"]
    words = {"task": dict(kind="transcribe"),
             "data": dict(source="manifest", path=manifest("train"), test_path=manifest("test"),
                          shuffle=False),
             "model": {key: model[key] for key in ("width", "depth", "heads", "mlp_ratio", "context",
                                                   "activation", "position", "cape_shift")},
             "optim": {}, "schedule": {},
             "train": dict(steps=STEPS, batch=case["train"]["batch"], threads=1, log_every=1,
                           init="%s/init/%s" % (FOLDER, case["init"])),
             "probe": dict(every=1, entropy=True, spectral=True, gradients=True)}
    return ini_text(words, case)


SPEECH = Kind(folder=FOLDER, open=open_case, shapes=lambda model, task: parameter_shapes(model),
              layers=linear_layers, reparametrised=reparametrised_layers,
              effective=effective_weight, backward=backward, evaluate=evaluate, init=make_init,
              recipe=recipe_text, key_bias=False)

if __name__ == "__main__":
    remake(make_cases(), SPEECH, make_data)
