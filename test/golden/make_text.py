#!/usr/bin/env python3
"""Golden values of language models and translators: as make_vit.py, whose optimizers, schedules
and files it uses, with the models and texts of text_reference.py.

    /usr/bin/python3 test/golden/make_text.py            remakes everything in test/golden/text/
    /usr/bin/python3 test/golden/make_text.py --float32  how far float32 alone moves each case

It writes
    data/*                  made-up texts: characters, words, pairs of sentences
    init/*.safetensors      where the cases start, F32
    cases/NAME.ini          one recipe a case (paths are relative to the repository's root)
    golden.json             what each case must log
"""
import math
import os
import sys
import zlib
from collections import namedtuple

sys.dont_write_bytecode = True

import numpy as np
import torch

from make_vit import (OPTIM, ROOT, SCHEDULE, STEPS, deviations, ini_text, learning_rate,
                      make_optimizer, shake_companions, spectral_norm, weight_decay,
                      write_golden)
from text_reference import (MODEL, effective_weight, linear_layers, loss_sums, open_task,
                            parameter_shapes, reparametrised_layers)
from vit_reference import (fill_companions, power_iteration, read_safetensors,
                           write_safetensors)

FOLDER = "test/golden/text"  # from the repository's root, as it stands in the recipes
CONTEXT = MODEL["context"]
BATCH = 6
DATA = {"char": dict(source="text", tokens="char", path="chars.txt", test_path="chars-test.txt"),
        "word": dict(source="text", tokens="word", path="words.txt", test_path="words-test.txt"),
        "pairs": dict(source="parallel", tokens="word", path="pairs", test_path="pairs-test",
                      source_lang="aa", target_lang="bb", joint=False)}
TRAIN = dict(batch=BATCH, label_smoothing=0.0, accumulate=1, recompute="none", ema=0.0,
             eval_stride=0)


# ---------------------------------------------------------------------------------------------
# one case

# What a kind of cases brings along.  open(case): a task with its training examples in `train`;
# shapes(model, task): parameters; layers(model), reparametrised(model): names;
# effective(p, name, model): a layer's matrix; backward(p, case, examples, seen): a step's loss;
# evaluate(p, case, task): scores; init(case): tensors; recipe(case): text.
Kind = namedtuple("Kind", "folder open shapes layers reparametrised effective backward evaluate "
                          "init recipe key_bias")


@torch.no_grad()
def evaluate(p, case, task):
    """Means over the target tokens of a split, with the stored u and v.  nll is logged where it
    is not the loss."""
    smoothing = case["train"]["label_smoothing"]
    sums = [loss_sums(p, case["model"], batch, smoothing) for batch in task.test]
    loss, nll, count = (float(sum(part)) for part in zip(*sums))
    score = dict(loss=loss / count, ppl=math.exp(nll / count))
    if smoothing:
        score["nll"] = nll / count
    return score


def log_weights(log, p, kind, model, n):
    for name in kind.layers(model):
        row = log["weights"].setdefault(name, dict(sigma=[]))
        row["sigma"].append(spectral_norm(kind.effective(p, name, model)))
        if name + ".gamma" in p:
            row.setdefault("gamma", []).append(p[name + ".gamma"].item())
        if n == 1:
            row["grad_inf"] = p[name + ".weight"].grad.abs().max().item()


def backward(p, case, examples, seen):
    """The loss of a batch, in equal micro-batches that share its mean over target tokens."""
    model, train, loss = case["model"], case["train"], 0.0
    count = sum(len(target) for _, target in examples)
    size = len(examples) // train["accumulate"]
    for first in range(0, len(examples), size):
        part = loss_sums(p, model, examples[first:first + size], train["label_smoothing"], seen)
        (part[0] / count).backward()
        loss += part[0].item() / count
    return loss


def start(case, kind, task, dtype):
    """Tensors of the starting file that the model has, and what is missing there; names of those that
    are trained."""
    model, shapes = case["model"], kind.shapes(case["model"], task)
    layers = kind.reparametrised(model)
    parts = [name + part for name in layers for part in (".gamma", ".g", ".u", ".v")]
    file = read_safetensors(os.path.join(ROOT, kind.folder, "init", case["init"]))
    tensors = {name: file[name] for name in file if name in shapes or name in parts}
    assert set(shapes) <= set(tensors)
    fill_companions(tensors, model, layers)
    p = {name: torch.tensor(array, dtype=dtype) for name, array in tensors.items()}
    trained = [name for name in p if name.rsplit(".", 1)[-1] not in ("u", "v")]
    for name in trained:
        p[name].requires_grad_()
    return p, trained


def run_case(case, kind, dtype=torch.float64):
    model, optim, train = case["model"], case["optim"], case["train"]
    task = kind.open(case)
    p, trained = start(case, kind, task, dtype)
    optimizer = make_optimizer(p, trained, optim)
    average = {name: p[name].detach().clone() for name in trained}
    batch, layers = train["batch"], kind.reparametrised(model)
    per_epoch = len(task.train) // batch
    log = dict(loss=[], lr=[], grad_norm=[], entropy={}, max_logit={}, weights={})
    for n in range(1, STEPS + 1):
        power_iteration(p, model, layers)
        optimizer.zero_grad(set_to_none=True)
        seen = {}
        first = (n - 1) % per_epoch * batch
        log["loss"].append(kind.backward(p, case, task.train[first:first + batch], seen))
        norm = math.sqrt(sum(p[name].grad.double().pow(2).sum().item() for name in trained))
        lr = learning_rate(n, case["schedule"], optim["lr"], STEPS, per_epoch)
        log["lr"].append(lr)
        log["grad_norm"].append(norm)
        for site, (entropy, queries, largest) in seen.items():
            log["entropy"].setdefault(site, []).append((entropy / queries).tolist())
            log["max_logit"].setdefault(site, []).append(largest)
        log_weights(log, p, kind, model, n)
        if optim["clip"] > 0 and norm > optim["clip"]:
            for name in trained:
                p[name].grad *= optim["clip"] / norm
        for group in optimizer.param_groups:
            group["lr"] = lr * group["scale"]
            group["weight_decay"] = weight_decay(n, optim, STEPS) if group["decayed"] else 0.0
        optimizer.step()
        for name in trained:
            average[name] = train["ema"] * average[name] + (1 - train["ema"]) * p[name].detach()
    if kind.key_bias and optim["name"] != "sgd":  # the bias of the keys makes steps of rounding errors: README.md
        log["max_logit"] = {site: values[:1] for site, values in log["max_logit"].items()}
    log["eval"] = kind.evaluate(p, case, task)
    if train["ema"] > 0:
        p = {**p, **average}
        power_iteration(p, model, layers)
        log["eval_ema"] = dict(loss=kind.evaluate(p, case, task)["loss"])
    return log


# ---------------------------------------------------------------------------------------------
# data: a language of our own

WORDS = ("na lu zé mir tok öla Ruma sen fida kor pel ush vant gri olem dasi bru eko hint "
         "jalo wep timo raž quil sû yor cadi nep lorin ax").split()
OTHERS = ("ba he ïk mon ters ula Ruma vig sok ren pal iss dorn gre elum dato bri aka hund "
          "jol wop tami rez kwil so yar kade nip larin ox").split()
ODD = [0, 1, 2, 29]  # numbers of words that only test files have, in place of some others


def sentence(rng, length):
    """Numbers of words; each is mostly followed by one of three."""
    words = [int(rng.randint(len(WORDS)))]
    while len(words) < length:
        step = rng.choice([3, 7, 12, int(rng.randint(1, 30))], p=[0.5, 0.25, 0.15, 0.1])
        words.append((words[-1] + step) % len(WORDS))
    return words


def translation(rng, words):
    """Backwards, with a small word before every third and some left out."""
    other = []
    for i, word in enumerate(reversed(words)):
        if i % 3 == 2:
            other.append(word % 4)
        if len(words) == 1 or rng.uniform() > 0.15:
            other.append(word)
    return other[:9] or words[:1]


def spell(words, names, rare=()):
    return " ".join("unseen" + names[word] if i in rare else names[word]
                    for i, word in enumerate(words))


def write(name, text):
    with open(os.path.join(ROOT, FOLDER, "data", name), "w", encoding="utf-8",
              newline="") as out:
        out.write(text)


def make_chars(rng):
    """Sentences of the words, letter by letter, with what UTF-8 has: 1 to 4 bytes."""
    def text(least):
        lines = ""
        while len(lines) < least:
            lines += spell(sentence(rng, int(rng.randint(3, 7))), WORDS).capitalize() + (
                "." if rng.uniform() < 0.7 else " €5 🙂!") + "\n"
        return lines

    train = text((STEPS * BATCH + 2) * CONTEXT)
    known = set(train)
    write("chars.txt", train)
    write("chars-test.txt", "".join(c for c in text(400) if c in known)[:10 * CONTEXT + 6])


def make_words(rng):
    """Lines of words: an empty one, two blanks and a tab between words, <unk> as a word, words that
    the test text has alone, a test text that ends within a block."""
    lines, tokens = [], 0
    while tokens < (STEPS * BATCH + 2) * CONTEXT:
        words = sentence(rng, int(rng.randint(1, 12)))
        lines.append(spell(words, WORDS))
        tokens += len(words) + 1
    lines[3] = ""
    lines[5] = lines[5].replace(" ", "  ")
    lines[6] = lines[6].replace(" ", "\t", 1)
    lines[8] += " <unk>"
    write("words.txt", "\n".join(lines) + "\n")
    lines, left = [], 10 * CONTEXT + 4
    while left:
        length = left - 1 if left <= 12 else int(rng.randint(1, 10))
        lines.append(spell(sentence(rng, length), WORDS, rare=(1,) if len(lines) % 4 == 0 else ()))
        left -= length + 1
    write("words-test.txt", "\n".join(lines) + "\n")


def make_pairs(rng):
    for name, count, rare in (("pairs", STEPS * BATCH + 4, ()), ("pairs-test", 14, (2,))):
        sources = [sentence(rng, int(rng.randint(1, 10))) for _ in range(count)]
        targets = [translation(rng, words) for words in sources]
        for lang, side, names in (("aa", sources, WORDS), ("bb", targets, OTHERS)):
            write(name + "." + lang, "".join(spell(w, names, rare) + "\n" for w in side))


# ---------------------------------------------------------------------------------------------
# cases and starting points


def data_of(case):
    """The case's data keys, with paths from the repository's root."""
    data = case["data"]
    return {key: "%s/data/%s" % (FOLDER, value) if key.endswith("path") else value
            for key, value in data.items()}


def open_case(case):
    data = {key: os.path.join(ROOT, value) if key.endswith("path") else value
            for key, value in data_of(case).items()}
    return open_task(case["model"]["kind"], data, CONTEXT, case["train"]["eval_stride"])


def make_init(case):
    """A tensor of one name and shape is the same in every file, so that cases differ in what they
    are about."""
    model, task = case["model"], open_case(case)
    tensors, bare = {}, model["norm"] == "none" and model["kind"] == "translate"
    calm = 0.5 if bare else 1.0  # what no norm holds grows
    for name, shape in parameter_shapes(model, task.vocabs).items():
        rng = np.random.RandomState(zlib.crc32(name.encode()))
        layer = name[:-7].rsplit(".", 1)[-1] if name.endswith(".weight") else "other"
        centre = 1.0 if layer.startswith("norm") else 0.0
        spread = 0.35 if layer in ("qkv", "qk", "q", "k", "kv", "embed", "head") else 0.2
        tensors[name] = rng.normal(centre, spread * calm, shape)
    if case["some"]:  # gamma without u and v, then u alone, then nothing, ...
        fill_companions(tensors, model, reparametrised_layers(model))
        shake_companions(tensors, reparametrised_layers(model), 6,
                         lambda i, part: i % 3 < 2 and part == ("gamma", "u")[i % 3])
    return tensors


def init_name(case):
    """After all that decides what is in the file."""
    m = case["model"]
    norm = "post" if m["norm"] == "deepnorm" or not m["final_norm"] else m["norm"]
    words = ["lm" if m["kind"] == "language" else "mt", norm]
    words += [m["qkv"]] if m["qkv"] != "joint" else []
    words += [m["position"]]
    words += {True: ["tied"], False: []}.get(m["tied"], [m["tied"]])
    words += ["word"] if m["kind"] == "language" and case["data"]["tokens"] == "word" else []
    words += ["joint"] if case["data"].get("joint") else []
    words += ["%d-%d" % (m["depth"], m["decoder_depth"])] if m["decoder_depth"] else []
    words += ["some"] if case["some"] else []
    return "-".join(words) + ".safetensors"


def add_case(cases, name, kind, data, standard, some, changes):
    """changes: section_key=value, which win over `standard`."""
    model = dict(MODEL, kind=kind)
    case = dict(model=model, optim=dict(OPTIM), schedule=dict(SCHEDULE), train=dict(TRAIN),
                data=dict(DATA[data]), given={**standard, **changes}, some=some)
    for word, value in case["given"].items():
        section, key = word.split("_", 1)
        assert key in case[section], word
        case[section][key] = value
    case["init"] = init_name(case)
    assert name not in cases
    cases[name] = case


def make_cases():
    """{name: case}: sections with all keys filled, and what is given in the recipe."""
    cases = {}
    adamw = dict(optim_name="adamw", optim_lr=3e-3, optim_weight_decay=0.3)
    nesterov = dict(optim_name="sgd", optim_lr=0.02, optim_momentum=0.9, optim_nesterov=True)
    clip = dict(optim_clip=0.5, optim_weight_decay=0.01)
    warm = dict(schedule_name="inverse-sqrt", schedule_warmup_steps=4)
    sines = dict(model_position="sinusoidal")
    sigma = dict(model_norm="none", model_reparam="sigma")

    def lm(name, data="char", some=False, **changes):
        add_case(cases, "lm-" + name, "language", data, {}, some, changes)

    lm("pre", **adamw)
    lm("pre-tied", model_tied=True, **nesterov)
    lm("pre-sigma", model_reparam="sigma", **sines, **nesterov)
    lm("post", model_norm="post", model_activation="relu", model_tied=True, **sines, **nesterov)
    lm("post-sigma", model_norm="post", model_reparam="sigma", model_gamma_init=1, **sines,
       **adamw)
    lm("deepnorm", model_norm="deepnorm", **sines, **adamw, **warm)
    lm("deepnorm-sigma", model_norm="deepnorm", model_reparam="sigma", model_tied=True, **sines,
       **nesterov)
    lm("none", model_norm="none", **nesterov, **clip)
    lm("none-sigma", **sigma, **sines, **nesterov, **clip, **warm)
    lm("none-sigma-tied", model_tied=True, model_gamma_init=1, model_activation="relu", **sigma,
       **adamw)
    lm("none-weight", model_norm="none", model_reparam="weight", **adamw)
    lm("none-spectral", model_norm="none", model_reparam="spectral", **nesterov)
    lm("qk-v", model_qkv="qk-v", **sigma, **adamw)
    lm("separate", model_qkv="separate", **sigma, **adamw)
    lm("scope-attention", model_reparam_scope="attention", **sigma, **adamw)
    scope = dict(model_reparam_scope="all")  # the output too
    lm("scope-all", **scope, **sigma, **adamw)
    lm("scope-all-weight", model_reparam="weight", **scope, **sines, **nesterov)
    lm("some-sigma", some=True, **sigma, **adamw)
    lm("smoothing", train_label_smoothing=0.1, **adamw)
    lm("word", "word", model_tied=True, **sines, **adamw, **warm)
    lm("word-smoothing", "word", train_label_smoothing=0.1, model_embed_scale=0.5,
       model_tied=True, **sines, **nesterov)
    lm("position-none", model_position="none", **adamw)
    lm("final-norm-off", model_final_norm=False, model_temperature=0.7, **adamw)
    lm("accumulate", train_accumulate=2, model_tied=True, **nesterov)
    lm("accumulate-sigma", train_accumulate=3, **sigma, **adamw)
    lm("recompute", train_recompute="block", **adamw)
    lm("recompute-sigma", train_recompute="block", train_accumulate=2, **sigma, **adamw)
    lm("eval-stride", train_eval_stride=5, **nesterov)
    lm("word-eval-stride", "word", train_eval_stride=4, train_label_smoothing=0.1,
       model_tied=True, **sines, **adamw)
    lm("ema-sigma", train_ema=0.8, **sigma, **adamw)

    # fairseq's trainers: decay apart from the gradient, on all that is trained
    lm("decay-nag-all", optim_decay="decoupled", optim_decay_scope="all", optim_weight_decay=0.4,
       model_tied=True, schedule_name="cosine", schedule_warmup_steps=3, **sigma, **sines,
       **nesterov)

    adam = dict(optim_name="adam", optim_lr=3e-3, optim_beta1=0.9, optim_beta2=0.98)
    paper = dict(model_position="sinusoidal", model_activation="relu", model_tied="decoder",
                 train_batch=5, train_label_smoothing=0.1)

    def mt(name, some=False, **changes):
        add_case(cases, "mt-" + name, "translate", "pairs", paper, some, changes)

    for norm in ("pre", "post", "deepnorm", "none"):
        # Adam would make two singular values of mt-none change places: README.md
        mt(norm, model_norm=norm, **(nesterov if norm == "none" else adam), **warm)
        mt(norm + "-sigma", model_norm=norm, model_reparam="sigma",
           model_gamma_init=1 if norm in ("post", "deepnorm") else "spectral", **adam, **warm)
    mt("pre-weight", model_reparam="weight", **adam)
    mt("post-spectral", model_norm="post", model_reparam="spectral", **nesterov)
    mt("none-weight", model_norm="none", model_reparam="weight", **nesterov, **clip)
    mt("none-spectral", model_norm="none", model_reparam="spectral", **adamw)
    mt("tied-all", model_tied="all", data_joint=True, **adamw)
    mt("tied-all-sigma", model_tied="all", data_joint=True, **sigma, **nesterov)
    mt("tied-none", model_tied="none", **adamw)
    mt("joint", data_joint=True, model_norm="post", **nesterov)
    mt("depth-1-3", model_depth=1, model_decoder_depth=3, model_norm="deepnorm", **adamw)
    mt("depth-3-1", model_depth=3, model_decoder_depth=1, model_norm="deepnorm",
       model_reparam="sigma", **adamw)
    mt("qk-v", model_qkv="qk-v", **sigma, **adamw)
    mt("separate", model_qkv="separate", model_norm="post", model_reparam="sigma", **nesterov)
    mt("scope-attention", model_reparam_scope="attention", **sigma, **adamw)
    mt("scope-all", model_tied="none", model_norm="post", model_reparam="sigma",
       model_gamma_init=1, **scope, **adam, **warm)
    mt("scope-all-spectral", model_tied="none", model_reparam="spectral", **scope, **nesterov)
    mt("some-sigma", some=True, **sigma, **adamw)
    mt("learned", model_position="learned", model_activation="gelu", train_label_smoothing=0.0,
       **adamw)
    mt("final-norm-off", model_final_norm=False, **adamw)
    mt("accumulate", train_batch=6, train_accumulate=3, **adamw)
    mt("accumulate-sigma", train_batch=6, train_accumulate=2, **sigma, **nesterov)
    mt("decay-adam-all", optim_decay="decoupled", optim_decay_scope="all",
       optim_weight_decay=0.3, model_reparam="sigma", model_norm="post", **adam, **warm)
    mt("decay-end-adamw", optim_lr=3e-3, optim_weight_decay=0.5, optim_weight_decay_end=0.0)
    mt("recompute", train_recompute="block", model_norm="post", **adamw)
    mt("recompute-sigma", train_recompute="block", **sigma, **nesterov)
    return cases


def recipe_text(case):
    """The case as a recipe; only what differs from the neutral defaults, and what fixes the
    run."""
    model = case["model"]
    words = {"task": dict(kind=model["kind"]), "data": dict(data_of(case), shuffle=False),
             "model": {key: model[key] for key in ("width", "depth", "heads", "mlp_ratio",
                                                   "context")},
             "optim": {}, "schedule": {},
             "train": dict(steps=STEPS, batch=case["train"]["batch"], threads=1, log_every=1,
                           init="%s/init/%s" % (FOLDER, case["init"])),
             "probe": dict(every=1, entropy=True, spectral=True, gradients=True)}
    if model["kind"] == "translate":
        words["train"]["beam"] = 0  # BLEU has tests of its own
    return ini_text(words, case)


TEXTS = Kind(folder=FOLDER, open=open_case,
             shapes=lambda model, task: parameter_shapes(model, task.vocabs),
             layers=linear_layers, reparametrised=reparametrised_layers,
             effective=effective_weight, backward=backward, evaluate=evaluate, init=make_init,
             recipe=recipe_text, key_bias=True)


# ---------------------------------------------------------------------------------------------


def show_float32(cases, kind):
    print("%-24s" % "case" + "".join("%10s" % key for key in (
        "first", "last", "loss", "grad_norm", "entropy", "max_logit", "sigma", "gamma",
        "grad_inf", "eval", "margin")))
    for name, case in cases.items():
        log = run_case(case, kind)
        far = deviations(log, run_case(case, kind, torch.float32))
        print("%-24s%10.4f%10.4f" % (name, log["loss"][0], log["loss"][-1]) +
              "".join("%10.1e" % value for value in far.values()) +
              "%10.1e" % log["eval"].get("margin", math.nan) +
              ("   too wild" if far["loss"] > 5e-5 else ""))


def remake(cases, kind, make_data):
    """Or with --float32 shows deviations and writes nothing."""
    torch.set_num_threads(1)
    folder = os.path.join(ROOT, kind.folder)
    if "--float32" in sys.argv:
        show_float32(cases, kind)
        return
    for part in ("data", "init", "cases"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
        for old in os.listdir(os.path.join(folder, part)):
            os.remove(os.path.join(folder, part, old))
    make_data()
    for name, case in cases.items():
        write_safetensors(os.path.join(folder, "init", case["init"]), kind.init(case))
        with open(os.path.join(folder, "cases", name + ".ini"), "w") as out:
            out.write(kind.recipe(case))
    write_golden(os.path.join(folder, "golden.json"),
                 {name: run_case(case, kind) for name, case in cases.items()})
    print("%d cases in %s" % (len(cases), folder))


def make_data():
    rng = np.random.RandomState(12)
    for make in (make_chars, make_words, make_pairs):
        make(rng)


if __name__ == "__main__":
    remake(make_cases(), TEXTS, make_data)
