"""Makes test/golden/augment.json: torchvision's changes of 8-bit pictures.

    python3 test/golden/make_augment.py > test/golden/augment.json

Each row: the picture (a formula below, height, width), the operation with its numbers, and the
picture behind it as hexadecimal levels, row by row, three a pixel. The pictures are Pillow's, so
that torchvision takes its Pillow path, and no number is random. No factor is a short fraction:
where its product with a level is a whole number, a fused multiply-add may round to the level
below. Made with torchvision 0.28, PyTorch 2.13 and Pillow 12.0; Pillow 13 resizes columns before
rows for some shapes, which the program does not.
"""
import json
import warnings

import numpy as np
import torch

warnings.simplefilter("ignore")
# A torchvision that does not find the libraries of its compiled operators (none is used here)
# asks for their names when it is imported.
names = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    try:
        names.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass

import PIL.Image  # noqa: E402
import torchvision.transforms.functional as F  # noqa: E402

BICUBIC = F.InterpolationMode.BICUBIC


def picture(kind, height, width):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    if kind == "gradient":
        level = 7 * y + 11 * x + 60 * c
    elif kind == "noise":
        n = 131 * y + 71 * x + 29 * c + 7
        level = (n * n * 40503) >> 7
    else:
        level = np.where((x // 3 + y // 4 + c) % 2 == 1, 255, 20 * c)
    return PIL.Image.fromarray((level % 256).astype(np.uint8))


CHANGES = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
OPERATIONS = {
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
    "grey": lambda p: F.to_grayscale(p, 3),
    "blur": lambda p, reach, sigma: F.gaussian_blur(p, [2 * reach + 1] * 2, [sigma] * 2),
    "flip": F.hflip,
    "resized-crop": lambda p, top, left, height, width, high, wide: F.resized_crop(
        p, top, left, height, width, [high, wide], BICUBIC),
}


def jitter(p, *numbers):
    """numbers: an order of the four changes, then their four factors."""
    for k in numbers[:4]:
        p = CHANGES[k](p, numbers[4 + k])
    return p


OPERATIONS["jitter"] = jitter

CASES = [
    ("brightness", [0.6173]), ("brightness", [1.3719]), ("contrast", [0.6211]), ("contrast", [1.3977]), ("saturation", [0]),
    ("saturation", [0.7139]), ("saturation", [1.3993]), ("hue", [0]), ("hue", [0.1]), ("hue", [-0.1]), ("hue", [0.5]),
    ("hue", [-0.33]), ("grey", []), ("flip", []), ("blur", [1, 0.1]), ("blur", [1, 0.3]), ("blur", [1, 2]),
    ("blur", [2, 1.1]), ("blur", [4, 2]), ("jitter", [0, 1, 2, 3, 1.2173, 0.7031, 1.3077, 0.08]),
    ("jitter", [3, 2, 1, 0, 0.8219, 1.2931, 0.6517, -0.09]), ("jitter", [2, 0, 3, 1, 1.3871, 1.1033, 0.9149, 0.02]),
    ("resized-crop", [0, 0, 7, 9, 6, 8]), ("resized-crop", [2, 1, 4, 5, 7, 7]),
    ("resized-crop", [1, 3, 3, 2, 6, 6]), ("resized-crop", [0, 2, 7, 3, 5, 5]),
]


def row(kind, name, numbers, height, width):
    after = np.asarray(OPERATIONS[name](picture(kind, height, width), *numbers))
    return {"picture": kind, "height": height, "width": width, "name": name, "numbers": numbers,
            "levels": after.tobytes().hex()}


rows = [row(kind, name, numbers, 7, 9) for name, numbers in CASES for kind in ("gradient", "noise", "edges")]
print("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]")
