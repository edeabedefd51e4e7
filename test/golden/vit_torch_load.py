#!/usr/bin/env python3
"""Plain ViT files to and from PyTorch.

Logits of an exported model, as one JSON object on stdout:

    steady export runs/NAME -o model.safetensors
    /usr/bin/python3 test/golden/vit_torch_load.py model.safetensors DATA --heads 3 \\
        [--count 8] [--mean 0.5 --std 0.25] [--norm pre|post|deepnorm|none]
        [--activation gelu|relu] [--temperature 1] [--float32]

DATA is an IDX folder; the first COUNT pictures of t10k are classified.  Width, depth, patch and
grouping of query, key and value follow from the shapes; `heads` does not, nor, without a final
norm, the place of the norms.  A file that still holds companions (gamma, u, v, g) is refused:
an export has none.

The other way round, a random ViT as PyTorch would save timm's (N(0, SPREAD^2) matrices):

    /usr/bin/python3 test/golden/vit_torch_load.py --save FILE --heads 3 [--width 192]
        [--depth 12] [--patch 16] [--image 224] [--channels 3] [--classes 1000] [--seed 1]
        [--spread 0.02] [--norm pre]
"""
import argparse
import json
import math
import re
import sys

sys.dont_write_bytecode = True

import numpy as np
import torch

from vit_reference import (MODEL, forward, parameter_shapes, read_safetensors, read_split,
                           to_images, write_safetensors)


def model_of(tensors, args):
    """The model's shape from its tensors, and a check that nothing is missing, misshapen or
    unknown."""
    depth = 1 + max([int(found.group(1)) for found in
                     (re.match(r"blocks\.(\d+)\.", name) for name in tensors) if found] or [-1])
    if depth == 0 or "patch_embed.proj.weight" not in tensors:
        sys.exit("this is not a ViT with timm's names")
    qkv = ("joint" if "blocks.0.attn.qkv.weight" in tensors else
           "qk-v" if "blocks.0.attn.qk.weight" in tensors else "separate")
    if args.norm:
        norm = args.norm
    elif "norm.weight" in tensors:
        norm = "pre"
    elif "blocks.0.norm1.weight" in tensors:
        sys.exit("norms without a final one: say where they stand with --norm")
    else:
        norm = "none"
    width, channels, patch, _ = tensors["patch_embed.proj.weight"].shape
    model = dict(MODEL, width=width, depth=depth, heads=args.heads, patch=patch, qkv=qkv,
                 norm=norm, final_norm="norm.weight" in tensors,
                 mlp_ratio=len(tensors["blocks.0.mlp.fc1.bias"]) / width,
                 activation=args.activation, temperature=args.temperature)
    shapes = parameter_shapes(model, len(tensors["head.bias"]), channels,
                              tensors["pos_embed"].shape[1] - 1)
    wrong = ["%s: %s, wanted %s" % (name, list(tensors[name].shape) if name in tensors
                                    else "missing", list(shape))
             for name, shape in shapes.items()
             if name not in tensors or tensors[name].shape != shape]
    wrong += ["%s: unknown" % name for name in tensors if name not in shapes]
    if wrong:
        sys.exit("\n".join(wrong))
    return model


def load(args):
    tensors = read_safetensors(args.file)
    model = model_of(tensors, args)
    dtype = torch.float32 if args.float32 else torch.float64
    p = {name: torch.tensor(array, dtype=dtype) for name, array in tensors.items()}
    pixels, labels = read_split(args.data, "t10k")
    with torch.no_grad():
        logits = forward(p, to_images(pixels[:args.count], dtype, args.mean, args.std), model)
    json.dump({"labels": labels[:args.count].tolist(),
               "classes": logits.argmax(1).tolist(),
               "logits": [[float("%.10g" % x) for x in row] for row in logits.tolist()]},
              sys.stdout)
    print()


def save(args):
    side, ragged = divmod(args.image, args.patch)
    if ragged or args.width % args.heads:
        sys.exit("image must be a multiple of patch, and width of heads")
    model = dict(MODEL, width=args.width, depth=args.depth, heads=args.heads, patch=args.patch,
                 norm=args.norm or "pre")
    rng, tensors = np.random.RandomState(args.seed), {}
    for name, shape in parameter_shapes(model, args.classes, args.channels, side ** 2).items():
        if "norm" in name:
            tensors[name] = np.full(shape, 1.0 if name.endswith("weight") else 0.0)
        elif name == "patch_embed.proj.weight":
            bound = 1 / math.sqrt(args.channels * args.patch ** 2)
            tensors[name] = rng.uniform(-bound, bound, shape)
        elif name.endswith("bias"):
            tensors[name] = np.zeros(shape)
        else:
            tensors[name] = rng.normal(0, args.spread, shape)
    write_safetensors(args.save, tensors)


def main():
    say = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    say.add_argument("file", nargs="?", help="safetensors file of plain weights")
    say.add_argument("data", nargs="?", help="IDX folder")
    say.add_argument("--heads", type=int, required=True)
    say.add_argument("--norm", choices=("pre", "post", "deepnorm", "none"))
    say.add_argument("--activation", choices=("gelu", "relu"), default="gelu")
    say.add_argument("--temperature", type=float, default=1.0)
    say.add_argument("--count", type=int, default=8)
    say.add_argument("--mean", type=float, default=0.0)
    say.add_argument("--std", type=float, default=1.0)
    say.add_argument("--float32", action="store_true", help="compute in float32, not float64")
    say.add_argument("--save", metavar="FILE", help="write a random ViT instead")
    for key, value in (("width", 192), ("depth", 12), ("patch", 16), ("image", 224),
                       ("channels", 3), ("classes", 1000), ("seed", 1)):
        say.add_argument("--" + key, type=int, default=value)
    say.add_argument("--spread", type=float, default=0.02)
    args = say.parse_args()
    if args.save:
        save(args)
    elif args.file and args.data:
        load(args)
    else:
        say.error("FILE and DATA, or --save FILE")


if __name__ == "__main__":
    main()
