#!/usr/bin/env python3
"""Learned positions of one grid of patches, resampled for another: PyTorch's F.interpolate as DeiT
and MAE call it when they fine-tune at another resolution (bicubic, align_corners False, no
antialiasing), in float64.

    /usr/bin/python3 test/golden/make_positions.py      writes test/golden/positions.json
"""
import json
import os

import torch
import torch.nn.functional as F

WIDTH = 3
CASES = [((8, 8), (12, 12)), ((7, 7), (6, 6)), ((2, 5), (3, 4)), ((4, 16), (8, 8)), ((1, 1), (2, 3)),
         ((3, 2), (7, 1)), ((14, 14), (24, 24))]


def start(rows, columns):
    """[rows, columns, WIDTH], the same as test/unit/test_positions.c makes."""
    n = torch.arange(rows * columns * WIDTH, dtype=torch.float64)
    return torch.cos(0.7 * n * n + 0.3 * n).reshape(rows, columns, WIDTH)


rows = []
for source, target in CASES:
    grid = start(*source).permute(2, 0, 1)[None]
    out = F.interpolate(grid, size=target, mode="bicubic", align_corners=False)[0]
    values = out.permute(1, 2, 0).flatten().tolist()
    rows.append(json.dumps({"source": source, "target": target,
                            "values": [float("%.10g" % v) for v in values[:60]],
                            "sum": float("%.10g" % sum(values))}))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "positions.json"), "w") as out:
    out.write("[" + ",\n ".join(rows) + "]\n")
