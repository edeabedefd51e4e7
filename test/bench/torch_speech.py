#!/usr/bin/python3
"""Training steps of a speech recogniser in PyTorch, timed: the rival of `steady bench steps`.
torch_run.py measures.

    PYTHON test/bench/torch_speech.py --model asr-12l --threads 2
    PYTHON test/bench/torch_speech.py --model asr-12l --sigma --norm none --json

The encoder of Zhai et al. 2023, Appendix E: masked norm, convolution of 7 frames, 3 apart, GLU, CAPE,
blocks without biases but for one number in front of queries, keys and values, ReLU, LayerNorm
before each branch, CTC over 29 labels.  One batch of noise, all utterances of one length, the
same at every step.

Written for speed: queries, keys and values are one product, CAPE's sines are taken once for all
utterances.  CTC is PyTorch's own for CPUs.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from torch_parts import SigmaLinear, attend, split_heads
from torch_run import arguments, run

FILTERS, KERNEL, STRIDE, LABELS, BLANK, ROWS_A_LABEL = 80, 7, 3, 29, 28, 5
SECONDS_A_ROW, SHIFT = 0.03, 30
MODELS = {
    "asr-12l": dict(width=256, depth=12, heads=4, length=200, batch=8),
    "asr-36l": dict(width=768, depth=36, heads=4, length=400, batch=4),
    "asr-72l": dict(width=768, depth=72, heads=4, length=400, batch=4),
}


class Block(nn.Module):
    def __init__(self, linear, norm, shape):
        super().__init__()
        width = shape.width
        self.heads, self.way = shape.heads, shape.attention
        self.norm1, self.norm2 = norm(width), norm(width)
        self.shift = nn.Parameter(torch.zeros(1))
        self.qkv, self.proj = linear(width, 3 * width), linear(width, width)
        self.fc1, self.fc2 = linear(width, 4 * width), linear(4 * width, width)

    def attend(self, x):
        qkv = self.qkv(x + self.shift)
        return self.proj(attend(self.way, *split_heads(qkv, 3, self.heads)))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.fc2(F.relu(self.fc1(self.norm2(x))))


class Speech(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width, sigma, pre = shape.width, shape.sigma, shape.norm == "pre"

        def linear(inputs, outputs, bias=False):
            return (SigmaLinear if sigma else nn.Linear)(inputs, outputs, bias=bias)

        def norm(n):
            return nn.LayerNorm(n) if pre else nn.Identity()

        self.gain, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))
        self.conv = nn.Conv1d(FILTERS, 2 * width, KERNEL, STRIDE)
        frequency = 30 * 10000 ** (-2 * (torch.arange(width) // 2) / width)
        self.register_buffer("frequency", frequency)
        self.register_buffer("phase", torch.arange(width) % 2 * math.pi / 2)
        self.blocks = nn.Sequential(*[Block(linear, norm, shape) for _ in range(shape.depth)])
        self.norm, self.head = norm(width), linear(width, LABELS, bias=True)
        fan_in = FILTERS * KERNEL
        nn.init.uniform_(self.conv.weight, -math.sqrt(3 / fan_in), math.sqrt(3 / fan_in))
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features ** -0.5
                nn.init.uniform_(module.weight, -bound, bound)

    def positions(self, batch, rows):
        """The length is the same for all, the shift is not."""
        seconds = SECONDS_A_ROW * torch.arange(rows)
        shift = (2 * torch.rand(batch, 1, 1) - 1) * SHIFT
        base = torch.outer(seconds - seconds.mean(), self.frequency) + self.phase
        angle = shift * self.frequency  # sin(a + b) from [T, D] and [B, 1, D] sines
        return base.sin() * angle.cos() + base.cos() * angle.sin()

    def forward(self, x):
        """[B, frames, filters], nothing of it padding."""
        mean = x.mean((1, 2), keepdim=True)
        std = x.std((1, 2), unbiased=False, keepdim=True)
        x = self.gain * (x - mean) / (std + 1e-7) + self.bias
        rows = -(-x.shape[1] // STRIDE)
        padding = max(0, (rows - 1) * STRIDE + KERNEL - x.shape[1])
        x = F.pad(x.transpose(1, 2), (padding // 2, padding - padding // 2))
        x = F.glu(self.conv(x), 1).transpose(1, 2)
        return self.head(self.norm(self.blocks(x + self.positions(len(x), rows))))


def speech(shape):
    """A batch of noise: how to build the model, and the loss that a step begins with."""
    count = shape.length // ROWS_A_LABEL
    x = torch.randn(shape.batch, STRIDE * shape.length, FILTERS)
    labels = torch.randint(BLANK, (shape.batch, count))
    rows, counts = (torch.full((shape.batch,), n) for n in (shape.length, count))

    def loss_of(model):
        scores = model(x).log_softmax(-1).transpose(0, 1)
        loss = F.ctc_loss(scores, labels, rows, counts, BLANK, reduction="sum")
        return loss / shape.batch

    return lambda: Speech(shape), loss_of


if __name__ == "__main__":
    run(arguments(__doc__, MODELS, "asr-12l", ("width", "depth", "heads", "length", "batch")), speech)
