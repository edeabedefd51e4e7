"""Language models and translators in PyTorch, as functions of a dict of named tensors: the blocks
of vit_reference.py with causal and cross attention, masks, and texts.

    task = open_task("language", dict(tokens="char", path=..., test_path=...), context=12)
    model = dict(MODEL, kind="language", norm="none", reparam="sigma")
    loss, nll, count = loss_sums(p, model, task.train[:6], smoothing=0.1)

A loss is a sum over target tokens, in nats; `count` of them, </s> included.  Imported by
make_text.py.
"""
import math
from collections import Counter, namedtuple

import torch
import torch.nn.functional as F

from vit_reference import reparametrise

BOS, PAD, EOS, UNK = range(4)
IGNORED = -1
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]

MODEL = dict(kind="language", width=16, depth=2, heads=2, mlp_ratio=2, context=12, norm="pre",
             final_norm=True, reparam="none", reparam_scope="auto", gamma_init="spectral",
             qkv="joint", activation="gelu", temperature=1.0, position="learned",
             embed_scale="auto", tied=False, decoder_depth=0)


# ---------------------------------------------------------------------------------------------
# texts: what the program reads


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return file.read().splitlines()


def dictionary(lines):
    """{token: id} as fairseq makes it: the specials, then by falling count, equal ones by
    name."""
    counts = Counter(w for line in lines for w in line.split() if w not in SPECIALS)
    words = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: i for i, word in enumerate(SPECIALS + words)}


def encode(line, ids):
    return [ids.get(word, UNK) for word in line.split()] + [EOS]


def blocks(tokens, context):
    """(inputs, targets) of block i: tokens iT ... iT+T-1 and those one later; whole ones."""
    return [(tokens[i:i + context], tokens[i + 1:i + context + 1])
            for i in range(0, len(tokens) - context, context)]


def windows(tokens, context, stride):
    """Each target once, by windows that score their last `stride` ones and see as many tokens
    before them as `context` lets them; (inputs, targets) with IGNORED where nothing is scored."""
    rows = []
    for before in range(0, len(tokens) - 1, stride):
        end = min(before + stride, len(tokens) - 1)
        first = max(end - context, 0)
        rows.append((tokens[first:end],
                     [IGNORED] * (before - first) + tokens[before + 1:end + 1]))
    return rows


# train: a list of (inputs, targets), or of (source, target) sentences with </s> at the end; test:
# a list of such lists, of one shape each where they are blocks
Task = namedtuple("Task", "train test vocabs")


def open_language(data, context, stride):
    def chars(path):
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()

    if data["tokens"] == "char":
        ids = {c: i for i, c in enumerate(sorted(set(chars(data["path"]))))}
        train, test = ([ids[c] for c in chars(data[key])] for key in ("path", "test_path"))
    else:
        ids = dictionary(read_lines(data["path"]))
        train, test = ([t for line in read_lines(data[key]) for t in encode(line, ids)]
                       for key in ("path", "test_path"))
    return Task(blocks(train, context), [[row] for row in windows(test, context, stride)],
                (len(ids),))


def open_pairs(data):
    languages = (data["source_lang"], data["target_lang"])
    texts = {(key, lang): read_lines(data[key] + "." + lang)
             for key in ("path", "test_path") for lang in languages}
    if data["joint"]:
        ids = [dictionary(texts["path", languages[0]] + texts["path", languages[1]])] * 2
    else:
        ids = [dictionary(texts["path", lang]) for lang in languages]

    def pairs(key):
        return [(encode(a, ids[0]), encode(b, ids[1]))
                for a, b in zip(*(texts[key, lang] for lang in languages))]

    return Task(pairs("path"), [pairs("test_path")], (len(ids[0]), len(ids[1])))


def open_task(kind, data, context, stride=0):
    if kind == "translate":
        return open_pairs(data)
    return open_language(data, context, stride or context)


# ---------------------------------------------------------------------------------------------
# parameters

SELF = {"joint": ["qkv"], "qk-v": ["qk", "v"], "separate": ["q", "k", "v"]}
CROSS = {"joint": ["q", "kv"], "qk-v": ["q", "k", "v"], "separate": ["q", "k", "v"]}
Stack = namedtuple("Stack", "prefix depth cross alpha")


def stacks(model):
    """DeepNorm's alphas (Wang et al. 2022): a stack alone (2N)^1/4; N encoder and M decoder
    blocks .81 (N^4 M)^1/16 and (3M)^1/4."""
    n, m = model["depth"], model["decoder_depth"] or model["depth"]
    deep = model["norm"] == "deepnorm"
    if model["kind"] != "translate":
        return [Stack("", n, False, (2 * n) ** 0.25 if deep else 1.0)]
    return [Stack("encoder.", n, False, 0.81 * (n ** 4 * m) ** (1 / 16) if deep else 1.0),
            Stack("decoder.", m, True, (3 * m) ** 0.25 if deep else 1.0)]


def output_layer(model):
    """Name of the output matrix, or None where it is a table of embeddings."""
    if model["kind"] == "language":
        return None if model["tied"] else "head"
    return "decoder.head" if model["tied"] == "none" else None


def linear_layers(model):
    """Names of the layers of the blocks, by depth, and the output where it is reparametrised;
    nothing else is one."""
    names = block_layers(model)
    output = model["reparam"] != "none" and model["reparam_scope"] == "all" and output_layer(model)
    return names + [output] if output else names


def block_layers(model):
    names = []
    for stack in stacks(model):
        for n in range(stack.depth):
            block = "%sblocks.%d" % (stack.prefix, n)
            names += ["%s.attn.%s" % (block, part) for part in SELF[model["qkv"]] + ["proj"]]
            if stack.cross:
                names += ["%s.cross.%s" % (block, part) for part in CROSS[model["qkv"]] + ["proj"]]
            names += [block + ".mlp.fc1", block + ".mlp.fc2"]
    return names


def reparametrised_layers(model):
    if model["reparam"] == "none":
        return []
    return [name for name in linear_layers(model)
            if model["reparam_scope"] != "attention" or ".mlp." not in name]


def norm_layers(model):
    names = []
    for stack in stacks(model) if model["norm"] != "none" else []:
        names += ["%sblocks.%d.norm%d" % (stack.prefix, n, i) for n in range(stack.depth)
                  for i in range(1, 4 if stack.cross else 3)]
        if model["norm"] == "pre" and model["final_norm"]:
            names.append(stack.prefix + "norm")
    return names


def table_shapes(model, vocabs):
    """Embeddings, learned positions and the output, where it has a matrix of its own."""
    d, shapes = model["width"], {}
    if model["kind"] == "language":
        shapes["embed.weight"] = (vocabs[0], d)
        if not model["tied"]:
            shapes["head.weight"] = (vocabs[0], d)
    elif model["tied"] == "all":
        shapes["embed.weight"] = (vocabs[0], d)
    else:
        shapes["encoder.embed.weight"], shapes["decoder.embed.weight"] = [(v, d) for v in vocabs]
        if model["tied"] == "none":
            shapes["decoder.head.weight"] = (vocabs[1], d)
    if model["position"] == "learned":
        for stack in stacks(model):
            shapes[stack.prefix + "pos_embed"] = (model["context"], d)
    return shapes


def parameter_shapes(model, vocabs):
    """Shapes of the plain parameters (no companions)."""
    d, hidden = model["width"], int(model["width"] * model["mlp_ratio"])
    shapes = table_shapes(model, vocabs)
    for name in block_layers(model):
        part = name.rsplit(".", 1)[-1]
        rows = hidden if part == "fc1" else {"qkv": 3, "qk": 2, "kv": 2}.get(part, 1) * d
        shapes[name + ".weight"] = (rows, hidden if part == "fc2" else d)
        shapes[name + ".bias"] = (rows,)
    for name in norm_layers(model):
        shapes[name + ".weight"] = shapes[name + ".bias"] = (d,)
    return shapes


def effective_weight(p, name, model):
    if name in reparametrised_layers(model):
        return reparametrise(p, name, model["reparam"])
    return p[name + ".weight"]


# ---------------------------------------------------------------------------------------------
# the model


def sinusoids(length, width, dtype):
    """[length, D] = [sin(p w) | cos(p w)], w_k = 10000^(-k / (D/2 - 1)), p = 2, 3, ... (fairseq's,
    whose padding index is 1)."""
    half = width // 2
    rate = torch.exp(torch.arange(half, dtype=torch.float64) * (-math.log(10000) / (half - 1)))
    angle = torch.arange(2, length + 2, dtype=torch.float64)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1).to(dtype)


class Pass:
    """One forward pass.  seen (or None): {site: [sum of entropies [H], valid queries, largest
    logit]}, added to."""

    def __init__(self, p, model, seen=None):
        self.p, self.model, self.seen = p, model, seen
        self.weight = {name: effective_weight(p, name, model) for name in linear_layers(model)}

    def linear(self, x, site, parts):
        """The outputs of one or several layers side by side."""
        names = [site + "." + part for part in parts]
        return torch.cat([x @ self.weight[n].T + self.p[n + ".bias"] for n in names], -1)

    def layer_norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".weight"], self.p[name + ".bias"],
                            eps=1e-5)

    def embed(self, ids, table, prefix):
        model, width = self.model, self.model["width"]
        scale = model["embed_scale"]
        if scale == "auto":
            scale = math.sqrt(width) if model["position"] == "sinusoidal" else 1.0
        x = scale * self.p[table][ids]
        if model["position"] == "learned":
            x = x + self.p[prefix + "pos_embed"][:ids.shape[1]]
        elif model["position"] == "sinusoidal":
            x = x + sinusoids(ids.shape[1], width, x.dtype)
        return x

    def measure(self, site, logits, log_prob, valid):
        """valid [B, T]: queries that are not padding.  Closed keys have a logit of -inf."""
        entropy = -(log_prob.exp() * log_prob.clamp(min=-1e30)).sum(-1).detach()  # [B, H, T]
        inside = valid[:, None, :]
        row = self.seen.setdefault(site, [0.0, 0, -math.inf])
        row[0] = row[0] + (entropy * inside).sum((0, 2))
        row[1] += int(valid.sum())
        largest = logits.detach().amax(-1).masked_fill(~inside, -math.inf).max().item()
        row[2] = max(row[2], largest)

    def attention(self, q, k, v, site, is_open, valid):
        """is_open [B or 1, T, S]: which keys a query may look at."""
        batch, queries, width = q.shape
        heads = self.model["heads"]
        q, k, v = (x.reshape(batch, -1, heads, width // heads).transpose(1, 2) for x in (q, k, v))
        logits = q @ k.transpose(-1, -2) / (
            math.sqrt(width // heads) * self.model["temperature"])
        logits = logits.masked_fill(~is_open[:, None], -math.inf)
        log_prob = F.log_softmax(logits, -1)
        if self.seen is not None:
            self.measure(site, logits, log_prob, valid)
        mixed = (log_prob.exp() @ v).transpose(1, 2).reshape(batch, queries, width)
        return self.linear(mixed, site, ["proj"])

    def self_attention(self, x, site, is_open, valid):
        q, k, v = self.linear(x, site, SELF[self.model["qkv"]]).chunk(3, -1)
        return self.attention(q, k, v, site, is_open, valid)

    def cross_attention(self, x, memory, site, is_open, valid):
        parts = CROSS[self.model["qkv"]]
        k, v = self.linear(memory, site, parts[1:]).chunk(2, -1)
        return self.attention(self.linear(x, site, parts[:1]), k, v, site, is_open, valid)

    def mlp(self, x, block):
        hidden = self.linear(x, block + ".mlp", ["fc1"])
        hidden = F.gelu(hidden) if self.model["activation"] == "gelu" else F.relu(hidden)
        return self.linear(hidden, block + ".mlp", ["fc2"])

    def residual(self, x, branch, norm, alpha):
        place = self.model["norm"]
        if place == "none":
            return x + branch(x)
        if place == "pre":
            return x + branch(self.layer_norm(x, norm))
        return self.layer_norm(alpha * x + branch(x), norm)

    def stack(self, stack, x, is_open, valid, memory=None, memory_open=None):
        for n in range(stack.depth):
            block = "%sblocks.%d" % (stack.prefix, n)
            branches = [lambda y: self.self_attention(y, block + ".attn", is_open, valid)]
            if stack.cross:
                branches.append(lambda y: self.cross_attention(y, memory, block + ".cross",
                                                               memory_open, valid))
            branches.append(lambda y: self.mlp(y, block))
            for i, branch in enumerate(branches):
                x = self.residual(x, branch, "%s.norm%d" % (block, i + 1), stack.alpha)
        if self.model["norm"] == "pre" and self.model["final_norm"]:
            x = self.layer_norm(x, stack.prefix + "norm")
        return x


def output_logits(run, x, table):
    """By the output matrix, where there is one, or by a table."""
    name = output_layer(run.model)
    return x @ (effective_weight(run.p, name, run.model) if name else run.p[table]).T


def causal(length):
    return torch.ones(1, length, length, dtype=torch.bool).tril()


def language_logits(run, ids):
    """[B, T, V] of [B, T]."""
    x = run.embed(ids, "embed.weight", "")
    valid = torch.ones(ids.shape, dtype=torch.bool)
    x = run.stack(stacks(run.model)[0], x, causal(ids.shape[1]), valid)
    return output_logits(run, x, "embed.weight")


def translator_logits(run, source, target):
    """[B, T, V] of what the decoder reads, padded like the source."""
    tied = run.model["tied"]
    tables = (["embed.weight"] * 2 if tied == "all" else
              ["encoder.embed.weight", "decoder.embed.weight"])
    encoder, decoder = stacks(run.model)
    there, valid = source != PAD, target != PAD
    keys = there[:, None, :]
    memory = run.stack(encoder, run.embed(source, tables[0], "encoder."), keys, there)
    x = run.stack(decoder, run.embed(target, tables[1], "decoder."), causal(target.shape[1]),
                  valid, memory, keys)
    return output_logits(run, x, tables[1])


# ---------------------------------------------------------------------------------------------
# losses


def padded(rows):
    length = max(map(len, rows))
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])


def loss_sums(p, model, examples, smoothing, seen=None):
    """(objective, negative log-likelihood, target tokens), sums over the examples.  Smoothing
    spreads s / K over all K classes; in translation as fairseq has it, (1 - s - t) NLL +
    t sum_v(-ln p_v) with t = s / (V - 1)."""
    first, second = zip(*examples)
    run = Pass(p, model, seen)
    if model["kind"] == "language":
        targets = torch.tensor(second)
        inside = targets != IGNORED
        logits = language_logits(run, torch.tensor(first))
    else:
        targets = padded(second)
        inside = targets != PAD
        logits = translator_logits(run, padded(first), padded([[EOS] + t[:-1] for t in second]))
    log_prob = F.log_softmax(logits, -1)
    classes = log_prob.shape[-1]
    nll = -log_prob.gather(2, targets.clamp(min=0)[:, :, None])[:, :, 0]
    share = smoothing / (classes if model["kind"] == "language" else classes - 1)
    keep = 1 - smoothing - (share if model["kind"] == "translate" else 0.0)
    objective = keep * nll - share * log_prob.sum(-1)
    return objective[inside].sum(), nll[inside].sum(), int(inside.sum())
