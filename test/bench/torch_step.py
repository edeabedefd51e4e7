#!/usr/bin/python3
"""Training steps of a vision transformer in PyTorch, timed: the rival of `steady bench steps`.

    /usr/bin/python3 test/bench/torch_step.py --model vit-s16 --batch 8 --threads 2
    /usr/bin/python3 test/bench/torch_step.py --model cifar-vit --depth 4 --sigma --norm none --json

The model is written as timm writes it: one linear layer for queries, keys and values, LayerNorm
before each branch, exact GELU, a class token, learned positions; float32, cross entropy, AdamW.
The pictures are one batch of normal numbers, the same at every step.

Memory of activations = peak RSS - RSS before the model - 16 bytes a parameter (the weight, its
gradient, two moments).  "Before the model" is after importing PyTorch, making the batch and one
small product.  PyTorch's time depends on malloc: docs/performance.md names the settings.
"""
import argparse
import ctypes
import json
import os
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

MODELS = {
    "vit-ti16": dict(image=224, patch=16, width=192, depth=12, heads=3, classes=1000, batch=8),
    "vit-s16": dict(image=224, patch=16, width=384, depth=12, heads=6, classes=1000, batch=8),
    "vit-b16": dict(image=224, patch=16, width=768, depth=12, heads=12, classes=1000, batch=8),
    "cifar-vit": dict(image=32, patch=4, width=192, depth=12, heads=3, classes=10, batch=64),
}


# ---------------------------------------------------------------------------------------------
# the model


class SigmaLinear(nn.Linear):
    """y = gamma / sigma(W) x W^T + b, as it is mostly written: one power iteration and a new
    matrix in each forward pass; the gradient goes through sigma."""

    def __init__(self, inputs, outputs, bias=True):
        super().__init__(inputs, outputs, bias=bias)
        self.gamma = nn.Parameter(torch.ones(1))
        self.register_buffer("u", F.normalize(torch.randn(inputs), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(outputs), dim=0))

    def effective_weight(self):
        with torch.no_grad():
            self.v.copy_(F.normalize(self.weight @ self.u, dim=0))
            self.u.copy_(F.normalize(self.weight.t() @ self.v, dim=0))
        sigma = self.v.clone() @ (self.weight @ self.u.clone())
        return self.gamma / sigma * self.weight

    def forward(self, x):
        return F.linear(x, self.effective_weight(), self.bias)


class PatchEmbed(nn.Module):
    def __init__(self, patch, width):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class SigmaPatchEmbed(nn.Module):
    def __init__(self, patch, width):
        super().__init__()
        self.patch = patch
        self.proj = SigmaLinear(3 * patch * patch, width)

    def forward(self, x):
        weight = self.proj.effective_weight().view(-1, 3, self.patch, self.patch)
        return F.conv2d(x, weight, self.proj.bias, stride=self.patch).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, linear, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.qkv, self.proj = linear(width, 3 * width), linear(width, width)

    def forward(self, x):
        B, T, D = x.shape
        qkv = self.qkv(x).reshape(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        attn = (q @ k.transpose(-2, -1)) * self.scale
        attn = attn.softmax(dim=-1)
        return self.proj((attn @ v).transpose(1, 2).reshape(B, T, D))


class Block(nn.Module):
    def __init__(self, linear, norm, width, heads):
        super().__init__()
        self.norm1, self.attn = norm(width), Attention(linear, width, heads)
        self.norm2 = norm(width)
        self.mlp = nn.Sequential(linear(width, 4 * width), nn.GELU(), linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, shape):
        super().__init__()
        linear = SigmaLinear if shape.sigma else nn.Linear
        width, tokens = shape.width, (shape.image // shape.patch) ** 2 + 1

        def norm(n):
            return nn.LayerNorm(n, eps=1e-6) if shape.norm == "pre" else nn.Identity()

        embed = SigmaPatchEmbed if shape.sigma else PatchEmbed
        self.patch_embed = embed(shape.patch, width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, tokens, width) * 0.02)
        self.blocks = nn.Sequential(
            *[Block(linear, norm, width, shape.heads) for _ in range(shape.depth)])
        self.norm = norm(width)
        self.head = linear(width, shape.classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x):
        x = self.patch_embed(x)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


# ---------------------------------------------------------------------------------------------
# measuring


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


def blas():
    """File and kernels of the OpenBLAS that this process runs."""
    with open("/proc/self/maps") as file:
        paths = {line.split()[-1] for line in file if "blas" in line and "/" in line}
    for path in sorted(paths):
        try:
            library = ctypes.CDLL(os.path.realpath(path))
            library.openblas_get_corename.restype = ctypes.c_char_p
            return os.path.realpath(path), library.openblas_get_corename().decode()
        except (OSError, AttributeError):
            continue
    return (sorted(paths) or ["unknown"])[0], "unknown"


def gemm_gflops(seconds=0.5, n=2048):
    a, b, c = torch.rand(n, n), torch.rand(n, n), torch.empty(n, n)
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(a, b.t(), out=c)
        best = max(best, 2 * n**3 / (time.perf_counter() - start) / 1e9)
    return best


def pictures(shape):
    """A batch of noise: how to build the model, and the loss that a step begins with."""
    x = torch.randn(shape.batch, 3, shape.image, shape.image)
    labels = torch.randint(shape.classes, (shape.batch,))
    return lambda: ViT(shape), lambda model: F.cross_entropy(model(x), labels)


def train(shape, setup):
    """Runs the steps; times of all of them in ms, losses, page faults, and memory."""
    build, loss_of = setup(shape)
    torch.rand(256, 256) @ torch.rand(256, 256)
    forget_peak()
    before = status_bytes("VmRSS")
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05)
    parameters = sum(p.numel() for p in model.parameters())
    times, spent, losses, faults = [], [], [], []
    for _ in range(shape.warmup + shape.steps):
        faults_before, start = page_faults(), time.perf_counter()
        spent_before = time.process_time()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        times.append(1000 * (time.perf_counter() - start))
        spent.append(1000 * (time.process_time() - spent_before))
        faults.append(page_faults() - faults_before)
    peak = status_bytes("VmHWM")
    return dict(step_ms=times[shape.warmup:], warmup_ms=times[:shape.warmup], loss=losses,
                processor_ms=statistics.median(spent[shape.warmup:]),
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
    result["blas"], result["core"] = blas()
    result["gemm_gflops"] = gemm_gflops()
    if shape.json:
        print(json.dumps(result))
        return
    print("PyTorch %s, %s kernels, %d threads, GEMM %.0f GFLOP/s" % (
        result["torch"], result["core"], shape.threads, result["gemm_gflops"]))
    print("%s, batch %d: %.1f ms a step (median of %d), loss %.4f -> %.4f" % (
        shape.model, shape.batch, result["median_ms"], shape.steps, result["loss"][0],
        result["loss"][-1]))
    print("%.1f M parameters, activations %.1f MB, peak %.1f MB, page faults a step %.0f" % (
        result["parameters"] / 1e6, result["activation_bytes"] / 1e6, result["rss_peak"] / 1e6,
        statistics.median(result["page_faults"])))


if __name__ == "__main__":
    run(arguments(__doc__, MODELS, "cifar-vit",
                  ("image", "patch", "width", "depth", "heads", "classes", "batch")), pictures)
