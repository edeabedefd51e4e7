"""Command line of compare.py: everything is checked before anything is measured."""
import argparse
import difflib
import os
import subprocess
import tempfile

import rival

HERE = os.path.dirname(os.path.abspath(__file__))
PICTURES = ["vit-ti16", "vit-s16", "vit-b16", "cifar-vit"]
VIEWS = ["cifar-simclr", "simclr-b16"]
TEXTS = ["gpt2-124m", "mt-6l", "mt-18l", "shakespeare-char"]
SPEECH = ["asr-12l", "asr-36l", "asr-72l"]
GROUPS = {"all": PICTURES + TEXTS + SPEECH[:1] + VIEWS[:1], "pictures": PICTURES, "texts": TEXTS}
ALSO = ["mt-100l"] + SPEECH[1:] + VIEWS[1:]
MODELS = list(dict.fromkeys(GROUPS["all"] + ALSO))
ASKED = """import sys, importlib.metadata as m, importlib.util as u
print(sys.prefix)
try: print(m.version("torch"))
except m.PackageNotFoundError: print("unknown" if u.find_spec("torch") else "none")"""


def processor():
    """Name, family and model: names of virtual machines say little."""
    fields = {}
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                key, _, value = line.partition(":")
                fields.setdefault(key.strip(), value.strip())
    except OSError:
        return "unknown"
    return "%s, family %s model %s" % tuple(
        fields.get(key, "unknown") for key in ("model name", "cpu family", "model"))


def parser_of(description):
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="all",
                        help="comma-separated, or a group: %s; also %s" % (
                            ", ".join(GROUPS), ", ".join(ALSO)))
    parser.add_argument("--precision", choices=("fp32", "bf16", "both"), default="both")
    parser.add_argument("--sigma", action="store_true", help="sigmaReparam on both sides")
    parser.add_argument("--recompute", action="store_true", help="also train.recompute=block here")
    parser.add_argument("--rounds", type=at_least(int, 1), default=3)
    parser.add_argument("--steps", type=at_least(int, 1), default=5,
                        help="timed in each process, after two here and four there")
    parser.add_argument("--by", choices=("median", "least", "processor"), default="median",
                        help="which time of a process the ratios compare")
    parser.add_argument("--tune", nargs="?", const="all", metavar="CHOICES",
                        help="search PyTorch's best form, of all or of these choices: " +
                        ",".join(rival.CHOICES))
    parser.add_argument("--tune-depth", type=at_least(int, 0), default=2, metavar="N",
                        help="blocks of the models that are tried; 0: all (default 2)")
    parser.add_argument("--warm", action="store_true", help="only compile what will be run")
    parser.add_argument("--rival", metavar="NAME=WORD,...", help="this form of PyTorch, no other")
    parser.add_argument("--found", default=os.path.join(HERE, "rival.json"),
                        help="file of the forms that were found")
    parser.add_argument("--cache", help="folder for compiled code (default: one in the folder for "
                        "temporary files)", default=os.path.join(
                            tempfile.gettempdir(), "steady-rival-%d" % os.getuid()))
    parser.add_argument("--limit", type=at_least(int, 1), default=1800, help="seconds that PyTorch may take")
    parser.add_argument("--seconds", type=at_least(float, 0), default=0.2, help="for each reading of GEMM here")
    parser.add_argument("--threads", type=at_least(int, 1), help="default: the doctor's choice")
    parser.add_argument("--core", help="OPENBLAS_CORETYPE here, instead of the doctor's")
    parser.add_argument("--steady", default=os.path.join(HERE, "../../build/steady"))
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has PyTorch")
    parser.add_argument("--raw", help="file for all that was measured, an object a line")
    return parser


def at_least(kind, least):
    """Of an option: a finite number that is not less."""
    def number(text):
        value = kind(text)
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError("%s: expected %s or more" % (text, least))
        return value
    number.__name__ = kind.__name__  # argparse names it where the text is no number
    return number


def words_of(parser, option, text, known, groups=()):
    """A list with commas, each word once.  Exits where one is not known."""
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word in known or word in groups:
            continue
        near = difflib.get_close_matches(word, known, 1)
        parser.error("%s %s: %s; expected %s" % (
            option, text, "'%s' is not known%s" % (word, ", did you mean %s?" % near[0] if near else "")
            if word else "an empty name", ", ".join([*groups, *known])))
    return list(dict.fromkeys(name for word in words for name in dict(groups).get(word, [word])))


def python_of(parser, options):
    """Sets prefix and torch (None: not known).  Exits if there is no PyTorch."""
    try:
        done = subprocess.run([options.python, "-c", ASKED], capture_output=True, text=True)
    except OSError as error:
        parser.error("--python %s: %s" % (options.python, error.strerror))
    lines = done.stdout.split("\n")
    if done.returncode or not lines[0]:
        parser.error("--python %s: no Python (exit %d)" % (options.python, done.returncode))
    if "none" in lines[1:2]:
        parser.error("--python %s: it has no PyTorch; install it there or name another Python" % options.python)
    options.prefix = lines[0]
    options.torch = lines[1] if len(lines) > 2 and lines[1] != "unknown" else None


def files_of(parser, options):
    """Reads --found, makes --cache, opens --raw; tries whether a search could be saved."""
    try:
        options.known = rival.load(options.found)
        if not options.rival and (options.tune or not options.known or any(
                options.known.get(model, {}).get(p, {"open": 1}).get("open")
                for model in options.models for p in ("fp32", "bf16")
                if options.precision in (p, "both"))):
            rival.can_save(options.found)
    except (OSError, ValueError) as error:
        parser.error("--found %s" % (error if isinstance(error, ValueError) else "%s: %s" % (
            options.found, error.strerror)))
    try:
        os.makedirs(options.cache, exist_ok=True)
        tempfile.TemporaryFile(dir=options.cache).close()
    except OSError as error:
        parser.error("--cache %s: %s" % (options.cache, error.strerror))
    try:
        options.raw = open(options.raw, "a") if options.raw else None
    except OSError as error:
        parser.error("--raw %s: %s" % (options.raw, error.strerror))


def read(description, words=None):
    """The options; also known, processor, prefix, torch.  Exits with 2 where something is wrong."""
    parser = parser_of(description)
    options = parser.parse_args(words)
    options.models = words_of(parser, "--models", options.models, MODELS, GROUPS)
    if options.tune is not None and options.rival is not None:
        parser.error("--rival names one form: there is nothing to --tune")
    if options.tune is not None:
        options.tune = words_of(parser, "--tune", options.tune, list(rival.CHOICES), {"all": list(rival.CHOICES)})
    if options.rival is not None:
        try:
            options.rival = rival.parse(options.rival)
        except ValueError as error:
            parser.error("--rival %s" % error)
    options.processor = processor()
    python_of(parser, options)
    files_of(parser, options)
    return options
