#!/usr/bin/env python3
"""Golden values of the ViT classifier: the same models, losses, optimizers and schedules as
`steady`, written a second time in PyTorch (vit_reference.py), float64, with autograd instead of
hand-written gradients.

    /usr/bin/python3 test/golden/make_vit.py            remakes everything in test/golden/vit/
    /usr/bin/python3 test/golden/make_vit.py --float32  how far float32 alone moves each case

It writes
    data/*-ubyte            96 + 32 grey 12x12 pictures of 10 classes, as raw IDX files
    init/*.safetensors      where the cases start, F32
    cases/NAME.ini          one recipe a case (paths are relative to the repository's root)
    golden.json             what each case must log
    timm.safetensors, timm.ini, logits.json     a plain ViT, and its logits for 8 pictures

Formulas that have more than one reading are written out in README.md beside this file.
"""
import json
import math
import os
import sys

sys.dont_write_bytecode = True

import numpy as np
import torch

from vit_reference import (MODEL, cross_entropy, effective_weight, fill_companions, forward,
                           linear_layers, parameter_shapes, power_iteration, read_safetensors,
                           read_split, reparametrised_layers, to_images, write_idx,
                           write_safetensors)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = "test/golden/vit"  # from the repository's root, as it stands in the recipes
CLASSES = 10
BATCH = 8
STEPS = 10
MEAN, STD = 0.5, 0.25


# ---------------------------------------------------------------------------------------------
# schedules and optimizers

OPTIM = dict(name="adamw", lr=3e-3, beta1=0.9, beta2=0.999, eps=-1, weight_decay=0.0,
             momentum=-1, nesterov=False, trust=0.001, adapt_1d=False, clip=0.0,
             gamma_lr_scale=1.0, front_lr_scale=1.0, layer_decay=1.0,
             decay="auto", decay_scope="matrices", weight_decay_end=None)
SCHEDULE = dict(name="constant", warmup_steps=0, warmup_epochs=0, warmup_init=0.0, step_at=(),
                step_factor=0.1, min_lr=0.0)


def learning_rate(n, schedule, lr, total, steps_per_epoch):
    """Rate of step n = 1 ... total."""
    w, low = schedule["warmup_steps"], schedule["min_lr"]
    if w == 0:
        w = round(schedule["warmup_epochs"] * steps_per_epoch)
    if n <= w:
        return schedule["warmup_init"] + (lr - schedule["warmup_init"]) * n / w
    if schedule["name"] == "cosine":
        return low + (lr - low) * 0.5 * (1 + math.cos(math.pi * (n - w) / (total - w)))
    if schedule["name"] == "linear":
        return low + (lr - low) * (1 - (n - w) / (total - w))
    if schedule["name"] == "inverse-sqrt":
        return lr * math.sqrt(w / n)
    if schedule["name"] == "step":
        return lr * schedule["step_factor"] ** sum(n >= at for at in schedule["step_at"])
    return lr


def weight_decay(n, optim, total):
    """Decay of step n = 1 ... total: constant, or half a cosine to weight_decay_end."""
    start, end = optim["weight_decay"], optim["weight_decay_end"]
    if end is None:
        return start
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * n / total))


def is_matrix(name, tensor):
    return tensor.ndim >= 2 and name.rsplit(".", 1)[-1] not in ("cls_token", "pos_embed")


def is_gain(name):
    return name.endswith(".gamma") or name.endswith(".g")


class Nag(torch.optim.Optimizer):
    """fairseq's Nesterov, the learning rate inside the momentum, decay apart from the gradient."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, m = group["lr"], group["momentum"]
            for p in group["params"]:
                state = self.state[p]
                change = lr / state.get("lr", lr)
                p *= 1 - lr * group["weight_decay"]
                state["v"] = m * change * state.get("v", torch.zeros_like(p)) - lr * p.grad
                state["lr"] = lr
                p += m * state["v"] - lr * p.grad


class Lars(torch.optim.Optimizer):
    """You et al. 2017 as MoCo v3 has it: decay, trust ratio, momentum, then the rate."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad + group["weight_decay"] * p
                if group["adapt"]:
                    pn, gn = p.norm(), g.norm()
                    g = g * (group["trust"] * pn / gn if pn > 0 and gn > 0 else 1.0)
                state = self.state[p]
                state["m"] = group["momentum"] * state.get("m", 0.0) + g
                p -= group["lr"] * state["m"]


class Lamb(torch.optim.Optimizer):
    """You et al. 2020: Adam's update plus decay, times |w| / |update|; no clipping."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                n = state["n"] = state.get("n", 0) + 1
                state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * p.grad
                state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * p.grad ** 2
                update = state["m"] / (1 - b1 ** n) / (
                    (state["v"] / (1 - b2 ** n)).sqrt() + group["eps"])
                update = update + group["weight_decay"] * p
                ratio = 1.0
                if group["adapt"]:
                    pn, un = p.norm(), update.norm()
                    ratio = pn / un if pn > 0 and un > 0 else 1.0
                p -= group["lr"] * ratio * update


def is_front(name):
    """Of what the first block reads."""
    return (name in ("cls_token", "pos_embed") or
            name.startswith(("patch_embed.", "conv.", "input_norm.")))


def layer_of(name, depth):
    """BEiT's rule: what the blocks read is layer 0, block i layer i + 1, what follows them is
    behind the last."""
    if is_front(name):
        return 0
    return int(name.split(".")[1]) + 1 if name.startswith("blocks.") else depth + 1


def lr_scale(name, optim, depth=0):
    scale = ((optim["gamma_lr_scale"] if is_gain(name) else 1.0) *
             (optim["front_lr_scale"] if is_front(name) else 1.0))
    decay = optim.get("layer_decay", 1.0)
    return scale if decay == 1 else scale * decay ** (depth + 1 - layer_of(name, depth))


def is_frozen(name, model):
    return any(name == word or name.startswith(word + ".") for word in model["freeze"])


def make_optimizer(p, trained, optim, depth=0):
    """One group a tensor: decay and trust ratio on weight matrices (adapt_1d: on everything;
    decay_scope = all: decay on everything), a rate of its own for gamma and g."""
    name = optim["name"]
    adapt_all = optim["adapt_1d"] and name in ("lars", "lamb")
    decay_all = optim["decay_scope"] == "all"
    groups = []
    for key in trained:
        adapt = adapt_all or is_matrix(key, p[key])
        groups.append(dict(params=[p[key]], adapt=adapt,
                           decayed=adapt or decay_all, weight_decay=0.0,
                           scale=lr_scale(key, optim, depth)))
    betas = (optim["beta1"], optim["beta2"])
    eps = optim["eps"] if optim["eps"] >= 0 else (1e-6 if name == "lamb" else 1e-8)
    momentum = optim["momentum"] if optim["momentum"] >= 0 else (0.9 if name == "lars" else 0.0)
    decoupled = optim["decay"] == "decoupled" or (optim["decay"] == "auto" and name == "adamw")
    if name == "sgd" and decoupled:
        assert optim["nesterov"]
        return Nag(groups, dict(lr=0.1, momentum=momentum))
    if name == "sgd":
        return torch.optim.SGD(groups, lr=0.1, momentum=momentum, nesterov=optim["nesterov"])
    if name in ("adam", "adamw"):
        kind = torch.optim.AdamW if decoupled else torch.optim.Adam
        return kind(groups, lr=0.1, betas=betas, eps=eps)
    if name == "adagrad":
        return torch.optim.Adagrad(groups, lr=0.1, eps=eps)
    if name == "lars":
        return Lars(groups, dict(lr=0.1, momentum=momentum, trust=optim["trust"]))
    return Lamb(groups, dict(lr=0.1, betas=betas, eps=eps))


# ---------------------------------------------------------------------------------------------
# one case


def spectral_norm(w):
    return torch.linalg.svdvals(w.detach().double())[0].item()


@torch.no_grad()
def evaluate(p, model, pixels, labels, dtype, smoothing):
    """The objective, smoothing included, and share of right answers, with the stored u and v."""
    logits = forward(p, to_images(pixels, dtype, MEAN, STD), model)
    top = logits.topk(2).values
    return dict(loss=cross_entropy(logits, labels, smoothing).item(),
                top1=(logits.argmax(1) == labels).double().mean().item(),
                margin=(top[:, 0] - top[:, 1]).min().item())


def run_case(case, dtype=torch.float64):
    model, optim, train = case["model"], case["optim"], case["train"]
    folder = os.path.join(ROOT, FOLDER)
    tensors = dict(read_safetensors(os.path.join(folder, "init", case["init"])))
    assert set(parameter_shapes(model)) <= set(tensors)
    fill_companions(tensors, model)
    p = {name: torch.tensor(array, dtype=dtype) for name, array in tensors.items()}
    trained = [name for name in p if name.rsplit(".", 1)[-1] not in ("u", "v")
               and not is_frozen(name, model)]
    # a frozen layer's u and v stay
    moving = [name for name in reparametrised_layers(model)
              if not is_frozen(name + ".weight", model)]
    for name in trained:
        p[name].requires_grad_()
    optimizer = make_optimizer(p, trained, optim, model["depth"])
    average = {name: p[name].detach().clone() for name in trained}

    pixels, labels = read_split(os.path.join(folder, "data"), "train")
    labels = torch.tensor(labels.astype(np.int64))
    log = dict(loss=[], lr=[], grad_norm=[], entropy={}, max_logit={}, weights={})
    for n in range(1, STEPS + 1):
        power_iteration(p, model, moving)
        optimizer.zero_grad(set_to_none=True)
        loss, parts = 0.0, train["accumulate"]
        sites = []
        for part in range(parts):
            size = BATCH // parts
            items = slice((n - 1) * BATCH + part * size, (n - 1) * BATCH + (part + 1) * size)
            seen = {}
            logits = forward(p, to_images(pixels[items], dtype, MEAN, STD), model, seen)
            share = cross_entropy(logits, labels[items], train["label_smoothing"]) / parts
            share.backward()
            loss += share.item()
            sites.append(seen)

        norm = math.sqrt(sum(p[name].grad.double().pow(2).sum().item() for name in trained))
        lr = learning_rate(n, case["schedule"], optim["lr"], STEPS, len(pixels) // BATCH)
        log["loss"].append(loss)
        log["lr"].append(lr)
        log["grad_norm"].append(norm)
        for site in sites[0]:
            entropy = sum(seen[site][0] for seen in sites) / parts
            log["entropy"].setdefault(site, []).append(entropy.tolist())
            log["max_logit"].setdefault(site, []).append(max(seen[site][1] for seen in sites))
        for name in linear_layers(model):
            row = log["weights"].setdefault(name, dict(sigma=[]))
            row["sigma"].append(spectral_norm(effective_weight(p, name, model)))
            if name + ".gamma" in p:
                row.setdefault("gamma", []).append(p[name + ".gamma"].item())
            if n == 1 and name + ".weight" in trained:
                row["grad_inf"] = p[name + ".weight"].grad.abs().max().item()

        if optim["clip"] > 0 and norm > optim["clip"]:
            for name in trained:
                p[name].grad *= optim["clip"] / norm
        for group in optimizer.param_groups:
            group["lr"] = lr * group["scale"]
            group["weight_decay"] = weight_decay(n, optim, STEPS) if group["decayed"] else 0.0
        optimizer.step()
        for name in trained:
            average[name] = train["ema"] * average[name] + (1 - train["ema"]) * p[name].detach()

    if optim["name"] not in ("sgd", "lars"):
        # The bias of the keys moves all logits of a query alike: its true gradient is 0, and an
        # update that divides by its own size makes steps of rounding errors.
        log["max_logit"] = {site: values[:1] for site, values in log["max_logit"].items()}

    pixels, labels = read_split(os.path.join(folder, "data"), "t10k")
    labels = torch.tensor(labels.astype(np.int64))
    log["eval"] = evaluate(p, model, pixels, labels, dtype, train["label_smoothing"])
    if train["ema"] > 0:
        p = {**p, **average}
        power_iteration(p, model, moving)
        log["eval_ema"] = evaluate(p, model, pixels, labels, dtype, train["label_smoothing"])
    return log


# ---------------------------------------------------------------------------------------------
# data, starting points, cases


def make_data(folder):
    """Each class is a grating of its own direction and wavelength, moved, scaled, with noise."""
    rng = np.random.RandomState(12)
    y, x = np.mgrid[0:12, 0:12]
    for split, count in (("train", 96), ("t10k", 32)):
        labels = rng.permutation(np.arange(count) % CLASSES)
        images = np.zeros((count, 12, 12))
        for i, label in enumerate(labels):
            angle, waves = math.pi * label / CLASSES, 0.09 + 0.04 * (label % 3)
            phase = 2 * math.pi * waves * (x * math.cos(angle) + y * math.sin(angle))
            images[i] = 128 + rng.uniform(60, 110) * np.cos(phase + rng.uniform(-0.7, 0.7))
            images[i] += rng.normal(0, 18, (12, 12))
        write_idx(os.path.join(folder, split + "-images-idx3-ubyte"),
                  np.clip(np.rint(images), 0, 255))
        write_idx(os.path.join(folder, split + "-labels-idx1-ubyte"), labels)


def shake_companions(tensors, names, seed, keep):
    """gamma and g off by up to 40 %, unit vectors far from converged; what keep(i, part) does
    not want of layer i is left out."""
    rng = np.random.RandomState(seed)
    for i, name in enumerate(names):
        for part in ("gamma", "g", "u", "v"):
            key = name + "." + part
            if key not in tensors:
                continue
            if part in ("gamma", "g"):
                tensors[key] = tensors[key] * rng.uniform(0.6, 1.4, tensors[key].shape)
            else:
                off = tensors[key] + rng.normal(0, 1.2 / math.sqrt(tensors[key].size),
                                                tensors[key].shape)
                tensors[key] = off / np.linalg.norm(off)
            if not keep(i, part):
                del tensors[key]
    return tensors


def make_inits(folder):
    """Starting points.  A tensor is the same in every file of a kind of norm and grouping, so
    that cases differ in what they are about."""

    def plain(seed, model):
        rng, tensors = np.random.RandomState(seed), {}
        for name, shape in parameter_shapes(model).items():
            if name == "head.bias":
                tensors[name] = np.zeros(shape)  # a trust ratio meets a norm of 0
            elif name.endswith("weight") and "norm" in name:
                tensors[name] = rng.normal(1, 0.2, shape)
            elif name.endswith("weight"):
                tensors[name] = rng.normal(0, 0.35 if ".attn.q" in name else 0.2, shape)
            else:
                tensors[name] = rng.normal(0, 0.5 if name == "cls_token" else 0.2, shape)
        return tensors

    def companions(tensors, model, seed, keep):
        fill_companions(tensors, model)
        return shake_companions(tensors, reparametrised_layers(model), seed, keep)

    def save(name, tensors):
        write_safetensors(os.path.join(folder, "init", name + ".safetensors"), tensors)

    none = dict(MODEL, norm="none")
    save("pre", plain(1, MODEL))
    # what LayerNorm meets first is so small that its eps counts
    small = ("patch_embed.proj.weight", "patch_embed.proj.bias", "cls_token", "pos_embed")
    save("pre-small", {name: value * (0.01 if name in small else 1.0)
                       for name, value in plain(1, MODEL).items()})
    save("post", plain(2, dict(MODEL, norm="post")))
    save("none", plain(3, none))
    save("none-qk-v", plain(4, dict(none, qkv="qk-v")))
    save("none-separate", plain(5, dict(none, qkv="separate")))
    for name, reparam, keep in (("sigma-all", "sigma", lambda i, part: True),
                                # gamma without u and v, then u alone, then nothing, ...
                                ("sigma-some", "sigma", lambda i, part: i % 3 < 2 and
                                 part == ("gamma", "u")[i % 3]),
                                ("spectral-u", "spectral", lambda i, part: True),
                                ("weight-g", "weight", lambda i, part: True)):
        model = dict(none, reparam=reparam)
        save("none-" + name, companions(plain(3, none), model, 6, keep))


def make_cases():
    """{name: case}: case.model, optim, schedule, train and the starting file, all keys filled."""
    cases = {}

    def add(name, init=None, **changes):
        """changes: section_key=value."""
        case = dict(model=dict(MODEL), optim=dict(OPTIM), schedule=dict(SCHEDULE),
                    train=dict(label_smoothing=0.0, accumulate=1, ema=0.0), given={})
        for word, value in changes.items():
            section, key = word.split("_", 1)
            assert key in case[section], word
            case[section][key] = value
        norm = case["model"]["norm"]
        if init is None:
            init = {"deepnorm": "post"}.get(norm, norm)
            init = "post" if norm == "pre" and not case["model"]["final_norm"] else init
        case["init"] = init + ".safetensors"
        case["given"] = changes
        assert name not in cases
        cases[name] = case

    pre = dict(model_norm="pre")
    sigma = dict(model_norm="none", model_reparam="sigma")
    adamw = dict(optim_name="adamw", optim_lr=3e-3, optim_weight_decay=0.3)

    for norm in ("pre", "post", "none"):
        for reparam in ("none", "sigma", "spectral", "weight"):
            add("%s-%s" % (norm, reparam), model_norm=norm, model_reparam=reparam, **adamw)
    add("deepnorm-none", model_norm="deepnorm", **adamw)
    add("deepnorm-sigma", model_norm="deepnorm", model_reparam="sigma", **adamw)

    for short, base in (("pre", pre), ("sigma", sigma)):
        add("sgd-" + short, optim_name="sgd", optim_lr=0.05, **base)
        add("sgd-momentum-" + short, optim_name="sgd", optim_lr=0.02, optim_momentum=0.9,
            optim_weight_decay=0.05, **base)
        add("sgd-nesterov-" + short, optim_name="sgd", optim_lr=0.02, optim_momentum=0.9,
            optim_nesterov=True, **base)
        add("adam-" + short, optim_name="adam", optim_lr=3e-3, optim_beta1=0.8, optim_beta2=0.95,
            optim_eps=1e-3, optim_weight_decay=0.1, **base)
        add("lars-" + short, optim_name="lars", optim_lr=0.05, optim_trust=0.1,
            optim_weight_decay=0.05, schedule_warmup_steps=4, **base)
        add("lars-1d-" + short, optim_name="lars", optim_lr=0.1, optim_trust=0.05,
            optim_momentum=0.8, optim_adapt_1d=True, optim_weight_decay=0.05, **base)
        add("lamb-" + short, optim_name="lamb", optim_lr=0.01, optim_weight_decay=0.1, **base)
        add("lamb-1d-" + short, optim_name="lamb", optim_lr=0.01, optim_adapt_1d=True,
            optim_weight_decay=0.1, **base)
        add("adagrad-" + short, optim_name="adagrad", optim_lr=0.005, optim_weight_decay=0.02,
            **base)

    decoupled = dict(optim_name="sgd", optim_lr=0.02, optim_momentum=0.9, optim_nesterov=True,
                     optim_decay="decoupled", optim_weight_decay=0.5)
    add("decay-nag-pre", **decoupled, **pre)
    add("decay-nag-all-sigma", optim_decay_scope="all", schedule_name="cosine",
        schedule_warmup_steps=3, **decoupled, **sigma)
    add("decay-all-weight", optim_decay_scope="all", optim_gamma_lr_scale=2.0,
        model_norm="none", model_reparam="weight", **adamw)
    add("decay-adam-decoupled", optim_name="adam", optim_lr=3e-3, optim_decay="decoupled",
        optim_weight_decay=0.3, **pre)
    add("decay-adamw-coupled", optim_name="adamw", optim_lr=3e-3, optim_decay="coupled",
        optim_weight_decay=0.1, **pre)
    add("decay-end-adamw", optim_lr=3e-3, optim_weight_decay=0.0, optim_weight_decay_end=2.0,
        **pre)
    add("decay-end-lamb", optim_name="lamb", optim_lr=0.01, optim_weight_decay=0.5,
        optim_weight_decay_end=0.0, **sigma)
    add("decay-end-lars-all", optim_name="lars", optim_lr=0.05, optim_trust=0.1,
        optim_weight_decay=0.3, optim_weight_decay_end=0.02, optim_decay_scope="all",
        schedule_warmup_steps=4, **sigma)

    # momentum: the rate is outside of it
    warm = dict(schedule_warmup_steps=3, optim_name="sgd", optim_lr=0.06, optim_momentum=0.5,
                **pre)
    add("schedule-constant", schedule_name="constant", **warm)
    add("schedule-cosine", schedule_name="cosine", schedule_min_lr=0.01, **warm)
    add("schedule-step", schedule_name="step", schedule_step_at=(5, 8), schedule_step_factor=0.3,
        **warm)
    add("schedule-inverse-sqrt", schedule_name="inverse-sqrt", schedule_warmup_init=0.02, **warm)
    add("schedule-linear", schedule_name="linear", schedule_min_lr=0.02, **warm)
    add("schedule-epochs", schedule_name="cosine", schedule_warmup_epochs=0.25, optim_name="sgd",
        optim_lr=0.1, **pre)

    add("qkv-qk-v", "none-qk-v", model_qkv="qk-v", **sigma, **adamw)
    add("qkv-separate", "none-separate", model_qkv="separate", **sigma, **adamw)
    add("scope-blocks", model_reparam_scope="blocks", **sigma, **adamw)
    add("scope-attention", model_reparam_scope="attention", **sigma, **adamw)
    add("scope-attention-weight", model_reparam_scope="attention", model_norm="pre",
        model_reparam="weight", **adamw)
    add("label-smoothing", train_label_smoothing=0.1, **pre, **adamw)
    add("accumulate-pre", train_accumulate=2, **pre, **adamw)
    add("accumulate-sigma", train_accumulate=2, **sigma, **adamw)
    add("clip-pre", optim_name="sgd", optim_lr=0.1, optim_clip=1.0, **pre)
    add("clip-sigma", optim_name="sgd", optim_lr=0.1, optim_clip=1.0, **sigma)
    add("gamma-one", model_gamma_init=1, **sigma, **adamw)
    add("gamma-lr-scale", optim_gamma_lr_scale=5.0, **sigma, **adamw)
    add("front-lr-scale", optim_front_lr_scale=0.2, optim_gamma_lr_scale=2.0, **sigma, **adamw)
    add("gamma-lr-scale-weight", optim_gamma_lr_scale=5.0, model_norm="none",
        model_reparam="weight", **adamw)
    add("temperature", model_temperature=0.5, **pre, **adamw)
    add("final-norm-off", model_final_norm=False, **pre, **adamw)
    add("norm-eps", "pre-small", optim_name="sgd", optim_lr=0.005, **pre)
    add("relu", model_activation="relu", **pre, **adamw)
    add("ema-pre", train_ema=0.8, **pre, **adamw)
    add("ema-sigma", train_ema=0.8, **sigma, **adamw)
    add("file-sigma-all", "none-sigma-all", **sigma, **adamw)
    add("file-sigma-some", "none-sigma-some", **sigma, **adamw)
    add("file-spectral-u", "none-spectral-u", model_norm="none", model_reparam="spectral",
        **adamw)
    # vectors far from converged: each iteration counts
    add("power-steps-sigma", "none-sigma-all", model_power_steps=3, **sigma, **adamw)
    add("power-steps-spectral", "none-spectral-u", model_power_steps=2, model_norm="none",
        model_reparam="spectral", **adamw)
    # frozen: no gradient, no part in the norm; of sigma W without its gamma, and gamma alone
    add("freeze-patch-pre", model_freeze=("patch_embed",), optim_clip=1.0, train_ema=0.8, **pre,
        **adamw)
    add("freeze-blocks-sigma", model_freeze=("patch_embed", "blocks.0", "blocks.1.mlp.fc1.weight",
                                             "blocks.1.attn.proj.gamma"),
        optim_name="lars", optim_lr=0.05, optim_trust=0.1, optim_weight_decay=0.05, optim_clip=1.0,
        **sigma)
    add("freeze-weight", model_freeze=("cls_token", "blocks.0.attn.qkv.weight", "head"),
        model_norm="none", model_reparam="weight", **adamw)
    add("freeze-vectors", "none-sigma-all", model_freeze=("blocks.1.mlp.fc1",), **sigma, **adamw)
    add("layer-decay-pre", optim_layer_decay=0.6, **pre, **adamw)
    add("layer-decay-sigma", optim_layer_decay=0.5, optim_gamma_lr_scale=2.0,
        optim_front_lr_scale=0.5, optim_name="sgd", optim_lr=0.02, optim_momentum=0.9,
        optim_weight_decay=0.05, **sigma)
    add("file-weight-g", "none-weight-g", model_norm="none", model_reparam="weight", **adamw)
    return cases


def recipe_text(case):
    """The case as a recipe; only what differs from the neutral defaults, and what fixes the run."""
    words = {"task": dict(kind="classify"),
             "data": dict(source="idx", path=FOLDER + "/data", mean=MEAN, std=STD, shuffle=False),
             "model": dict(width=16, depth=2, heads=2, mlp_ratio=4, patch=4),
             "optim": {}, "schedule": {},
             "train": dict(steps=STEPS, batch=BATCH, threads=1, log_every=1,
                           init="%s/init/%s" % (FOLDER, case["init"])),
             "probe": dict(every=1, entropy=True, spectral=True, gradients=True)}
    return ini_text(words, case)


def ini_text(words, case):
    """words: {section: {key: value}}, what fixes the run."""
    words["model"].update(norm=case["model"]["norm"], reparam=case["model"]["reparam"])
    words["optim"].update(name=case["optim"]["name"], lr=case["optim"]["lr"])
    words["schedule"].update(name=case["schedule"]["name"])
    for word, value in case["given"].items():
        section, key = word.split("_", 1)
        words[section][key] = value

    def text(value):
        if isinstance(value, bool):
            return "true" if value else "false"
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    return "\n".join("[%s]\n%s" % (section, "".join("%s = %s\n" % (k, text(v))
                                                     for k, v in keys.items()))
                     for section, keys in words.items() if keys)


def digits(value):
    """Ten digits of every number in a tree."""
    if isinstance(value, dict):
        return {key: digits(v) for key, v in value.items() if key != "margin"}
    if isinstance(value, (list, tuple)):
        return [digits(v) for v in value]
    return float("%.10g" % value)


def write_golden(path, logs):
    """One line a series, so that a changed case is a small diff."""
    with open(path, "w") as out:
        for i, (name, log) in enumerate(logs.items()):
            out.write("%s%s: {\n" % ("{\n" if i == 0 else ",\n", json.dumps(name)))
            lines = []
            for key, value in digits(log).items():
                if key in ("entropy", "max_logit", "weights"):
                    rows = ["  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in value.items()]
                    lines.append(' "%s": {\n%s}' % (key, ",\n".join(rows)))
                else:
                    lines.append(' "%s": %s' % (key, json.dumps(value)))
            out.write(",\n".join(lines) + "}")
        out.write("\n}\n")


# ---------------------------------------------------------------------------------------------
# a plain ViT as timm names it, and its logits

TIMM = dict(MODEL, width=24, depth=2, heads=3, patch=3)


def make_timm(folder):
    rng, tensors = np.random.RandomState(7), {}
    for name, shape in parameter_shapes(TIMM, tokens=16).items():
        spread = 0.15 if name.endswith("weight") else 0.1
        centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        tensors[name] = rng.normal(centre, spread, shape)
    write_safetensors(os.path.join(folder, "timm.safetensors"), tensors)
    tensors = read_safetensors(os.path.join(folder, "timm.safetensors"))
    p = {name: torch.tensor(array, dtype=torch.float64) for name, array in tensors.items()}
    pixels, labels = read_split(os.path.join(folder, "data"), "t10k")
    logits = forward(p, to_images(pixels[:8], torch.float64, MEAN, STD), TIMM)
    with open(os.path.join(folder, "logits.json"), "w") as out:
        rows = ",\n".join("  " + json.dumps(digits(row)) for row in logits.tolist())
        out.write('{"file": "timm.safetensors", "images": "t10k, the first 8",\n'
                  ' "labels": %s,\n "logits": [\n%s]}\n' % (labels[:8].tolist(), rows))
    with open(os.path.join(folder, "timm.ini"), "w") as out:
        out.write("[task]\nkind = classify\n\n[data]\nsource = idx\npath = %s/data\n"
                  "mean = %g\nstd = %g\nshuffle = false\n\n[model]\nwidth = 24\ndepth = 2\n"
                  "heads = 3\nmlp_ratio = 4\npatch = 3\nnorm = pre\n\n[optim]\nname = sgd\n"
                  "lr = 1e-12\n\n[train]\nsteps = 1\nbatch = 8\ninit = %s/timm.safetensors\n"
                  % (FOLDER, MEAN, STD, FOLDER))


# ---------------------------------------------------------------------------------------------


def deviations(log, other):
    """Largest deviations of another run: relative, but absolute for entropies."""

    def relative(a, b):
        a, b = np.array(a), np.array(b)
        return float(np.max(np.abs(a - b) / np.abs(a)))

    weights = log["weights"]
    return dict(
        loss=relative(log["loss"], other["loss"]),
        grad_norm=relative(log["grad_norm"], other["grad_norm"]),
        entropy=max(float(np.abs(np.array(log["entropy"][s]) - other["entropy"][s]).max())
                    for s in log["entropy"]),
        max_logit=max(relative(log["max_logit"][s], other["max_logit"][s])
                      for s in log["max_logit"]),
        sigma=max(relative(weights[w]["sigma"], other["weights"][w]["sigma"]) for w in weights),
        gamma=max([relative(weights[w]["gamma"], other["weights"][w]["gamma"])
                   for w in weights if "gamma" in weights[w]] or [0.0]),
        grad_inf=max(relative(weights[w]["grad_inf"], other["weights"][w]["grad_inf"])
                     for w in weights if "grad_inf" in weights[w]),
        eval=relative(log["eval"]["loss"], other["eval"]["loss"]))


def main():
    torch.set_num_threads(1)
    folder = os.path.join(ROOT, FOLDER)
    cases = make_cases()
    if "--float32" in sys.argv:
        print("%-24s" % "case" + "".join("%10s" % key for key in (
            "first", "last", "loss", "grad_norm", "entropy", "max_logit", "sigma", "gamma",
            "grad_inf", "eval", "margin")))
        for name, case in cases.items():
            log, noisy = run_case(case), run_case(case, torch.float32)
            far = deviations(log, noisy)
            print("%-24s%10.4f%10.4f" % (name, log["loss"][0], log["loss"][-1]) +
                  "".join("%10.1e" % value for value in far.values()) +
                  "%10.1e" % log["eval"]["margin"] +
                  ("   too wild" if far["loss"] > 5e-5 else ""))
        return
    for part in ("data", "init", "cases"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    make_data(os.path.join(folder, "data"))
    make_inits(folder)
    for old in os.listdir(os.path.join(folder, "cases")):
        os.remove(os.path.join(folder, "cases", old))
    for name, case in cases.items():
        with open(os.path.join(folder, "cases", name + ".ini"), "w") as out:
            out.write(recipe_text(case))
    write_golden(os.path.join(folder, "golden.json"),
                 {name: run_case(case) for name, case in cases.items()})
    make_timm(folder)
    print("%d cases in %s" % (len(cases), folder))


if __name__ == "__main__":
    main()
