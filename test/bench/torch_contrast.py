#!/usr/bin/python3
"""Contrastive training steps of a vision transformer in PyTorch, timed: the rival of `steady bench
steps` beside torch_step.py, whose model it shares; torch_run.py measures.

    PYTHON test/bench/torch_contrast.py --model cifar-simclr --threads 2

Two views of each picture (noise, the same at every step) in one forward pass; a projector of two
layers without biases, each with batch norm, ReLU between them; NT-Xent at temperature 0.1 over all
views, as one product, a mask and PyTorch's cross entropy.  The online probe is left
out: it is 0.1 % of a step.
"""
import torch
import torch.nn.functional as F
from torch import nn

from torch_parts import SigmaLinear
from torch_run import arguments, run
from torch_step import ViT

OUT, TEMPERATURE = 128, 0.1
MODELS = {
    "cifar-simclr": dict(image=32, patch=4, width=192, depth=6, heads=3, classes=10, batch=64),
    "simclr-b16": dict(image=224, patch=16, width=768, depth=12, heads=12, classes=1000, batch=8),
}


class Contrast(nn.Module):
    def __init__(self, shape):
        super().__init__()
        linear = SigmaLinear if shape.sigma else nn.Linear
        width = shape.width
        self.encoder = ViT(shape)
        self.encoder.head = nn.Identity()
        self.projector = nn.Sequential(
            linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
            linear(width, OUT, bias=False), nn.BatchNorm1d(OUT))
        self.projector[-1].register_parameter("bias", None)

    def forward(self, views):
        return F.normalize(self.projector(self.encoder(views)), dim=1)


def nt_xent(z):
    rows = z.shape[0]
    logits = z @ z.t() / TEMPERATURE
    logits.fill_diagonal_(float("-inf"))
    return F.cross_entropy(logits, (torch.arange(rows) + rows // 2) % rows)


def views(shape):
    """A batch of noise: how to build the model, and the loss that a step begins with."""
    x = torch.randn(2 * shape.batch, 3, shape.image, shape.image)
    if shape.layout == "channels-last":
        x = x.contiguous(memory_format=torch.channels_last)
    return lambda: Contrast(shape), lambda model: nt_xent(model(x))


if __name__ == "__main__":
    run(arguments(__doc__, MODELS, "cifar-simclr",
                  ("image", "patch", "width", "depth", "heads", "classes", "batch")), views)
