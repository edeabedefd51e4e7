#!/usr/bin/env python3
"""Remakes the numbers of test/unit/test_schedule.c: the rates that PyTorch's ReduceLROnPlateau
leaves after each of a row of losses, or of scores that should rise (needs torch)."""
import torch

LOSSES = [3, 2, 2.5, 2.4, 2.2, 1.9999, 1.99985, 2.1, 2.2, 1.5,
          1.6, 1.7, 1.8, 1.4999, 1.6, 1.6, 1.6, 1.6, 1.6, 1.6]
CASES = [dict(factor=0.5, patience=2, min_lr=0.15), dict(factor=0.1, patience=0, min_lr=0),
         dict(factor=0.5, patience=5, min_lr=0), dict(factor=0.5, patience=1, min_lr=0.9)]

SCORES = [20, 30, 25, 24, 22, 30.001, 29, 28, 30.004, 29,
          28, 35, 34, 33, 32, 35.0034, 34, 33, 35.1, 36]


def show(case, mode, row):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode=mode, threshold=1e-4, threshold_mode="rel", cooldown=0, eps=0, **case)
    rates = []
    for score in row:
        schedule.step(score)
        rates.append(optimizer.param_groups[0]["lr"])
    print(mode, case, "{" + ", ".join(f"{rate:.12g}" for rate in rates) + "}")


for case in CASES:
    show(case, "min", LOSSES)
show(dict(factor=0.5, patience=2, min_lr=0), "max", SCORES)
