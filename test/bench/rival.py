"""PyTorch in its best form: what can be chosen, how it is chosen, and where it is written down.

A configuration is one word for each row of CHOICES.  `search` takes one row after the other and
keeps the fastest word; a word that fails is kept with its reason.  test/bench/rival.json holds what
was found for each model and precision, so that compare.py need not search again.

Nothing here runs PyTorch: compare.py does, and gives `search` a function.
"""
import json
import os
import subprocess
import tempfile

# The order of the search: what the process is given first, compilation with all of that last.
# The first word of each is where the search begins.
CHOICES = {
    "attention": ("sdpa", "matmul"),             # fused, or products and softmax
    "bf16": ("autocast", "products"),            # casts, or fp32 products that oneDNN does in bf16
    "optimizer": ("fused", "foreach", "loop"),   # of torch.optim.AdamW
    "malloc": ("tuned", "tcmalloc", "jemalloc", "plain"),
    "mkl": ("own", "intel"),                     # kernels that MKL picks, or those for Intel's
    "layout": ("contiguous", "channels-last"),   # of pictures and convolutions
    "openmp": ("gnu", "intel"),                  # libgomp, or Intel's libiomp5
    "pin": ("free", "pinned"),                   # threads to cores
    "compile": ("no", "default", "max-autotune"),
}
OPTIONS = ("attention", "bf16", "optimizer", "layout", "compile")  # of torch_run.py
TUNED_MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184",
                "MALLOC_TOP_PAD_": "268435456"}
LIBRARIES = {"tcmalloc": "libtcmalloc_minimal.so.4", "jemalloc": "libjemalloc.so.2"}
SAID = {
    "compile": {"no": "eager", "default": "torch.compile", "max-autotune": "torch.compile, max-autotune"},
    "attention": {"sdpa": "SDPA", "matmul": "attention by matmul"},
    "bf16": {"autocast": "autocast", "products": "bf16 inside fp32 products"},
    "optimizer": {"fused": "fused AdamW", "foreach": "foreach AdamW", "loop": "AdamW in a loop"},
    "malloc": {"tuned": "malloc keeps its pages", "tcmalloc": "tcmalloc", "jemalloc": "jemalloc",
               "plain": "malloc as it is"},
    "mkl": {"own": "", "intel": "MKL's kernels for Intel"},
    "layout": {"contiguous": "", "channels-last": "channels last"},
    "openmp": {"gnu": "", "intel": "libiomp5"},
    "pin": {"free": "", "pinned": "threads pinned"},
}
ORDER = ("compile", "bf16", "attention", "optimizer", "malloc", "mkl", "layout", "openmp", "pin")
GAIN = 0.99  # of the time so far: what takes the place of the form before has to be as fast
CLOSE = 1.1  # a second form this near to the best is tried again in the run that counts


def beginning():
    return {name: words[0] for name, words in CHOICES.items()}


def closed_choices(precision, pictures, threads, processor):
    """Those that make no difference here, each with the reason."""
    closed = {}
    if precision == "fp32":
        closed["bf16"] = "fp32"
    if not pictures:
        closed["layout"] = "no pictures"
    if threads == 1:
        closed["openmp"] = closed["pin"] = "one thread"
    if "Intel" in processor:
        closed["mkl"] = "an Intel processor"
    return closed


def open_choices(precision, pictures, threads, processor):
    """Those that can make a difference here."""
    closed = closed_choices(precision, pictures, threads, processor)
    return [name for name in CHOICES if name not in closed]


def describe(config, precision):
    words = [SAID[name][config[name]] for name in ORDER if name != "bf16" or precision == "bf16"]
    return ", ".join(word for word in words if word)


def parse(text):
    """compile=default,attention=matmul: the rest as the search begins.  ValueError says what is
    wrong."""
    config = beginning()
    for pair in filter(None, text.split(",")):
        name, _, word = pair.partition("=")
        if word not in CHOICES.get(name, ()):
            raise ValueError("%s: a choice is one of %s" % (pair, "; ".join(
                "%s=%s" % (key, "|".join(words)) for key, words in CHOICES.items())))
        config[name] = word
    return config


# ---------------------------------------------------------------------------------------------
# the search


class NothingRan(RuntimeError):
    """Each form that was tried failed; the text says how."""


def search(run, names, config, done=lambda best, ms, tried, left: None):
    """One choice after the other.  run(config) gives milliseconds; RuntimeError is a failure and
    its text the reason.  Returns the best, its time and [{config, ms} or {config, failed}].
    done is called with these, and with the choices that are left, whenever a choice is done and
    something ran."""
    tried, best, least = [], None, float("inf")

    def attempt(config):
        nonlocal best, least
        try:
            ms = run(config)
        except RuntimeError as error:
            tried.append(dict(config=config, failed=str(error)))
            return
        tried.append(dict(config=config, ms=round(ms, 1)))
        if ms < GAIN * least:
            best, least = config, ms

    attempt(config)
    for i, name in enumerate(names):
        base = best or config
        for word in CHOICES[name]:
            if word != base[name]:
                attempt({**base, name: word})
        if best and names[i + 1:]:
            done(best, least, tried, names[i + 1:])
    if best is None:
        raise NothingRan("; ".join(sorted({row["failed"] for row in tried})))
    return best, least, tried


def finalists(entry):
    """The best, and the best that is compiled if it is not, or is not if it is, where near.  If
    none was tried where the best was found, one that was near to the best of another place."""
    def kind(row):
        return row["config"]["compile"] == "no"

    ran = [row for row in entry["tried"] if "ms" in row]
    best_at = {}
    for row in ran:
        place = str(row.get("at"))
        best_at[place] = min(row["ms"], best_at.get(place, row["ms"]))
    best_at[str(None)] = entry["ms"]
    others = [row for row in ran if kind(row) != kind(entry)]
    others = [row for row in others if "at" not in row] or others
    times = [(row["ms"] / best_at[str(row.get("at"))], row["config"]) for row in others]
    second = min(times, key=lambda pair: pair[0], default=None)
    return [entry["config"]] + ([second[1]] if second and second[0] <= CLOSE else [])


def failures(entry, precision):
    """A line for each form that did not run, and why."""
    return ["%s: %s%s" % (describe(row["config"], precision), row["failed"],
                          " (%s)" % said_place(row["at"]) if "at" in row else "")
            for row in entry["tried"] if "failed" in row]


# ---------------------------------------------------------------------------------------------
# where it was found: times of two places cannot be compared

PLACE = ("processor", "threads", "torch", "by", "depth")


def place_of(entry):
    return {name: entry[name] for name in PLACE if name in entry}


def said_place(place):
    """Of an entry, or of a try's "at"."""
    threads = place.get("threads")
    return ", ".join(filter(None, (
        place.get("processor"), threads and "%s thread%s" % (threads, "s" * (threads != 1)),
        place.get("torch") and "PyTorch " + place["torch"])))


def elsewhere(entry, processor, threads, torch=None):
    """Whether the form was found on another processor, with other threads or another PyTorch."""
    here = dict(processor=processor, threads=threads, torch=torch)
    return any(here[name] is not None and name in entry and entry[name] != here[name] for name in here)


def added(known, made):
    """The entry `made` with the tries of an earlier one, `known` (or None).  Tries of another
    place say so ("at"); a form that was tried again has its new time."""
    if known is None:
        return made
    same = place_of(known) == place_of(made)
    again = [row["config"] for row in made["tried"]]
    kept = []
    for row in known["tried"]:
        row = row if same or "at" in row else {**row, "at": place_of(known)}
        if row.get("at") == place_of(made):
            row = {key: value for key, value in row.items() if key != "at"}
        if "at" in row or row["config"] not in again:
            kept.append(row)
    return {**made, "tried": kept + made["tried"],
            "compile_s": max(made["compile_s"], known["compile_s"] if same else 0.0)}


# ---------------------------------------------------------------------------------------------
# what was found


def load(path):
    """{model: {precision: entry}}, configurations spelled out; nothing where there is no file.
    ValueError and OSError say what is wrong with it."""
    try:
        with open(path) as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError("%s: %s" % (path, "not JSON: %s" % error if text.strip() else "empty")) from None
    if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
        raise ValueError("%s: expected {model: {precision: ...}}" % path)
    for model in found:
        for precision in found[model]:
            try:
                found[model][precision] = entry_of(found, model, precision)
                complete(found[model][precision])
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                said = {KeyError: "no %s", ValueError: "%s"}.get(type(error), "a value of a wrong type (%s)")
                raise ValueError("%s: %s, %s: %s" % (path, model, precision, said % error)) from None
    return found


def complete(entry):
    """KeyError, ValueError or TypeError where an entry lacks what compare.py asks for."""
    finalists(entry)
    round(entry["compile_s"] + entry["ms"])
    for name in entry.get("open", ()):
        if name not in CHOICES:
            raise ValueError("open: %s is no choice; choices are %s" % (name, ", ".join(CHOICES)))


def save(path, found):
    """One line for each try, so that a search shows in a diff.  The file is there whole or as before."""
    lines = []
    for model in sorted(found):
        rows = []
        for precision in sorted(found[model]):
            entry = dict(found[model][precision])
            tried = ",\n        ".join(json.dumps(short(row)) for row in entry.pop("tried"))
            entry["config"] = words_of(entry["config"])
            rows.append('    "%s": {%s,\n      "tried": [\n        %s]}' % (
                precision, json.dumps(entry)[1:-1], tried))
        lines.append('  "%s": {\n%s}' % (model, ",\n".join(rows)))
    path = os.path.realpath(path)
    new = "%s.%d.new" % (path, os.getpid())
    try:
        with open(new, "w") as file:
            file.write("{\n%s\n}\n" % ",\n".join(lines))
        os.replace(new, path)
    except BaseException:
        if os.path.exists(new):
            os.unlink(new)
        raise


def can_save(path):
    """OSError says why save(path) would fail."""
    if os.path.isdir(path):
        raise IsADirectoryError(21, "is a folder", path)
    folder = os.path.dirname(os.path.realpath(path))
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(error.errno, "%s in %s" % (error.strerror, folder), path) from None


def words_of(config):
    """What differs from the beginning; parse() reads it."""
    return ",".join("%s=%s" % (name, config[name]) for name, words in CHOICES.items()
                    if config[name] != words[0])


def short(row):
    return {**row, "config": words_of(row["config"])}


def entry_of(found, model, precision):
    """The entry with its configurations spelled out; None where it was not searched."""
    entry = found.get(model, {}).get(precision)
    if entry is None:
        return None
    def full(row):
        config = row["config"]
        return {**row, "config": parse(config) if isinstance(config, str) else config}
    return {**full(entry), "tried": [full(row) for row in entry["tried"]]}


# ---------------------------------------------------------------------------------------------
# the process


def options_of(config):
    return [word for name in OPTIONS for word in ("--" + name, config[name])]


def environment_of(config, env, prefix, cache):
    """env with what the configuration asks for; prefix: of the Python with PyTorch; cache: a
    folder that keeps compiled code."""
    env = {**env, "TORCHINDUCTOR_CACHE_DIR": os.path.join(cache, "inductor")}
    preload = []
    if config["malloc"] == "tuned":
        env.update(TUNED_MALLOC)
    elif config["malloc"] != "plain":
        preload.append(LIBRARIES[config["malloc"]])
    if config["mkl"] == "intel":
        preload.append(intel_library(cache))
    if config["openmp"] == "intel":
        preload.append(os.path.join(prefix, "lib", "libiomp5.so"))
    if config["pin"] == "pinned":
        env.update(OMP_PROC_BIND="close", OMP_PLACES="cores")
        if config["openmp"] == "intel":
            env.update(KMP_AFFINITY="granularity=fine,compact,1,0", KMP_BLOCKTIME="1")
    if preload:
        env["LD_PRELOAD"] = " ".join(preload)
    return env


def intel_library(cache):
    """A library that says to MKL that the processor is Intel's: on others MKL takes kernels of
    lower rate.  Users of MKL on AMD preload such a one."""
    path = os.path.join(cache, "mkl_intel.so")
    if not os.path.exists(path):
        with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
            file.write("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
            file.flush()
            try:
                done = subprocess.run(["cc", "-shared", "-fPIC", "-o", path, file.name],
                                      capture_output=True, text=True)
            except OSError as error:
                raise RuntimeError("no C compiler for the library that MKL asks: %s" % error) from None
        if done.returncode:
            raise RuntimeError("no C compiler for the library that MKL asks: " + done.stderr.strip())
    return path
