#!/usr/bin/env python3
"""Remakes the numbers of test/unit/test_schedule.c: the rates that PyTorch's ReduceLROnPlateau
leaves after each of a row of losses (needs torch)."""
import torch

LOSSES = [3, 2, 2.5, 2.4, 2.2, 1.9999, 1.99985, 2.1, 2.2, 1.5,
          1.6, 1.7, 1.8, 1.4999, 1.6, 1.6, 1.6, 1.6, 1.6, 1.6]
CASES = [dict(factor=0.5, patience=2, min_lr=0.15), dict(factor=0.1, patience=0, min_lr=0),
         dict(factor=0.5, patience=5, min_lr=0), dict(factor=0.5, patience=1, min_lr=0.9)]

for case in CASES:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", threshold=1e-4, threshold_mode="rel", cooldown=0, eps=0, **case)
    rates = []
    for loss in LOSSES:
        schedule.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    print(case, "{" + ", ".join(f"{rate:.12g}" for rate in rates) + "}")
