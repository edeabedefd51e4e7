#!/usr/bin/python3
"""Training steps of a vision transformer in PyTorch, timed: the rival of `steady bench steps`.

    PYTHON test/bench/torch_step.py --model vit-s16 --batch 8 --threads 2
    PYTHON test/bench/torch_step.py --model cifar-vit --depth 4 --sigma --norm none --json

The model is written as timm writes it: one linear layer for queries, keys and values, LayerNorm
before each branch, exact GELU, a class token, learned positions; cross entropy.  The pictures are
one batch of normal numbers, the same at every step.  How it is run - precision, compilation,
attention, optimizer - are options of torch_run.py, which measures.
"""
import torch
import torch.nn.functional as F
from torch import nn

from torch_parts import SigmaLinear, attend, split_heads
from torch_run import arguments, run

MODELS = {
    "vit-ti16": dict(image=224, patch=16, width=192, depth=12, heads=3, classes=1000, batch=8),
    "vit-s16": dict(image=224, patch=16, width=384, depth=12, heads=6, classes=1000, batch=8),
    "vit-b16": dict(image=224, patch=16, width=768, depth=12, heads=12, classes=1000, batch=8),
    "cifar-vit": dict(image=32, patch=4, width=192, depth=12, heads=3, classes=10, batch=64),
}


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
    def __init__(self, linear, shape):
        super().__init__()
        width = shape.width
        self.heads, self.way = shape.heads, shape.attention
        self.qkv, self.proj = linear(width, 3 * width), linear(width, width)

    def forward(self, x):
        return self.proj(attend(self.way, *split_heads(self.qkv(x), 3, self.heads)))


class Block(nn.Module):
    def __init__(self, linear, norm, shape):
        super().__init__()
        width = shape.width
        self.norm1, self.attn = norm(width), Attention(linear, shape)
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
            *[Block(linear, norm, shape) for _ in range(shape.depth)])
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


def pictures(shape):
    """A batch of noise: how to build the model, and the loss that a step begins with."""
    x = torch.randn(shape.batch, 3, shape.image, shape.image)
    if shape.layout == "channels-last":
        x = x.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(shape.classes, (shape.batch,))
    return lambda: ViT(shape), lambda model: F.cross_entropy(model(x), labels)


if __name__ == "__main__":
    run(arguments(__doc__, MODELS, "cifar-vit",
                  ("image", "patch", "width", "depth", "heads", "classes", "batch")), pictures)
