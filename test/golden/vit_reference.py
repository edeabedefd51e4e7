"""The ViT classifier in PyTorch, as a function of a dict of named tensors: timm's layout and
names, norms before, after or nowhere, weights plain or reparametrised, gradients by autograd.
And the two kinds of files that it needs, safetensors and IDX.

    p = {name: torch.tensor(array) for name, array in read_safetensors("vit.safetensors").items()}
    logits = forward(p, to_images(pixels, torch.float32), dict(MODEL, heads=3))

Imported by make_vit.py (golden values) and vit_torch_load.py (exported files).
"""
import gzip
import json
import math
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F


# ---------------------------------------------------------------------------------------------
# safetensors: u64 length of the header, JSON header, data


def write_safetensors(path, tensors):
    """tensors: {name: array}, saved as F32, in order of name, as the safetensors package does."""
    header, blobs, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name], dtype="<f4")
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [at, at + array.nbytes]}
        blobs.append(array.tobytes())
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    kinds = {"F32": "<f4", "F64": "<f8"}
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header, data = json.loads(file.read(size)), file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[begin:end], kinds[entry["dtype"]]).reshape(
                entry["shape"])
    return tensors


# ---------------------------------------------------------------------------------------------
# IDX: 0, 0, type (8: bytes), dimensions, sizes (big-endian), data


def write_idx(path, array):
    with open(path, "wb") as out:
        out.write(bytes([0, 0, 8, array.ndim]) + struct.pack(">%dI" % array.ndim, *array.shape))
        out.write(array.astype(np.uint8).tobytes())


def read_idx(path):
    """The file at `path`, or at `path`.gz."""
    with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as file:
        data = file.read()
    dims = data[3]
    shape = struct.unpack(">%dI" % dims, data[4:4 + 4 * dims])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dims).reshape(shape)


def read_split(folder, split):
    """Bytes [n, Y, X] and labels [n] of an IDX folder; split: "train" or "t10k"."""
    return (read_idx(os.path.join(folder, split + "-images-idx3-ubyte")),
            read_idx(os.path.join(folder, split + "-labels-idx1-ubyte")))


def to_images(pixels, dtype, mean=0.5, std=0.25):
    """Bytes [n, Y, X] or [n, Y, X, C] to [n, C, Y, X], (p/255 - mean)/std."""
    x = torch.tensor(pixels).to(dtype)
    x = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
    return (x / 255 - mean) / std


# ---------------------------------------------------------------------------------------------
# the model

MODEL = dict(width=16, depth=2, heads=2, mlp_ratio=4, patch=4, norm="pre", final_norm=True,
             reparam="none", reparam_scope="all", gamma_init="spectral", qkv="joint",
             activation="gelu", temperature=1.0, power_steps=1, freeze=())


def linear_layers(model):
    """Names of the layers that have a weight matrix, by depth."""
    attention = {"joint": ["qkv"], "qk-v": ["qk", "v"], "separate": ["q", "k", "v"]}[model["qkv"]]
    names = ["patch_embed.proj"]
    for n in range(model["depth"]):
        names += ["blocks.%d.attn.%s" % (n, part) for part in attention + ["proj"]]
        names += ["blocks.%d.mlp.fc1" % n, "blocks.%d.mlp.fc2" % n]
    return names + ([] if model.get("headless") else ["head"])


def reparametrised_layers(model, names=None):
    """Of all linear layers, or of `names`."""
    if model["reparam"] == "none":
        return []
    keep = {"all": lambda name: True,
            "blocks": lambda name: name.startswith("blocks."),
            "attention": lambda name: ".attn." in name}[model["reparam_scope"]]
    return [name for name in names or linear_layers(model) if keep(name)]


def parameter_shapes(model, classes=10, channels=1, tokens=9):
    """Shapes of the plain parameters (no companions), timm's names."""
    d, hidden, patch = model["width"], int(model["width"] * model["mlp_ratio"]), model["patch"]
    rows = {"qkv": 3 * d, "qk": 2 * d, "q": d, "k": d, "v": d, "proj": d, "fc1": hidden, "fc2": d}
    shapes = {"cls_token": (1, 1, d), "pos_embed": (1, 1 + tokens, d)}
    for name in linear_layers(model):
        part = name.rsplit(".", 1)[-1]
        if name == "patch_embed.proj":
            shapes[name + ".weight"] = (d, channels, patch, patch)
        elif name == "head":
            shapes[name + ".weight"] = (classes, d)
        else:
            shapes[name + ".weight"] = (rows[part], hidden if part == "fc2" else d)
        shapes[name + ".bias"] = shapes[name + ".weight"][:1]
    norms = []
    if model["norm"] != "none":
        norms = ["blocks.%d.norm%d" % (n, i) for n in range(model["depth"]) for i in (1, 2)]
    if model["norm"] == "pre" and model["final_norm"]:
        norms.append("norm")
    for name in norms:
        shapes[name + ".weight"] = shapes[name + ".bias"] = (d,)
    return shapes


def reparametrise(p, name, method):
    """W_hat [out, in]; autograd through it is the gradient after the fold.  u and v are
    constants, W inside sigma = v.W u is not."""
    w = p[name + ".weight"].flatten(1)
    if method == "weight":
        return p[name + ".g"][:, None] * w / w.norm(dim=1, keepdim=True)
    sigma = p[name + ".v"] @ w @ p[name + ".u"]
    return (p[name + ".gamma"] if method == "sigma" else 1.0) / sigma * w


def effective_weight(p, name, model):
    if name in reparametrised_layers(model):
        return reparametrise(p, name, model["reparam"])
    return p[name + ".weight"].flatten(1)


def forward(p, images, model, seen=None):
    """Logits [B, V] of images [B, C, Y, X], or the features [B, D] of a headless model.  seen: {site: (entropy [H], largest logit)}, the
    entropy being the mean over examples and queries."""
    weight = {name: effective_weight(p, name, model) for name in linear_layers(model)}
    d, heads = model["width"], model["heads"]

    def linear(x, name):
        return x @ weight[name].T + p[name + ".bias"]

    def layer_norm(x, name):
        return F.layer_norm(x, (d,), p[name + ".weight"], p[name + ".bias"], eps=1e-6)

    def attention(x, site):
        batch, tokens, _ = x.shape
        if model["qkv"] == "joint":
            qkv = linear(x, site + ".qkv")
        elif model["qkv"] == "qk-v":
            qkv = torch.cat([linear(x, site + ".qk"), linear(x, site + ".v")], -1)
        else:
            qkv = torch.cat([linear(x, site + "." + part) for part in "qkv"], -1)
        q, k, v = qkv.reshape(batch, tokens, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        logits = q @ k.transpose(-1, -2) / (math.sqrt(d // heads) * model["temperature"])
        log_prob = F.log_softmax(logits, -1)
        prob = log_prob.exp()
        if seen is not None:
            entropy = -(prob * log_prob).sum(-1)
            seen[site] = (entropy.mean((0, 2)).detach(), logits.max().item())
        mixed = (prob @ v).transpose(1, 2).reshape(batch, tokens, d)
        return linear(mixed, site + ".proj")

    def mlp(x, block):
        hidden = linear(x, block + ".mlp.fc1")
        hidden = F.gelu(hidden) if model["activation"] == "gelu" else F.relu(hidden)
        return linear(hidden, block + ".mlp.fc2")

    patch, kernel = model["patch"], weight["patch_embed.proj"]
    x = F.conv2d(images, kernel.reshape(d, images.shape[1], patch, patch),
                 p["patch_embed.proj.bias"], stride=patch).flatten(2).transpose(1, 2)
    x = torch.cat([p["cls_token"].expand(len(x), -1, -1), x], 1) + p["pos_embed"]
    alpha = (2 * model["depth"]) ** 0.25 if model["norm"] == "deepnorm" else 1.0
    for n in range(model["depth"]):
        block = "blocks.%d" % n
        if model["norm"] == "pre":
            x = x + attention(layer_norm(x, block + ".norm1"), block + ".attn")
            x = x + mlp(layer_norm(x, block + ".norm2"), block)
        elif model["norm"] == "none":
            x = x + attention(x, block + ".attn")
            x = x + mlp(x, block)
        else:
            x = layer_norm(alpha * x + attention(x, block + ".attn"), block + ".norm1")
            x = layer_norm(alpha * x + mlp(x, block), block + ".norm2")
    if model["norm"] == "pre" and model["final_norm"]:
        x = layer_norm(x, "norm")
    return x[:, 0] if model.get("headless") else linear(x[:, 0], "head")


def cross_entropy(logits, labels, smoothing):
    """Mean of -sum_k t_k ln p_k with t = (1 - s) onehot + s / K."""
    log_prob = F.log_softmax(logits, -1)
    right = log_prob.gather(1, labels[:, None])[:, 0]
    return -((1 - smoothing) * right + smoothing * log_prob.mean(-1)).mean()


# ---------------------------------------------------------------------------------------------
# sigma-reparametrisation: start, and once an optimizer step


def fill_companions(tensors, model, names=None):
    """Adds what the file did not bring: u the top right singular vector, v = W u / |W u|,
    gamma = sigma_1(W) or 1, g_i = |w_i|; all from the loaded W, whatever u the file holds.
    names: the layers; of a ViT by default."""
    for name in reparametrised_layers(model) if names is None else names:
        w = torch.tensor(tensors[name + ".weight"], dtype=torch.float64).flatten(1)
        if model["reparam"] == "weight":
            tensors.setdefault(name + ".g", w.norm(dim=1).numpy())
            continue
        _, s, vh = torch.linalg.svd(w)
        u = torch.tensor(tensors.setdefault(name + ".u", vh[0].numpy()), dtype=torch.float64)
        tensors.setdefault(name + ".v", F.normalize(w @ u, dim=0).numpy())
        if model["reparam"] == "sigma":
            gamma = s[0].item() if model["gamma_init"] == "spectral" else 1.0
            tensors.setdefault(name + ".gamma", np.array([gamma]))


@torch.no_grad()
def power_iteration(p, model, names=None):
    if model["reparam"] in ("sigma", "spectral"):
        for name in reparametrised_layers(model) if names is None else names:
            w = p[name + ".weight"].flatten(1)
            for _ in range(model.get("power_steps", 1)):
                p[name + ".v"] = F.normalize(w @ p[name + ".u"], dim=0)
                p[name + ".u"] = F.normalize(w.T @ p[name + ".v"], dim=0)
