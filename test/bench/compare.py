#!/usr/bin/env python3
"""The same training steps here and in PyTorch, side by side in one run: a table in Markdown.

    make
    python3 test/bench/compare.py                          all four ViTs, about 10 minutes
    python3 test/bench/compare.py --models vit-s16 --rounds 5 --threads 2
    python3 test/bench/compare.py --models texts           GPT-2 and translators
    python3 test/bench/compare.py --models mt-6l --sigma   with sigmaReparam on both sides
    python3 test/bench/compare.py --models asr-12l --threads 1 --seconds 0
    python3 test/bench/compare.py --models cifar-simclr    a contrastive step

A round is one process of each kind after the other (here, PyTorch, here with
train.recompute=block), so that all see the same machine; the table has medians over the rounds,
and the ratios are medians of each round's ratio.  Where other programs run, look at the ratio of the
fastest steps, and with one thread at that of processor times (several threads wait for each other
in loops, which counts).  Both sides run the OpenBLAS kernels that
`steady doctor` finds right; PyTorch gets a malloc that keeps its pages, without which it is
slower.  Needs the Python that has PyTorch (Debian: python3-torch) at --python; itself it needs
the standard library alone.
"""
import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = ["vit-ti16", "vit-s16", "vit-b16", "cifar-vit"]
TEXTS = ["gpt2-124m", "mt-6l", "mt-18l", "shakespeare-char"]
SPEECH = ["asr-12l", "asr-36l", "asr-72l"]
VIEWS = ["cifar-simclr", "simclr-b16"]
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184",
          "MALLOC_TOP_PAD_": "268435456"}
TORCH_WARM_UP = 4  # steps until its heap has stopped growing, or nearly


def median(rows, key):
    return statistics.median(row[key] for row in rows)


# ---------------------------------------------------------------------------------------------
# running


def environment(options):
    """Neither side inherits a choice of kernels or threads; both get the doctor's."""
    env = {key: value for key, value in os.environ.items()
           if not key.startswith(("OPENBLAS_", "OMP_", "GOMP_", "MALLOC_"))}
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


def run(command, env):
    """The JSON objects that it prints."""
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit("%s\nfailed with %d:\n%s" % (" ".join(command), done.returncode, done.stderr))
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_here(options, env, model, words=()):
    sigma = ["model.reparam=sigma"] if options.sigma else []
    machine, step = run([options.steady, "bench", "steps", "--json", "--model", model,
                         "--repeat", str(options.steps), "--seconds", str(options.seconds), *sigma,
                         *words], env)
    return machine, step


def run_torch(options, env, model):
    script = ("torch_step.py" if model in MODELS else
              "torch_contrast.py" if model in VIEWS else
              "torch_speech.py" if model in SPEECH else "torch_text.py")
    command = [options.python, os.path.join(HERE, script), "--json", "--model", model,
               "--steps", str(options.steps), "--warmup", str(TORCH_WARM_UP),
               "--threads", env["OMP_NUM_THREADS"]] + ["--sigma"] * options.sigma
    return run(command, {**env, **MALLOC})[0]


def check(model, here, torch):
    """Both trained the same thing: sizes agree, losses are finite and fall."""
    if here["parameters"] != torch["parameters"]:
        sys.exit("%s has %d parameters here, %d in PyTorch" % (
            model, here["parameters"], torch["parameters"]))
    for side, losses in (("here", here["loss"]), ("in PyTorch", torch["loss"])):
        if not all(map(math.isfinite, losses)) or len(losses) > 2 and losses[-1] >= losses[0]:
            sys.exit("%s: the loss %s does not fall: %s" % (model, side, losses))


def rounds_of(options, env, model):
    rows = []
    for i in range(options.rounds):
        (all_before, ours_before), start = busy_seconds(), time.monotonic()
        machine, here = run_here(options, env, model)
        torch = run_torch(options, env, model)
        block = run_here(options, env, model, ["train.recompute=block"])[1]
        check(model, here, torch)
        all_after, ours_after = busy_seconds()
        others = max(0.0, (all_after - all_before - ours_after + ours_before) /
                     (time.monotonic() - start) / os.cpu_count())
        rows.append(dict(machine=machine, here=here, torch=torch, block=block, others=others))
        print("%s, round %d of %d: here %.1f ms, PyTorch %.1f ms, recomputed %.1f ms, GEMM %.0f"
              " and %.0f GFLOP/s, other programs %.0f %%" % (
                  model, i + 1, options.rounds, here["median_ms"], torch["median_ms"],
                  block["median_ms"], here["gemm_gflops"], torch["gemm_gflops"], 100 * others),
              file=sys.stderr, flush=True)
    return rows


# ---------------------------------------------------------------------------------------------
# showing


def ratio(rows, above, below, key):
    return statistics.median(row[above][key] / row[below][key] for row in rows)


def fastest(rows, side):
    """Another program only adds time: on a busy machine the fastest steps compare best."""
    return min(min(row[side]["step_ms"]) for row in rows)


def share(rows, side):
    """Of the product's rate in the same round, the better of what both sides measured."""
    return statistics.median(row["here"]["flops"] / (row[side]["median_ms"] * 1e6) / max(
        row["here"]["gemm_gflops"], row["torch"]["gemm_gflops"]) for row in rows)


def table(results):
    lines = ["| step | PyTorch ms | here ms | PyTorch / here | fastest steps: PyTorch / "
             "here | processor time: PyTorch / here | share of GEMM: PyTorch | here | MB: PyTorch | here | here / PyTorch | "
             "recompute = block: time | memory / PyTorch | page faults a step: PyTorch | here |",
             "| --- " * 15 + "|"]
    for model, rows in results.items():
        here, torch, block = ([row[side] for row in rows] for side in ("here", "torch", "block"))
        faults = statistics.median(statistics.mean(row["page_faults"]) for row in torch)
        lines.append(
            "| %s, batch %d | %.1f | %.1f | %.2f | %.2f | %.2f | %.0f %% | %.0f %% | %.0f | %.0f | %.2f | "
            "%+.0f %% | %.2f | %.0f | %.1f |" % (
                model, here[0]["batch"], median(torch, "median_ms"), median(here, "median_ms"),
                ratio(rows, "torch", "here", "median_ms"),
                fastest(rows, "torch") / fastest(rows, "here"),
                ratio(rows, "torch", "here", "processor_ms"), 100 * share(rows, "torch"),
                100 * share(rows, "here"), median(torch, "activation_bytes") / 1e6,
                median(here, "activation_bytes") / 1e6,
                ratio(rows, "here", "torch", "activation_bytes"),
                100 * (ratio(rows, "block", "here", "median_ms") - 1),
                ratio(rows, "block", "torch", "activation_bytes"), faults,
                median(here, "page_faults")))
    return "\n".join(lines)


def facts(options, env, results):
    rows = [row for rows in results.values() for row in rows]
    machine, torch = rows[0]["machine"], rows[0]["torch"]
    chosen = env.get("OPENBLAS_CORETYPE")
    return (
        "%s, %s threads; steady %s; PyTorch %s (%s).  OpenBLAS %s: %s kernels here, %s in "
        "PyTorch (OPENBLAS_CORETYPE %s).  GEMM %.0f GFLOP/s here, %.0f in PyTorch.  Medians of "
        "%d rounds of %d steps, AdamW, LayerNorm before%s, fp32; PyTorch with %s.  Other "
        "programs took %.0f %% of the processors (median of the rounds; at most %.0f %%)." % (
            machine["processor"], env["OMP_NUM_THREADS"], machine["steady"], torch["torch"],
            torch["blas"], machine["openblas"], machine["core"], torch["core"],
            "= " + chosen if chosen else "not set",
            median([row["here"] for row in rows], "gemm_gflops"),
            median([row["torch"] for row in rows], "gemm_gflops"), options.rounds, options.steps,
            " and sigmaReparam" if options.sigma else "",
            " ".join("%s=%s" % pair for pair in MALLOC.items()), 100 * median(rows, "others"),
            100 * max(row["others"] for row in rows)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS),
                        help="parted by commas; texts: %s; also %s" % (",".join(TEXTS), ",".join(SPEECH + VIEWS)))
    parser.add_argument("--sigma", action="store_true", help="sigmaReparam on both sides")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="timed in each process, after two here and four there")
    parser.add_argument("--seconds", type=float, default=0.2, help="for each reading of GEMM here")
    parser.add_argument("--threads", type=int, help="default: the doctor's choice")
    parser.add_argument("--core", help="OPENBLAS_CORETYPE for both, instead of the doctor's")
    parser.add_argument("--steady", default=os.path.join(HERE, "../../build/steady"))
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has PyTorch")
    parser.add_argument("--raw", help="file for all that was measured, an object a line")
    return parser.parse_args()


def main():
    options = arguments()
    env = environment(options)
    results = {}
    for model in (",".join(TEXTS) if options.models == "texts" else options.models).split(","):
        results[model] = rounds_of(options, env, model)
        if options.raw:
            with open(options.raw, "a") as file:
                for row in results[model]:
                    file.write(json.dumps(row) + "\n")
    print(facts(options, env, results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
