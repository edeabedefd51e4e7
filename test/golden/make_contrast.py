#!/usr/bin/env python3
"""Golden values of contrastive learning: the five set-ups of the paper's Section 4.2 in small,
ten steps each, in PyTorch, float64, with autograd.

    /usr/bin/python3 test/golden/make_contrast.py            remakes test/golden/contrast/
    /usr/bin/python3 test/golden/make_contrast.py --float32  how far float32 moves each case

It writes
    init/NAME.safetensors   where a set-up starts, F32
    cases/simclr-NAME.ini, golden.json     one recipe a set-up, whose views of a picture are both
                            the picture itself, and what its logs must say
    views.json              ten steps with two different views of each picture, for
                            test_contrast_golden.c, which makes the same views
Pictures are those of test/golden/vit/data.
"""
import math
import os
import sys

sys.dont_write_bytecode = True

import numpy as np
import torch
import torch.nn.functional as F

from make_vit import (BATCH, MEAN, OPTIM, ROOT, SCHEDULE, STD, STEPS, deviations, ini_text,
                      learning_rate, make_optimizer, spectral_norm, write_golden)
from vit_reference import (MODEL, effective_weight, fill_companions, forward, linear_layers,
                           parameter_shapes, power_iteration, read_safetensors, read_split,
                           reparametrise, reparametrised_layers, to_images, write_safetensors)

FOLDER = "test/golden/contrast"
DATA = "test/golden/vit/data"
CLASSES = 10
CONTRAST = dict(projector_depth=2, projector_out=6, probe_lr=0.1)
# Equal views are told from others so easily at 0.1 that float32 does not keep the loss's digits.
TEMPERATURE = {True: 0.1, False: 1.0}  # views differ?
TRAINED_APART = ("u", "v", "mean", "var")  # buffers, by the last part of their names


# ---------------------------------------------------------------------------------------------
# the model behind the encoder


def projector_layers():
    return ["projector.%d" % i for i in range(CONTRAST["projector_depth"])]


def projector_shapes(model):
    shapes, width = {}, model["width"]
    for i, name in enumerate(projector_layers()):
        last = i + 1 == CONTRAST["projector_depth"]
        out = CONTRAST["projector_out"] if last else width
        shapes[name + ".weight"] = (out, width)
        for part in ("weight", "mean", "var") if last else ("weight", "bias", "mean", "var"):
            shapes[name + ".norm." + part] = (out,)
    return shapes


def weight_of(p, name, model):
    if reparametrised_layers(model, [name]):
        return reparametrise(p, name, model["reparam"])
    return p[name + ".weight"]


def project(p, x, model, training):
    """torch's batch_norm moves the running statistics of p."""
    for i, name in enumerate(projector_layers()):
        x = F.batch_norm(x @ weight_of(p, name, model).T, p[name + ".norm.mean"],
                         p[name + ".norm.var"], p[name + ".norm.weight"],
                         p.get(name + ".norm.bias"), training, 0.1, 1e-5)
        if i + 1 < CONTRAST["projector_depth"]:
            x = F.relu(x)
    return x


def nt_xent(h, temperature):
    """Mean over all 2N views; the mean over columns of the deviation of normalised h."""
    z = F.normalize(h, dim=1)
    n = len(z)
    s = z @ z.T / temperature
    s = s.masked_fill(torch.eye(n, dtype=torch.bool), -math.inf)
    partner = (torch.arange(n) + n // 2) % n
    return F.cross_entropy(s, partner), z.detach().std(0, unbiased=False).mean().item()


@torch.no_grad()
def step_probe(probe, f, labels):
    """Gradient descent on the classifier of (f - m) / r, written in terms of f."""
    m, r2 = f.mean(0), max(f.var(0, unbiased=False).mean(), 0.01 * f.pow(2).mean())
    probe[1] += probe[0] @ (probe[2] - m)
    probe[2] = m
    g = (f @ probe[0].T + probe[1]).softmax(1) - F.one_hot(labels, CLASSES).to(f.dtype)
    dw = -CONTRAST["probe_lr"] * g.T @ (f - m) / len(f) / r2
    probe[1] += -CONTRAST["probe_lr"] * g.mean(0) - dw @ m
    probe[0] += dw


def sincos(width, side):
    """Rows first, as MoCo v3's: [sin a w, cos a w, sin b w, cos b w]; 0 for the class token."""
    omega = 10000.0 ** (-np.arange(width // 4) / (width // 4))
    rows = [np.zeros(width)]
    for a in range(side):
        for b in range(side):
            rows.append(np.concatenate([np.sin(a * omega), np.cos(a * omega),
                                        np.sin(b * omega), np.cos(b * omega)]))
    return np.array(rows)[None]


# ---------------------------------------------------------------------------------------------
# the set-ups


def uniform(rng, shape, fans):
    bound = math.sqrt(6 / fans)
    return rng.uniform(-bound, bound, shape)


def draw(rng, name, shape, std):
    """std None: MoCo v3's initial values; else what width 768 would make of N(0, std^2), so that
    attention is not uniform: spectral norms grow with the square root of the width."""
    if name == "cls_token":
        return rng.normal(0, 1e-6, shape)
    if name.endswith(".var") or (name.endswith("weight") and "norm" in name):
        return np.ones(shape)
    if len(shape) < 2:
        return np.zeros(shape)
    if std is not None:
        return rng.normal(0, std * math.sqrt(768 / MODEL["width"]), shape)
    if name.startswith("projector"):
        return rng.normal(0, 0.01, shape)
    if name.endswith("qkv.weight"):
        return np.concatenate([uniform(rng, (shape[1], shape[1]), 2 * shape[1])
                               for _ in range(3)])
    return uniform(rng, shape, shape[0] + math.prod(shape[1:]))


def make_cases():
    plain = dict(MODEL, headless=True)
    sigma = dict(plain, norm="none", reparam="sigma")
    pre = dict(sigma, norm="pre")
    setups = {"baseline": (plain, None, False), "frozen-patcher": (plain, None, True),
              "sigma": (sigma, 0.02, False), "sigma-pre": (pre, 0.02, False),
              "sigma-001": (sigma, 0.01, False)}
    # Batch norm hides gammas of the projector and what all features have in common: their true
    # gradient is 0, and with Adam's usual eps they make steps of rounding errors.
    optim = dict(OPTIM, lr=3e-3, weight_decay=0.1, eps=1e-3)
    given = dict(optim_weight_decay=0.1, optim_eps=1e-3, schedule_warmup_steps=4)
    return {name: dict(name=name, model=model, std=std, frozen=frozen, optim=optim,
                       schedule=dict(SCHEDULE, warmup_steps=4, name="cosine"),
                       given=dict(given, **(dict(model_freeze="patch_embed") if frozen else {})))
            for name, (model, std, frozen) in setups.items()}


def make_init(case, seed):
    rng = np.random.RandomState(seed)
    shapes = {**parameter_shapes(case["model"]), **projector_shapes(case["model"])}
    del shapes["pos_embed"]
    return {name: draw(rng, name, shape, case["std"]) for name, shape in shapes.items()}


def views_of(pixels, dtype, differ):
    """The picture, and the same turned round and moved by a row, or once more."""
    second = np.roll(pixels[:, :, ::-1], -1, axis=1) if differ else pixels
    both = np.concatenate([pixels, second])
    return to_images(np.ascontiguousarray(both), dtype, MEAN, STD)


def recipe_text(case):
    words = dict(
        task=dict(kind="contrastive"),
        data=dict(source="idx", path=DATA, mean=MEAN, std=STD, shuffle=False),
        model=dict(width=16, depth=2, heads=2, patch=4, position="sincos"),
        contrast=dict(CONTRAST, temperature=TEMPERATURE[False]),
        optim={}, schedule={},
        train=dict(batch=BATCH, steps=STEPS, seed=1, log_every=1, eval_every=STEPS,
                   init="%s/init/%s.safetensors" % (FOLDER, case["name"])),
        probe=dict(every=1))
    return ini_text(words, case)


# ---------------------------------------------------------------------------------------------
# one case


def open_case(case, dtype):
    tensors = dict(read_safetensors(os.path.join(ROOT, FOLDER, "init",
                                                 case["name"] + ".safetensors")))
    layers = linear_layers(case["model"]) + projector_layers()
    fill_companions(tensors, case["model"], reparametrised_layers(case["model"], layers))
    p = {name: torch.tensor(np.array(array), dtype=dtype) for name, array in tensors.items()}
    trained = [name for name in p if name.rsplit(".", 1)[-1] not in TRAINED_APART and
               not (case["frozen"] and name.startswith("patch_embed."))]
    for name in trained:
        p[name].requires_grad_()
    width = case["model"]["width"]
    p["pos_embed"] = torch.tensor(sincos(width, 3), dtype=dtype)
    return p, trained, reparametrised_layers(case["model"], layers)


def run_case(case, dtype=torch.float64, differ=True):
    model = case["model"]
    p, trained, reparametrised = open_case(case, dtype)
    optimizer = make_optimizer(p, trained, case["optim"])
    probe = [torch.zeros(shape, dtype=dtype)
             for shape in ((CLASSES, model["width"]), CLASSES, model["width"])]
    pixels, labels = read_split(os.path.join(ROOT, DATA), "train")
    labels = torch.tensor(labels.astype(np.int64))
    log = dict(loss=[], lr=[], grad_norm=[], std=[], entropy={}, max_logit={}, weights={})
    for n in range(1, STEPS + 1):
        power_iteration(p, model, reparametrised)
        optimizer.zero_grad(set_to_none=True)
        items, seen = slice((n - 1) * BATCH, n * BATCH), {}
        features = forward(p, views_of(pixels[items], dtype, differ), model, seen)
        step_probe(probe, features, labels[items].repeat(2))
        loss, std = nt_xent(project(p, features, model, True), TEMPERATURE[differ])
        loss.backward()
        norm = math.sqrt(sum(p[name].grad.double().pow(2).sum().item() for name in trained))
        lr = learning_rate(n, case["schedule"], case["optim"]["lr"], STEPS, len(pixels) // BATCH)
        for key, value in dict(loss=loss.item(), lr=lr, grad_norm=norm, std=std).items():
            log[key].append(value)
        for site, (entropy, largest) in seen.items():
            log["entropy"].setdefault(site, []).append(entropy.tolist())
            log["max_logit"].setdefault(site, []).append(largest)
        for name in linear_layers(model):
            row = log["weights"].setdefault(name, dict(sigma=[]))
            row["sigma"].append(spectral_norm(effective_weight(p, name, model)))
            if name + ".gamma" in p:
                row.setdefault("gamma", []).append(p[name + ".gamma"].item())
            if n == 1 and p[name + ".weight"].grad is not None:
                row["grad_inf"] = p[name + ".weight"].grad.abs().max().item()
        for group in optimizer.param_groups:
            group["lr"] = lr * group["scale"]
            group["weight_decay"] = case["optim"]["weight_decay"] if group["decayed"] else 0.0
        optimizer.step()
    log["max_logit"] = {site: values[:1] for site, values in log["max_logit"].items()}
    log["eval"] = (evaluate_views if differ else evaluate)(p, probe, model, dtype)
    if not differ:
        del log["std"]
    return log


@torch.no_grad()
def evaluate(p, probe, model, dtype):
    """As the program does: the loss by batches, all else by the pictures themselves."""
    pixels, labels = read_split(os.path.join(ROOT, DATA), "t10k")
    labels = torch.tensor(labels.astype(np.int64))
    losses = []
    for i in range(0, len(pixels), BATCH):
        features = forward(p, views_of(pixels[i:i + BATCH], dtype, False), model)
        losses.append(nt_xent(project(p, features, model, False), TEMPERATURE[False])[0].item())
    features = forward(p, to_images(pixels, dtype, MEAN, STD), model)
    right = (features @ probe[0].T + probe[1]).argmax(1) == labels
    return dict(loss=sum(losses) / len(losses), probe_top1=right.double().mean().item(),
                feature_std=F.normalize(features, dim=1).std(0, unbiased=False).mean().item())


@torch.no_grad()
def evaluate_views(p, probe, model, dtype):
    """32 pictures as one batch, by the running statistics; the probe sees first views."""
    pixels, labels = read_split(os.path.join(ROOT, DATA), "t10k")
    features = forward(p, views_of(pixels, dtype, True), model)
    loss, std = nt_xent(project(p, features, model, False), TEMPERATURE[True])
    logits = features[:len(pixels)] @ probe[0].T + probe[1]
    labels = torch.tensor(labels.astype(np.int64))
    return dict(loss=loss.item(), std=std, probe=F.cross_entropy(logits, labels).item())


def main():
    torch.set_num_threads(1)
    folder = os.path.join(ROOT, FOLDER)
    cases = make_cases()
    if "--float32" in sys.argv:
        for name, case in cases.items():
            for differ in (False, True):
                log = run_case(case, differ=differ)
                far = deviations(log, run_case(case, torch.float32, differ))
                print("%-16s%8.4f%8.4f" % (name, log["loss"][0], log["loss"][-1]) +
                      "".join("  %s %.1e" % item for item in far.items()))
        return
    for part in ("init", "cases"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    for i, (name, case) in enumerate(cases.items()):
        write_safetensors(os.path.join(folder, "init", name + ".safetensors"),
                          make_init(case, 40 + i))
        with open(os.path.join(folder, "cases", "simclr-%s.ini" % name), "w") as out:
            out.write(recipe_text(case))
    write_golden(os.path.join(folder, "golden.json"),
                 {"simclr-" + name: run_case(case, differ=False) for name, case in cases.items()})
    write_golden(os.path.join(folder, "views.json"),
                 {name: run_case(case) for name, case in cases.items()})
    print("%d cases in %s" % (len(cases), folder))


if __name__ == "__main__":
    main()
