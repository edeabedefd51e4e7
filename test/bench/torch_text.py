#!/usr/bin/python3
"""Training steps of language models and translators in PyTorch, timed: the rival of
`steady bench steps`.  torch_run.py measures.

    PYTHON test/bench/torch_text.py --model gpt2-124m --threads 2
    PYTHON test/bench/torch_text.py --model mt-6l --precision bf16 --compile default --json

gpt2-124m and shakespeare-char are GPT-2 (LayerNorm before each branch, exact GELU, learned
positions, output tied); mt-* are fairseq's encoder-decoder (LayerNorm before, ReLU, sinusoidal
positions, one embedding for encoder, decoder and output, label smoothing 0.1).  One batch of random
tokens, none of them padding, the same at every step.

Written for speed: queries, keys and values are one product, of the memory keys and values are.
[T, B, D] instead of [B, T, D], which saves copies in attention, and one product for each of q, k, v
were no faster (PyTorch 1.13).
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from torch_parts import SigmaLinear, attend, split_heads
from torch_run import arguments, run

LANGUAGE = dict(kind="language", activation="gelu")
TRANSLATE = dict(kind="translate", activation="relu", width=512, heads=8, vocab=8000, length=32,
                 batch=32)
MODELS = {
    "gpt2-124m": dict(LANGUAGE, width=768, depth=12, heads=12, vocab=50257, length=64, batch=4),
    "shakespeare-char": dict(LANGUAGE, width=128, depth=4, heads=4, vocab=65, length=64,
                             batch=12),
    "mt-6l": dict(TRANSLATE, depth=6),
    "mt-18l": dict(TRANSLATE, depth=18),
    "mt-100l": dict(TRANSLATE, depth=100),
}
SMOOTHING = 0.1


# ---------------------------------------------------------------------------------------------
# the models


class Attention(nn.Module):
    """Self-attention, or with `cross` attention to a memory."""

    def __init__(self, linear, shape, cross=False):
        super().__init__()
        width = shape.width
        self.heads, self.way, self.cross = shape.heads, shape.attention, cross
        if cross:
            self.q, self.kv = linear(width, width), linear(width, 2 * width)
        else:
            self.qkv = linear(width, 3 * width)
        self.proj = linear(width, width)

    def forward(self, x, mask=None, memory=None):
        if self.cross:
            q = split_heads(self.q(x), 1, self.heads)
            qkv = (*q, *split_heads(self.kv(memory), 2, self.heads))
        else:
            qkv = split_heads(self.qkv(x), 3, self.heads)
        return self.proj(attend(self.way, *qkv, mask))


class Block(nn.Module):
    def __init__(self, linear, norm, shape, cross=False):
        super().__init__()
        width, hidden = shape.width, 4 * shape.width
        self.norm1, self.attn = norm(width), Attention(linear, shape)
        if cross:
            self.norm2 = norm(width)
            self.cross = Attention(linear, shape, cross=True)
        self.norm3, self.fc1, self.fc2 = norm(width), linear(width, hidden), linear(hidden, width)
        self.activation = F.gelu if shape.activation == "gelu" else F.relu

    def forward(self, x, mask=None, memory=None):
        x = x + self.attn(self.norm1(x), mask)
        if memory is not None:
            x = x + self.cross(self.norm2(x), memory=memory)
        return x + self.fc2(self.activation(self.fc1(self.norm3(x))))


class Stack(nn.Module):
    def __init__(self, shape, cross=False):
        super().__init__()
        linear = SigmaLinear if shape.sigma else nn.Linear

        def norm(n):
            return nn.LayerNorm(n, eps=1e-5) if shape.norm == "pre" else nn.Identity()

        self.blocks = nn.ModuleList([Block(linear, norm, shape, cross)
                                     for _ in range(shape.depth)])
        self.norm = norm(shape.width)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x, mask=None, memory=None):
        for block in self.blocks:
            x = block(x, mask, memory)
        return self.norm(x)


def causal(length):
    return torch.full((length, length), -math.inf).triu(1)


class Language(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embed = nn.Embedding(shape.vocab, shape.width)
        self.pos_embed = nn.Parameter(torch.randn(shape.length, shape.width) * 0.02)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.stack = Stack(shape)
        self.register_buffer("mask", causal(shape.length))

    def forward(self, ids):
        x = self.stack(self.embed(ids) + self.pos_embed, self.mask)
        return F.linear(x, self.embed.weight)


class Translator(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embed = nn.Embedding(shape.vocab, shape.width)
        nn.init.normal_(self.embed.weight, std=shape.width ** -0.5)
        half = shape.width // 2
        rate = torch.exp(torch.arange(half) * (-math.log(10000) / (half - 1)))
        angle = torch.arange(2, shape.length + 2)[:, None] * rate
        self.register_buffer("positions", torch.cat([angle.sin(), angle.cos()], 1))
        self.register_buffer("mask", causal(shape.length))
        self.encoder, self.decoder = Stack(shape), Stack(shape, cross=True)

    def vectors(self, ids):
        return self.embed(ids) * math.sqrt(self.embed.embedding_dim) + self.positions

    def forward(self, source, target):
        memory = self.encoder(self.vectors(source))
        x = self.decoder(self.vectors(target), self.mask, memory)
        return F.linear(x, self.embed.weight)


# ---------------------------------------------------------------------------------------------
# the steps


def texts(shape):
    """A batch of random tokens: how to build the model, and the loss that a step begins
    with."""
    source, ids, labels = torch.randint(4, shape.vocab, (3, shape.batch, shape.length))
    labels = labels.flatten()
    if shape.kind == "language":
        return (lambda: Language(shape),
                lambda model: F.cross_entropy(model(ids).flatten(0, 1), labels))
    # fairseq's smoothing, s / (V - 1) of every class, is PyTorch's with s V / (V - 1)
    smoothing = SMOOTHING * shape.vocab / (shape.vocab - 1)
    return (lambda: Translator(shape),
            lambda model: F.cross_entropy(model(source, ids).flatten(0, 1), labels,
                                          label_smoothing=smoothing))


if __name__ == "__main__":
    run(arguments(__doc__, MODELS, "gpt2-124m",
                  ("width", "depth", "heads", "vocab", "length", "batch")), texts)
