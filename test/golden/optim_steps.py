#!/usr/bin/env python3
"""Remakes the numbers of test/unit/test_optim.c: three steps of PyTorch's optimizers from the
same start with the same gradients, in double (needs torch)."""
import torch

START = [1.0, -2.0, 0.5, 3.0]
GRADS = [[0.1, -0.2, 0.3, 0.0], [-0.4, 0.1, 0.2, 0.5], [0.3, 0.3, -0.1, 0.2]]

CASES = [
    ("sgd", torch.optim.SGD, dict(lr=0.1)),
    ("sgd momentum decay", torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("sgd nesterov decay", torch.optim.SGD,
     dict(lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True)),
    ("adam decay", torch.optim.Adam,
     dict(lr=0.1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)),
    ("adamw decay", torch.optim.AdamW,
     dict(lr=0.1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)),
    ("adagrad decay", torch.optim.Adagrad, dict(lr=0.1, eps=1e-8, weight_decay=0.1)),
]

for name, kind, options in CASES:
    p = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer = kind([p], **options)
    for grad in GRADS:
        p.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
    print(name, "{" + ", ".join(f"{v:.12f}" for v in p.tolist()) + "}")
