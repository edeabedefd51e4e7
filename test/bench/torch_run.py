"""Training steps in PyTorch, timed: the options and the measuring of torch_step.py, torch_text.py,
torch_speech.py and torch_contrast.py.

A step is zero_grad, forward, backward and AdamW on one batch of noise, the same at every step; no
clipping, no dropout, as in `steady bench steps`.  Weights, moments and gradients are fp32.  With
--precision bf16, products are bf16: by autocast, or (--bf16 products) inside fp32 products, which
oneDNN then computes in bf16.

Memory of activations = peak RSS - RSS before the model - 16 bytes a parameter (the weight, its
gradient, two moments).  "Before the model" is after importing PyTorch, making the batch and one
small product, and, with --compile, one small compilation; what compiling the model itself leaves
in memory counts.  PyTorch's time depends on malloc: docs/performance.md names the settings.
"""
import argparse
import contextlib
import json
import re
import resource
import statistics
import time

import torch


# ---------------------------------------------------------------------------------------------
# the process


def status_bytes(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def forget_peak():
    """The peak of importing PyTorch is not the model's."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def libraries():
    """Versions of the libraries that compute the products."""
    text = torch.__config__.show()
    found = [(name, re.search(pattern, text)) for name, pattern in (
        ("MKL", r"Math Kernel Library Version ([\d.]+)"), ("OpenBLAS", r"BLAS_INFO=(open)"),
        ("oneDNN", r"MKL-DNN v([\d.]+)"))]
    return ", ".join(name + (" " + match[1]).replace(" open", "") for name, match in found if match)


def gemm_gflops(precision, seconds=0.5, n=2048):
    a, b = torch.rand(2, n, n, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    c, best, end = torch.empty_like(a), 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(a, b.t(), out=c)
        best = max(best, 2 * n**3 / (time.perf_counter() - start) / 1e9)
    return best


# ---------------------------------------------------------------------------------------------
# the steps


def forward_of(shape, model, loss_of):
    """The loss of a step, in the precision asked for, compiled or not."""
    cast = shape.precision == "bf16" and shape.bf16 == "autocast"
    if shape.precision == "bf16" and shape.bf16 == "products":
        torch.set_float32_matmul_precision("medium")

    def forward():
        with torch.autocast("cpu", torch.bfloat16) if cast else contextlib.nullcontext():
            return loss_of(model)

    if shape.compile == "no":
        return forward
    mode = None if shape.compile == "default" else shape.compile
    return torch.compile(forward, mode=mode, dynamic=False)


def optimizer_of(shape, model):
    settings = {"fused": dict(fused=True), "foreach": dict(foreach=True),
                "loop": dict(foreach=False)}[shape.optimizer]
    return torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05, **settings)


def prepare(shape):
    """Loads what the first step would load, so that it is not taken for the model's memory."""
    torch.rand(256, 256) @ torch.rand(256, 256)
    if shape.compile != "no":
        w = torch.rand(8, 8, requires_grad=True)
        torch.compile(lambda: torch.relu(w @ w).sum(), dynamic=False)().backward()
    forget_peak()
    return status_bytes("VmRSS")


def train(shape, setup):
    """Runs the steps; times of all of them in ms, losses, page faults, and memory."""
    build, loss_of = setup(shape)
    before = prepare(shape)
    model = build()
    if shape.layout == "channels-last":
        model.to(memory_format=torch.channels_last)
    forward, optimizer = forward_of(shape, model, loss_of), optimizer_of(shape, model)
    parameters = sum(p.numel() for p in model.parameters())
    times, spent, losses, faults = [], [], [], []
    for _ in range(shape.warmup + shape.steps):
        faults_before, start = page_faults(), time.perf_counter()
        spent_before = time.process_time()
        optimizer.zero_grad(set_to_none=True)
        loss = forward()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        times.append(1000 * (time.perf_counter() - start))
        spent.append(1000 * (time.process_time() - spent_before))
        faults.append(page_faults() - faults_before)
    peak = status_bytes("VmHWM")
    return dict(step_ms=times[shape.warmup:], warmup_ms=times[:shape.warmup], loss=losses,
                processor_ms=statistics.median(spent[shape.warmup:]),
                least_processor_ms=min(spent[shape.warmup:]),
                page_faults=faults[shape.warmup:], rss_before=before, rss_peak=peak,
                parameters=parameters, activation_bytes=peak - before - 16 * parameters)


# ---------------------------------------------------------------------------------------------
# command line


def arguments(description, models, standard, sizes):
    """sizes: what may be given in place of the model's."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=sorted(models), default=standard)
    for name in sizes:
        parser.add_argument("--" + name, type=int, help="instead of the model's")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=8, help="that are timed")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--norm", choices=("pre", "none"), default="pre")
    parser.add_argument("--sigma", action="store_true",
                        help="sigmaReparam on every layer (of texts: of the blocks)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--bf16", choices=("autocast", "products"), default="autocast")
    parser.add_argument("--compile", choices=("no", "default", "max-autotune"), default="no")
    parser.add_argument("--attention", choices=("sdpa", "matmul"), default="sdpa")
    parser.add_argument("--optimizer", choices=("fused", "foreach", "loop"), default="fused")
    parser.add_argument("--layout", choices=("contiguous", "channels-last"), default="contiguous")
    parser.add_argument("--json", action="store_true")
    shape = parser.parse_args()
    for name, value in models[shape.model].items():
        if getattr(shape, name, None) is None:
            setattr(shape, name, value)
    return shape


def run(shape, setup):
    """Trains and prints."""
    torch.manual_seed(1)
    torch.set_num_threads(shape.threads)
    result = dict(program="torch", torch=torch.__version__, name=shape.model, **vars(shape))
    result.pop("json")
    result.update(train(shape, setup))
    result["median_ms"] = statistics.median(result["step_ms"])
    result["libraries"] = libraries()
    result["gemm_gflops"] = gemm_gflops(shape.precision)
    if shape.json:
        print(json.dumps(result))
        return
    print("PyTorch %s, %s, %d threads, GEMM %.0f GFLOP/s in %s" % (
        result["torch"], result["libraries"], shape.threads, result["gemm_gflops"],
        shape.precision))
    print("%s, batch %d: %.1f ms a step (median of %d; the first took %.0f ms), loss %.4f -> %.4f"
          % (shape.model, shape.batch, result["median_ms"], shape.steps,
             (result["warmup_ms"] or result["step_ms"])[0], result["loss"][0], result["loss"][-1]))
    print("%.1f M parameters, activations %.1f MB, peak %.1f MB, page faults a step %.0f" % (
        result["parameters"] / 1e6, result["activation_bytes"] / 1e6, result["rss_peak"] / 1e6,
        statistics.median(result["page_faults"])))
