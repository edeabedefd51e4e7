"""Makes test/golden/linear_probe.json: a linear classifier trained by torch.optim.SGD in float64.

    python3 test/golden/make_linear_probe.py > test/golden/linear_probe.json

The protocol of MoCo v3's linear probe but for its rates, which follow the cosine step by step:
momentum 0.9, no decay, rate base * batch / 256.  Made with PyTorch 2.13.
"""
import json
import math

import torch

ROWS, WIDTH, CLASSES, STEPS, BASE = 24, 6, 4, 8, 3.0


def main():
    torch.manual_seed(5)
    round_ = lambda t: [float(f"{v:.6g}") for v in t.flatten().tolist()]
    x = round_(torch.randn(ROWS, WIDTH) * 1.5 + 0.3)
    weight = round_(torch.randn(CLASSES, WIDTH) * 0.01)
    label = torch.randint(CLASSES, (ROWS,)).tolist()
    rows = torch.tensor(x, dtype=torch.float64).view(ROWS, WIDTH)
    model = torch.nn.Linear(WIDTH, CLASSES, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(weight, dtype=torch.float64).view(CLASSES, WIDTH))
        model.bias.zero_()
    optim = torch.optim.SGD(model.parameters(), lr=1, momentum=0.9)
    for n in range(1, STEPS + 1):
        optim.param_groups[0]["lr"] = BASE * ROWS / 256 * (1 + math.cos(math.pi * n / STEPS)) / 2
        loss = torch.nn.functional.cross_entropy(model(rows), torch.tensor(label))
        optim.zero_grad()
        loss.backward()
        optim.step()
    after = torch.nn.functional.cross_entropy(model(rows), torch.tensor(label)).item()
    print(json.dumps({"width": WIDTH, "classes": CLASSES, "steps": STEPS, "base": BASE, "x": x, "label": label,
                      "weight": weight, "loss": after, "trained_weight": model.weight.flatten().tolist(),
                      "trained_bias": model.bias.tolist()}))


if __name__ == "__main__":
    main()
