#!/usr/bin/env python3
"""A training step by 1 to 128 cores, from counted operations and bytes (docs/scaling.md).

    python3 test/bench/cores.py                      tables, for one core as measured below
    python3 test/bench/cores.py --measure            one core and two of this machine first, and how far the
                                                     model is from both (about two minutes, quiet)
    python3 test/bench/cores.py --core 230 --stream 50 --memory 350 --share 0.7

A step is products (with the share of threads that their tiles keep busy), passes over memory, and loops that
all threads end together:

    step(T) = sum over products 2 m n k / (T used(T) core quality) + passes / (T stream)
              + bytes / min(T stream, memory) + loops (start + join log2 T) + alone

Passes over activations stay in the cores' caches (steps are cut into pieces that fit them); weights, optimizer, logits
and what is kept for the backward pass come from memory, which all cores share.  `quality` is fitted to one
thread's step; the rates of a core and of memory are measured or given.
"""
import argparse
import json
import math
import subprocess
import sys

CORES = [1, 2, 4, 8, 16, 32, 64, 128]
ASKED = [16, 64, 128]
START, JOIN = 1e-6, 0.5e-6  # seconds of a parallel loop: assumed, of GNU's run-time while its threads spin
ALONE = 2e-4                # seconds of a step by one thread: batch, records of the tape, a row of the log
QUALITY = 0.95              # of products, where it is not measured: share of the large product that theirs reach

# Tiles of engine/kern/panel.c (rows of a tile, columns of a panel, least rows of a thread) and gemm.c.
ROWS, PANEL, ROWS_MIN, GRAIN, COPY = 6, 64, 48, 16, 32


class Model:
    """Blocks on `tokens` rows an example; cross: a translator, `depth` blocks a side."""

    def __init__(self, name, width, depth, heads, batch, tokens, parameters, vocab=0, cross=False):
        self.name, self.width, self.depth, self.heads = name, width, depth, heads
        self.batch, self.tokens, self.parameters = batch, tokens, parameters
        self.vocab, self.cross = vocab, cross

    def products(self, batch):
        """(m, n, k, how often, shared out how) of a step: y = x W^T, dx, dW of each layer."""
        rows, d = batch * self.tokens, self.width
        sides = 2 if self.cross else 1
        layers = [(3 * d, d), (d, d), (4 * d, d), (d, 4 * d)]
        found = []
        for out, inputs in layers:
            found.append((rows, out, inputs, sides * self.depth, panels))
            found.append((rows, inputs, out, sides * self.depth, panels))
            found.append((out, inputs, rows, sides * self.depth, tiles))
        if self.cross:
            for out in (d, 2 * d, d):
                found.append((rows, out, d, self.depth, panels))
                found.append((rows, d, out, self.depth, panels))
                found.append((out, d, rows, self.depth, tiles))
        if self.vocab:
            found.append((rows, self.vocab, d, 1, tiles))
            found.append((rows, d, self.vocab, 1, tiles))
            found.append((self.vocab, d, rows, 1, tiles))
        return found

    def heads_flops(self, batch):
        """Of attention: q k^T and p v, three times, one (example, head) a turn."""
        sites = self.depth * (3 if self.cross else 1)
        return 12 * batch * self.tokens ** 2 * self.width * sites

    def sites(self, batch):
        """Numbers of one tensor of the residual stream, times blocks; a decoder's block counts for 1.5."""
        return batch * self.tokens * self.width * self.depth * (2.5 if self.cross else 1)

    def passes(self, batch):
        """Bytes that blocks read and write outside of products, fp32.  Of a token and width, forward: norms 16,
        q k v 24, attention's output 8, residuals 24, fc1 and its activation 32; backward twice that, and 32 for
        norms and activation that are made again; without the 80 of kept()."""
        return 264 * self.sites(batch)

    def memory(self, batch):
        """Of a parameter 60: gradient 12 (cleared, then added to), its norm 4, AdamW 28, W packed twice 16.  Of a
        logit 20.  Of a token and width in a block 80: ten numbers kept, written and read."""
        return 60 * self.parameters + 20 * batch * self.tokens * self.vocab + 80 * self.sites(batch)

    def loops(self):
        return (45 if not self.cross else 110) * self.depth + 20


def panels(m, n, threads):
    """Share of the threads' time that is work: threads share rows, where there are too few panels too."""
    across_all = math.ceil(n / PANEL)
    down = min(threads, math.ceil(m / ROWS_MIN))
    across = max(1, min(threads // down, across_all))
    longest = math.ceil(math.ceil(m / ROWS) / down) * ROWS * math.ceil(across_all / across) * PANEL
    return min(1, m * n / (threads * longest))


def tiles(m, n, threads):
    """One tile of C a thread; up to three threads have strips of the longer side."""
    def length(size, count):
        return math.ceil(math.ceil(size / GRAIN) / count) * GRAIN

    def copied(rows):
        down, across = length(m, rows), length(n, threads // rows)
        return down * across + COPY * (down + across)

    rows = min((r for r in range(1, threads + 1) if threads % r == 0), key=copied)
    if threads < 4:
        rows = threads if m >= n else 1
    return min(1, m * n / (threads * length(m, rows) * length(n, threads // rows)))


def turns(count, threads):
    return count / (threads * math.ceil(count / threads))


class Machine:
    def __init__(self, core, stream, memory):
        self.core, self.stream, self.memory = core * 1e9, stream * 1e9, memory * 1e9


def parts(model, batch, threads, machine, quality):
    products = sum(2 * m * n * k * often / (threads * used(m, n, threads))
                   for m, n, k, often, used in model.products(batch))
    heads = model.heads_flops(batch) / (threads * turns(batch * model.heads, threads))
    bandwidth = min(threads * machine.stream, machine.memory)
    return {"products": (products + heads) / (machine.core * quality),
            "passes": model.passes(batch) / (threads * machine.stream),
            "memory": model.memory(batch) / bandwidth,
            "loops": model.loops() * (START + JOIN * math.log2(threads)) if threads > 1 else 0,
            "alone": ALONE}


def seconds(*arguments):
    return sum(parts(*arguments).values())


def fitted(model, machine, one_thread):
    """Quality of the products by which one thread's step is what was measured."""
    rest = parts(model, model.batch, 1, machine, 1)
    return rest["products"] / (one_thread - sum(v for k, v in rest.items() if k != "products"))


# Width, depth, heads, batch, tokens, parameters: those of `steady bench`.
MODELS = [
    Model("vit-ti16", 192, 12, 3, 8, 197, 5.72e6),
    Model("vit-s16", 384, 12, 6, 8, 197, 22.05e6),
    Model("vit-b16", 768, 12, 12, 8, 197, 86.57e6),
    Model("cifar-vit", 192, 12, 3, 64, 65, 5.37e6),
    Model("gpt2-124m", 768, 12, 12, 4, 64, 123.7e6, vocab=50257),
    Model("mt-6l", 512, 6, 8, 32, 32, 48.3e6, vocab=8000, cross=True),
    Model("asr-12l", 256, 12, 4, 8, 200, 9.8e6),
    Model("shakespeare-char", 128, 4, 4, 12, 64, 0.81e6, vocab=65),
]


def bench(steady, *words):
    command = [steady, "bench", *words, "--json"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"cores.py: --steady {steady}: {error.strerror}")
    if ran.returncode:
        sys.exit(f"cores.py: {' '.join(command)}: exit {ran.returncode}, {ran.stderr.strip() or 'silent'}")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def measure(steady, names, repeat):
    """Prints one thread and two, measured and by the model; returns the first and the fitted qualities."""
    heads = {n: bench(steady, "kernels", "--model", "vit-ti16", "--threads", str(n), "--repeat", "1")[0]
             for n in (1, 2)}
    machine = Machine(heads[1]["gemm_gflops"], heads[1]["bandwidth_gbs"], heads[2]["bandwidth_gbs"])
    gain = heads[2]["gemm_gflops"] / heads[1]["gemm_gflops"]
    print(f"one core {machine.core / 1e9:.0f} GFLOP/s, {machine.stream / 1e9:.1f} GB/s; two {gain:.2f} times, "
          f"{machine.memory / 1e9:.1f} GB/s\n")
    print("| step | 1 thread, ms | quality | 2 threads, ms | by the model | apart |")
    print("| --- | --- | --- | --- | --- | --- |")
    quality = {}
    for model in MODELS:
        if names and model.name not in names:
            continue
        one, two = (bench(steady, "steps", "--model", model.name, "--threads", str(n), "--repeat", str(repeat))[-1]
                    for n in (1, 2))
        model.parameters = one["parameters"]
        quality[model.name] = q = fitted(model, machine, one["least_ms"] / 1e3)
        slower = Machine(heads[2]["gemm_gflops"] / 2, heads[1]["bandwidth_gbs"], heads[2]["bandwidth_gbs"])
        said = 1e3 * seconds(model, model.batch, 2, slower, q)
        print(f"| {model.name} | {one['least_ms']:.1f} | {q:.2f} | {two['least_ms']:.1f} | {said:.1f} | "
              f"{100 * (said / two['least_ms'] - 1):+.1f} % |")
    print()
    return machine, quality


def table(machine, quality):
    print("| step at its own batch | ms by 1 core | " + " | ".join(f"{n}" for n in CORES[1:]) + " |")
    print("| --- " * (len(CORES) + 1) + "|")
    for model in MODELS:
        q = quality.get(model.name, QUALITY)
        one = seconds(model, model.batch, 1, machine, q)
        gains = [one / seconds(model, model.batch, n, machine, q) for n in CORES[1:]]
        print(f"| {model.name}, {model.batch} | {1e3 * one:.0f} | " + " | ".join(f"{g:.1f}" for g in gains) + " |")
    print()


def paying(model, threads, machine, q, share):
    """The smallest batch, a power of two times the model's, by which so many cores have `share` of their gain."""
    batch = model.batch
    while batch < 1 << 20:
        one, many = (seconds(model, batch, n, machine, q) for n in (1, threads))
        if one / many >= share * threads:
            return batch, many, parts(model, batch, threads, machine, q)
        batch *= 2
    return None


def batches(machine, quality, share):
    print("| step | " + " | ".join(f"{n} cores" for n in ASKED) + " |")
    print("| --- " * (len(ASKED) + 1) + "|")
    for model in MODELS:
        cells = []
        for threads in ASKED:
            found = paying(model, threads, machine, quality.get(model.name, QUALITY), share)
            if not found:
                cells.append("none")
                continue
            batch, many, part = found
            cells.append(f"{batch} ({1e3 * many:.0f} ms, memory {100 * part['memory'] / many:.0f} %)")
        print(f"| {model.name} | " + " | ".join(cells) + " |")


def positive(kind, most=math.inf):
    def number(text):
        value = kind(text)
        if not 0 < value <= most or value == math.inf:
            raise argparse.ArgumentTypeError(f"{text}: expected above 0" + (f", at most {most}" if most < math.inf else ""))
        return value
    number.__name__ = kind.__name__  # argparse names it where the text is no number
    return number


def models(text):
    names = [name.strip() for name in text.split(",")] if text else []
    known = [model.name for model in MODELS]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"'{name}' is not known; expected {', '.join(known)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=positive(float), default=230, help="GFLOP/s of one core's product")
    parser.add_argument("--stream", type=positive(float), default=50, help="GB/s that one core moves")
    parser.add_argument("--memory", type=positive(float), default=350, help="GB/s that all cores move")
    parser.add_argument("--share", type=positive(float, 1), default=0.7, help="of the gain of T cores that pays")
    parser.add_argument("--measure", action="store_true", help="this machine's core, and the model against it")
    parser.add_argument("--steady", default="build/steady")
    parser.add_argument("--models", type=models, default=[], help="those to measure, with commas (default: all)")
    parser.add_argument("--repeat", type=positive(int), default=7)
    a = parser.parse_args()
    machine, quality = Machine(a.core, a.stream, a.memory), {}
    if a.measure:
        here, quality = measure(a.steady, a.models, a.repeat)
        machine = Machine(here.core / 1e9, here.stream / 1e9, a.memory)
    table(machine, quality)
    batches(machine, quality, a.share)


if __name__ == "__main__":
    main()
