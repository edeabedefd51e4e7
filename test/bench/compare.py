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
does not have fails and is named; give it a file of its own, --found FILE.  A form that was found on
another processor, with other threads or by another PyTorch is marked as such: --tune searches here.

A processor without bf16 products is compared in fp32 alone, which is said.  A model that fails does
not end the others: what was measured is printed, then what failed; the exit code is 1 (130 if
interrupted).  A search that is interrupted goes on where it was.
"""
import contextlib
import datetime
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time

import compare_options
import compare_table
import rival
from compare_options import PICTURES, SPEECH, VIEWS

HERE = os.path.dirname(os.path.abspath(__file__))
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
    words = said_by([options.steady, "doctor", "--env"], env).split()
    env.update(word.split("=", 1) for word in words if "=" in word)
    env["OMP_NUM_THREADS"] = str(options.threads or env.get("OMP_NUM_THREADS", os.cpu_count()))
    if options.core:
        env["OPENBLAS_CORETYPE"] = options.core
    return env


def said_by(command, env, limit=None, codes=(0,)):
    """What it prints; RuntimeError says why there is nothing."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise RuntimeError("no end after %d s" % limit) from None
    except OSError as error:
        raise RuntimeError("%s: %s" % (command[0], error.strerror)) from None
    said = done.stderr.strip()
    if done.returncode not in codes:
        raise RuntimeError("%s: exit %d, %s" % (
            os.path.basename(command[0]), done.returncode, (said.splitlines() or ["silent"])[-1]))
    if "cannot be preloaded" in said:
        raise RuntimeError(said.splitlines()[0].split("ERROR: ")[-1])
    return done.stdout


def precisions_of(options, env):
    """Those to compare: both only where the program has bf16 products.  RuntimeError if bf16 was
    asked for alone."""
    asked = ["fp32", "bf16"] if options.precision == "both" else [options.precision]
    if "bf16" not in asked:
        return asked
    try:  # exit 1: it found something wrong, bf16 or not
        units = json.loads(said_by([options.steady, "doctor", "--json"], env, codes=(0, 1)))["bf16"]
    except (ValueError, KeyError, TypeError, RuntimeError):
        return asked  # a program that does not say: the first bf16 step will
    if units["products"]:
        return asked
    if asked == ["bf16"]:
        raise RuntimeError("--precision bf16: no fast bf16 products here: %s; use --precision fp32" % units["why"])
    say("fp32 alone: no fast bf16 products here: %s" % units["why"])
    return ["fp32"]


def say(text):
    print(text, file=sys.stderr, flush=True)


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


def run(command, env, limit=None, objects=1):
    """The JSON objects that it prints, so many or more; RuntimeError says why there are none."""
    lines = [line for line in said_by(command, env, limit).splitlines() if line.startswith("{")]
    try:
        found = [json.loads(line) for line in lines]
    except ValueError as error:
        raise RuntimeError("%s: not JSON: %s" % (os.path.basename(command[0]), error)) from None
    if len(found) < objects:
        raise RuntimeError("%s: %d JSON objects, expected %d" % (os.path.basename(command[0]), len(found), objects))
    return found


def run_here(options, env, model, precision, words=()):
    words = [*words, *(["model.reparam=sigma"] if options.sigma else []),
             *(["train.precision=bf16"] if precision == "bf16" else [])]
    return run([options.steady, "bench", "steps", "--json", "--model", model, "--repeat",
                str(options.steps), "--seconds", str(options.seconds), *words], env, objects=2)


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


def check(here, torch):
    """Both trained the same thing: sizes and losses agree, losses are finite and fall.
    RuntimeError says what differs."""
    if here["parameters"] != torch["parameters"]:
        raise RuntimeError("%d parameters here, %d in PyTorch" % (here["parameters"], torch["parameters"]))
    for side, losses in (("here", here["loss"]), ("in PyTorch", torch["loss"])):
        finite = losses and all(x is not None and math.isfinite(x) for x in losses)
        if not finite or len(losses) > 2 and losses[-1] >= losses[0]:
            raise RuntimeError("the loss %s does not fall: %s" % (side, losses))
    number, same = HERE_WARM_UP, torch["loss"][HERE_WARM_UP:]
    if same and not 1 / SAME_LOSS < here["loss"][0] / same[0] < SAME_LOSS:
        raise RuntimeError("the loss of step %d is %g here, %g in PyTorch" % (
            number + 1, here["loss"][0], same[0]))


# ---------------------------------------------------------------------------------------------
# PyTorch's best form


def figure(threads, result):
    """What a search goes by: processor time where one thread makes it exact, else the clock."""
    return result["least_processor_ms"] if threads == 1 else min(result["step_ms"])


def tune(options, env, model, precision, known, names):
    """Searches these choices and keeps what is found, after each choice; says which of those asked for
    make no difference here."""
    threads = int(env["OMP_NUM_THREADS"])
    depth = ["--depth", str(options.tune_depth)] if options.tune_depth else []
    seen = {"compile_s": 0.0}

    def attempt(config):
        result = run_torch(options, env, model, precision, config, [
            *depth, "--steps", str(TRY_STEPS), "--warmup", str(TRY_WARM_UP)])
        if config["compile"] != "no":
            seen["compile_s"] = max(seen["compile_s"], round(result["warmup_ms"][0] / 1000, 1))
        seen["torch"] = result["torch"]
        ms = figure(threads, result)
        say("%s, %s: %.1f ms, %s" % (model, precision, ms, rival.describe(config, precision)))
        return ms

    def keep(best, ms, tried, left):
        made = dict(config=best, ms=round(ms, 1), torch=seen["torch"], processor=options.processor,
                    date=datetime.date.today().isoformat(), threads=threads,
                    by="processor" if threads == 1 else "clock",
                    depth=options.tune_depth or "whole", compile_s=seen["compile_s"], tried=list(tried))
        if left:
            made["open"] = left
        made = rival.added(known, made)
        options.known.setdefault(model, {})[precision] = made
        try:
            rival.save(options.found, options.known)
        except OSError as error:
            raise RuntimeError("%s: %s" % (options.found, error.strerror)) from None
        return made

    here = precision, model in PICTURES + VIEWS, threads, options.processor
    allowed, closed = rival.open_choices(*here), rival.closed_choices(*here)
    without = [name for name in names if name in closed]
    if without and list(names) != list(rival.CHOICES):  # asked for by name
        say("%s, %s: --tune %s: it makes no difference here (%s)" % (
            model, precision, ",".join(without), ", ".join(sorted({closed[name] for name in without}))))
        if known and len(without) == len(names):
            return known
    try:
        return keep(*rival.search(attempt, [name for name in allowed if name in names],
                                  known["config"] if known else rival.beginning(), keep), [])
    except rival.NothingRan as error:
        raise RuntimeError("%s: no form of PyTorch ran: %s" % (precision, error)) from None


def entry(options, env, model, precision):
    """What was found for it; searched where nothing was or not all, or once where --tune asks."""
    known = options.known.get(model, {}).get(precision)
    if options.rival:
        return dict(config=options.rival, ms=math.nan, tried=[], compile_s=0.0, given=True)
    if options.tune or not known:
        return tune(options, env, model, precision, known, options.tune or rival.CHOICES)
    if "open" in known:
        say("%s, %s: the search was interrupted; it goes on with %s" % (
            model, precision, ", ".join(known["open"])))
        return tune(options, env, model, precision, known, known["open"])
    if rival.elsewhere(known, options.processor, int(env["OMP_NUM_THREADS"]), options.torch):
        say("%s, %s: PyTorch's form was found elsewhere (%s) and may not be its best here; --tune "
            "searches here" % (model, precision, rival.said_place(known)))
    return known


# ---------------------------------------------------------------------------------------------
# rounds


def warm(options, env, model):
    """Compiles the forms that will be run."""
    for precision in options.precisions:
        for config in rival.finalists(entry(options, env, model, precision)):
            if config["compile"] == "no":
                continue
            start = time.monotonic()
            run_torch(options, env, model, precision, config, ["--steps", "1", "--warmup", "0"])
            say("%s, %s: compiled in %.0f s" % (model, precision, time.monotonic() - start))


def fastest_form(options, env, model, precision, forms):
    """Runs the finalists; the faster one stays alone.  Returns its result."""
    words = ["--steps", str(options.steps), "--warmup", str(WARM_UP)]
    results = [(run_torch(options, env, model, precision, config, words), config)
               for config in forms]
    best, config = min(results, key=lambda pair: compare_table.value(pair[0], options.by))
    forms[:] = [config]
    return best


def rounds_of(options, env, model, results):
    """Adds results[model] with the first round, and a row to it with each."""
    entries = {p: entry(options, env, model, p) for p in options.precisions}
    forms = {p: rival.finalists(entries[p]) for p in options.precisions}
    for i in range(options.rounds):
        row = one_round(options, env, model, forms)
        made = results.setdefault(model, dict(rows=[]))
        made["rows"].append(row)
        made["entries"] = {p: {**entries[p], "won": forms[p][0]} for p in options.precisions}
        if options.raw:
            options.raw.write(json.dumps(row) + "\n")
            options.raw.flush()
        say("%s, round %d of %d: %s; other programs %.0f %%" % (
            model, i + 1, options.rounds, ", ".join(
                "%s %s %.1f ms" % (side, p, row["%s %s" % (side, p)]["median_ms"])
                for p in options.precisions for side in ("torch", "here")), 100 * row["others"]))


def one_round(options, env, model, forms):
    (all_before, ours_before), start = busy_seconds(), time.monotonic()
    row = {}
    for p in options.precisions:
        machine, here = run_here(options, env, model, p)[:2]
        torch = fastest_form(options, env, model, p, forms[p])
        check(here, torch)
        row.update({"machine": machine, "here " + p: here, "torch " + p: torch})
    if options.recompute:
        row["block"] = run_here(options, env, model, options.precisions[0], ["train.recompute=block"])[1]
    all_after, ours_after = busy_seconds()
    row["others"] = max(0.0, (all_after - all_before - ours_after + ours_before) /
                        (time.monotonic() - start) / os.cpu_count())
    return row


def measured(options, env, results, failed):
    """All models; failed: lines of those that did not run to their end.  Whether it was interrupted."""
    for model in options.models:
        try:
            if options.warm:
                warm(options, env, model)
            else:
                rounds_of(options, env, model, results)
        except KeyboardInterrupt:
            failed.append("interrupted at %s" % model)
            return True
        except (RuntimeError, OSError) as error:
            failed.append("%s: %s" % (model, error))
        except (KeyError, TypeError, IndexError) as error:
            failed.append("%s: JSON without what is needed: %s" % (model, error))
        else:
            continue
        say(failed[-1])
    return False


def stop(number, frame):
    raise KeyboardInterrupt


def main(words=None):
    """The exit code."""
    options = compare_options.read(__doc__, words)
    signal.signal(signal.SIGTERM, stop)
    try:
        env = environment(options)
        options.precisions = precisions_of(options, env)
    except RuntimeError as error:
        say("compare.py: %s" % error)
        return 1
    results, failed = {}, []
    interrupted = measured(options, env, results, failed)
    if results:
        page = compare_table.page(options, env, results)
        try:
            print(page, flush=True)
        except OSError as error:
            say(page)
            failed.append("stdout: %s" % error.strerror)
            with contextlib.suppress(OSError):  # what is left would be flushed at the end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for line in failed:
        say("compare.py: " + line)
    return 130 if interrupted else 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
