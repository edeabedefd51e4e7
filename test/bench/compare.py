#!/usr/bin/env python3
"""The same training steps here and in PyTorch, side by side in one run: tables in Markdown.

    make
    python3 -m venv ~/torch && ~/torch/bin/pip install torch==2.13.0 intel-openmp
    apt install libtcmalloc-minimal4 libjemalloc2 g++
    python3 test/bench/compare.py --python ~/torch/bin/python              all ten models
    ... --models vit-s16,mt-6l --precision fp32 --rounds 5 --threads 2
    ... --models all --tune              search PyTorch's best form first
    ... --models all --tune pin,openmp   only these choices, from what was found
    ... --models all --warm              compile what will be run, measure nothing
    ... --models asr-12l --threads 1 --by processor

PyTorch runs in its best form for each model and precision (rival.py): eager or torch.compile,
scaled_dot_product_attention, fused AdamW, autocast, malloc, kernels, threads pinned.  --tune finds it by
trying and writes it to test/bench/rival.json, with every form that was tried or failed; later runs
take it from there.  A model that is not in the file is searched.  Where an eager and a compiled form are
within a tenth of each other, the first round runs both and keeps the faster.  Time to compile
is reported and does not count.

A round is one process of each kind after the other (here and PyTorch in fp32, then in bf16), so
that all see the same machine; the table has medians over the rounds, and the ratios are medians
of each round's ratio.  Where other programs run, --by least compares the fastest steps, and with
one thread --by processor compares processor time (several threads wait for each other in
loops, which counts).  Needs the Python that has PyTorch at --python; itself it needs the standard
library alone.  An older PyTorch (Debian's python3-torch is 1.13) is searched the same way: what it
does not have fails and is named; give it a file of its own, --found FILE.
"""
import argparse
import datetime
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time

import compare_table
import rival

HERE = os.path.dirname(os.path.abspath(__file__))
PICTURES = ["vit-ti16", "vit-s16", "vit-b16", "cifar-vit"]
VIEWS = ["cifar-simclr", "simclr-b16"]
TEXTS = ["gpt2-124m", "mt-6l", "mt-18l", "shakespeare-char"]
SPEECH = ["asr-12l", "asr-36l", "asr-72l"]
GROUPS = {"all": PICTURES + TEXTS + SPEECH[:1] + VIEWS[:1], "pictures": PICTURES, "texts": TEXTS}
WARM_UP = 4            # steps until PyTorch's heap has stopped growing, or nearly
TRY_WARM_UP, TRY_STEPS = 2, 3
HERE_WARM_UP = 2       # of `steady bench steps`, which gives losses from then on
SAME_LOSS = 2          # times, of the same step on both sides: other random numbers, the same model


# ---------------------------------------------------------------------------------------------
# running


def environment(options):
    """Neither side inherits a choice of kernels or threads; both get the doctor's."""
    env = {key: value for key, value in os.environ.items()
           if not key.startswith(("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "MALLOC_", "LD_PRELOAD",
                                  "TORCH"))}
    words = subprocess.run([options.steady, "doctor", "--env"], env=env, check=True,
                           capture_output=True, text=True).stdout.split()
    env.update(word.split("=", 1) for word in words)
    env["OMP_NUM_THREADS"] = str(options.threads or env["OMP_NUM_THREADS"])
    if options.core:
        env["OPENBLAS_CORETYPE"] = options.core
    return env


def busy_seconds():
    """Processor time that the machine has spent, and that this script's processes have."""
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        with open("/proc/stat") as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
    except OSError:
        return 0.0, 0.0
    ticks = sum(fields) - fields[3] - fields[4]  # without idle and waiting for disks
    return ticks / os.sysconf("SC_CLK_TCK"), ours.ru_utime + ours.ru_stime


def run(command, env, limit=None):
    """The JSON objects that it prints; RuntimeError says why there are none."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise RuntimeError("no end after %d s" % limit) from None
    said = done.stderr.strip()
    if done.returncode:
        raise RuntimeError("exit %d, %s" % (done.returncode, (said.splitlines() or ["silent"])[-1]))
    if "cannot be preloaded" in said:
        raise RuntimeError(said.splitlines()[0].split("ERROR: ")[-1])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def run_here(options, env, model, precision, words=()):
    words = [*words, *(["model.reparam=sigma"] if options.sigma else []),
             *(["train.precision=bf16"] if precision == "bf16" else [])]
    return run([options.steady, "bench", "steps", "--json", "--model", model, "--repeat",
                str(options.steps), "--seconds", str(options.seconds), *words], env)


def script_of(model):
    names = {**dict.fromkeys(PICTURES, "torch_step.py"), **dict.fromkeys(VIEWS, "torch_contrast.py"),
             **dict.fromkeys(SPEECH, "torch_speech.py")}
    return os.path.join(HERE, names.get(model, "torch_text.py"))


def run_torch(options, env, model, precision, config, words=()):
    command = [options.python, script_of(model), "--json", "--model", model, "--precision",
               precision, "--threads", env["OMP_NUM_THREADS"], *["--sigma"] * options.sigma,
               *rival.options_of(config), *words]
    env = rival.environment_of(config, env, options.prefix, options.cache)
    return run(command, env, options.limit)[0]


def check(model, here, torch):
    """Both trained the same thing: sizes and losses agree, losses are finite and fall."""
    if here["parameters"] != torch["parameters"]:
        sys.exit("%s has %d parameters here, %d in PyTorch" % (
            model, here["parameters"], torch["parameters"]))
    for side, losses in (("here", here["loss"]), ("in PyTorch", torch["loss"])):
        if not all(map(math.isfinite, losses)) or len(losses) > 2 and losses[-1] >= losses[0]:
            sys.exit("%s: the loss %s does not fall: %s" % (model, side, losses))
    number, same = HERE_WARM_UP, torch["loss"][HERE_WARM_UP:]
    if same and not 1 / SAME_LOSS < here["loss"][0] / same[0] < SAME_LOSS:
        sys.exit("%s: the loss of step %d is %g here, %g in PyTorch" % (
            model, number + 1, here["loss"][0], same[0]))


# ---------------------------------------------------------------------------------------------
# PyTorch's best form


def figure(threads, result):
    """What a search goes by: processor time where one thread makes it exact, else the clock."""
    return result["least_processor_ms"] if threads == 1 else min(result["step_ms"])


def tune(options, env, model, precision, names):
    """An entry for rival.json."""
    threads, known = int(env["OMP_NUM_THREADS"]), rival.entry_of(options.known, model, precision)
    depth = ["--depth", str(options.tune_depth)] if options.tune_depth else []
    seen = {"compile_s": 0.0}

    def attempt(config):
        result = run_torch(options, env, model, precision, config, [
            *depth, "--steps", str(TRY_STEPS), "--warmup", str(TRY_WARM_UP)])
        if config["compile"] != "no":
            seen["compile_s"] = max(seen["compile_s"], round(result["warmup_ms"][0] / 1000, 1))
        seen["torch"] = result["torch"]
        ms = figure(threads, result)
        print("%s, %s: %.1f ms, %s" % (model, precision, ms, rival.describe(config, precision)),
              file=sys.stderr, flush=True)
        return ms

    allowed = rival.open_choices(precision, model in PICTURES + VIEWS, threads, options.processor)
    best, ms, tried = rival.search(attempt, [name for name in allowed if name in names],
                                   known["config"] if known and options.tune else rival.beginning())
    return dict(config=best, ms=round(ms, 1), torch=seen["torch"], processor=options.processor,
                date=datetime.date.today().isoformat(), threads=threads, by="processor" if threads == 1 else "clock",
                depth=options.tune_depth or "whole", compile_s=seen["compile_s"], tried=tried)


def entry(options, env, model, precision):
    """What was found for it; searched where nothing was, or where --tune asks."""
    known = rival.entry_of(options.known, model, precision)
    if options.rival:
        config = rival.parse(options.rival)
        return dict(config=config, ms=math.nan, tried=[], compile_s=0.0)
    if known and not options.tune:
        return known
    names = rival.CHOICES if options.tune in (None, "all") else options.tune.split(",")
    try:
        made = tune(options, env, model, precision, names)
    except RuntimeError as error:
        sys.exit("%s, %s: no form of PyTorch ran: %s" % (model, precision, error))
    options.known.setdefault(model, {})[precision] = made
    rival.save(options.found, {key: {p: rival.entry_of(options.known, key, p) for p in value}
                               for key, value in options.known.items()})
    return made


# ---------------------------------------------------------------------------------------------
# rounds


def warm(options, env, model, precision):
    """Compiles the forms that will be run."""
    for config in rival.finalists(entry(options, env, model, precision)):
        if config["compile"] == "no":
            continue
        start = time.monotonic()
        run_torch(options, env, model, precision, config, ["--steps", "1", "--warmup", "0"])
        print("%s, %s: compiled in %.0f s" % (model, precision, time.monotonic() - start),
              file=sys.stderr, flush=True)


def fastest_form(options, env, model, precision, forms):
    """Runs the finalists; the faster one stays alone.  Returns its result."""
    words = ["--steps", str(options.steps), "--warmup", str(WARM_UP)]
    results = [(run_torch(options, env, model, precision, config, words), config)
               for config in forms]
    best, config = min(results, key=lambda pair: compare_table.value(pair[0], options.by))
    forms[:] = [config]
    return best


def rounds_of(options, env, model):
    precisions = ["fp32", "bf16"] if options.precision == "both" else [options.precision]
    entries = {p: entry(options, env, model, p) for p in precisions}
    forms = {p: rival.finalists(entries[p]) for p in precisions}
    rows = []
    for i in range(options.rounds):
        (all_before, ours_before), start = busy_seconds(), time.monotonic()
        row = {}
        for p in precisions:
            machine, here = run_here(options, env, model, p)
            torch = fastest_form(options, env, model, p, forms[p])
            check(model, here, torch)
            row.update({"machine": machine, "here " + p: here, "torch " + p: torch})
        if options.recompute:
            row["block"] = run_here(options, env, model, precisions[0], ["train.recompute=block"])[1]
        all_after, ours_after = busy_seconds()
        row["others"] = max(0.0, (all_after - all_before - ours_after + ours_before) /
                            (time.monotonic() - start) / os.cpu_count())
        rows.append(row)
        print("%s, round %d of %d: %s; other programs %.0f %%" % (
            model, i + 1, options.rounds, ", ".join(
                "%s %s %.1f ms" % (side, p, row["%s %s" % (side, p)]["median_ms"])
                for p in precisions for side in ("torch", "here")), 100 * row["others"]),
            file=sys.stderr, flush=True)
    return dict(rows=rows, entries={p: {**entries[p], "won": forms[p][0]} for p in precisions})


# ---------------------------------------------------------------------------------------------
# command line


def processor():
    """Name, family and model: names of virtual machines say little."""
    fields = {}
    with open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    return "%s, family %s model %s" % tuple(
        fields.get(key, "unknown") for key in ("model name", "cpu family", "model"))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="all",
                        help="comma-separated, or a group: %s; also %s" % (
                            ", ".join(GROUPS), ", ".join(VIEWS[1:] + SPEECH[1:])))
    parser.add_argument("--precision", choices=("fp32", "bf16", "both"), default="both")
    parser.add_argument("--sigma", action="store_true", help="sigmaReparam on both sides")
    parser.add_argument("--recompute", action="store_true", help="also train.recompute=block here")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5,
                        help="timed in each process, after two here and four there")
    parser.add_argument("--by", choices=("median", "least", "processor"), default="median",
                        help="which time of a process the ratios compare")
    parser.add_argument("--tune", nargs="?", const="all", metavar="CHOICES",
                        help="search PyTorch's best form, of all or of these choices: " +
                        ",".join(rival.CHOICES))
    parser.add_argument("--tune-depth", type=int, default=2, metavar="N",
                        help="blocks of the models that are tried; 0: all (default 2)")
    parser.add_argument("--warm", action="store_true", help="only compile what will be run")
    parser.add_argument("--rival", metavar="NAME=WORD,...", help="this form of PyTorch, no other")
    parser.add_argument("--found", default=os.path.join(HERE, "rival.json"),
                        help="file of the forms that were found")
    parser.add_argument("--cache", help="folder for compiled code (default: one in the folder for "
                        "temporary files)", default=os.path.join(
                            tempfile.gettempdir(), "steady-rival-%d" % os.getuid()))
    parser.add_argument("--limit", type=int, default=1800, help="seconds that PyTorch may take")
    parser.add_argument("--seconds", type=float, default=0.2, help="for each reading of GEMM here")
    parser.add_argument("--threads", type=int, help="default: the doctor's choice")
    parser.add_argument("--core", help="OPENBLAS_CORETYPE here, instead of the doctor's")
    parser.add_argument("--steady", default=os.path.join(HERE, "../../build/steady"))
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has PyTorch")
    parser.add_argument("--raw", help="file for all that was measured, an object a line")
    options = parser.parse_args()
    options.models = [name for word in options.models.split(",") for name in GROUPS.get(word, [word])]
    options.processor = processor()
    options.prefix = subprocess.run([options.python, "-c", "import sys; print(sys.prefix)"], check=True,
                                    capture_output=True, text=True).stdout.strip()
    for name in (options.tune or "all").split(","):
        if name != "all" and name not in rival.CHOICES:
            parser.error("--tune %s: choices are %s" % (name, ", ".join(rival.CHOICES)))
    return options


def main():
    options = arguments()
    env = environment(options)
    options.known = rival.load(options.found)
    results = {}
    for model in options.models:
        if options.warm:
            for precision in ("fp32", "bf16") if options.precision == "both" else (options.precision,):
                warm(options, env, model, precision)
            continue
        try:
            results[model] = rounds_of(options, env, model)
        except RuntimeError as error:
            sys.exit("%s: %s" % (model, error))
        if options.raw:
            with open(options.raw, "a") as file:
                for row in results[model]["rows"]:
                    file.write(json.dumps(row) + "\n")
    if results:
        print(compare_table.page(options, env, results))


if __name__ == "__main__":
    main()
