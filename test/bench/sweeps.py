"""A sweep's folder, for the scripts beside this file.  What is missing or damaged ends the script with one line, or is
left out with one line on standard error.  The standard library is enough."""
import json
import os
import sys


def text_of(path, what):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        sys.exit("%s: %s; %s" % (path, (error.strerror or "cannot be read").lower(), what))


def read(folder):
    """What sweep.json holds; its "cells" are a list of objects."""
    path = os.path.join(folder, "sweep.json")
    what = "expected the folder of a sweep: what --out=FOLDER named"
    try:
        state = json.loads(text_of(path, what))
    except ValueError as error:
        sys.exit("%s: no JSON: %s; to write it again: steady sweep --resume %s" % (path, error, folder))
    cells = state.get("cells") if isinstance(state, dict) else None
    if not isinstance(cells, list) or not all(isinstance(c, dict) and isinstance(c.get("name"), str) and
                                              isinstance(c.get("values"), dict) for c in cells):
        sys.exit("%s: no list of runs (cells with name and values); %s" % (path, what))
    return state


def cells(folder):
    return read(folder)["cells"]


def rows(path):
    """The objects of a file of JSON lines; a line that is none is left out and named."""
    for number, line in enumerate(text_of(path, "this log of the run is needed").splitlines(), 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield row
        else:
            print("%s:%d: no JSON object; left out" % (path, number), file=sys.stderr)


def recipe(path):
    """{section.key: value} of a resolved recipe."""
    found, section = {}, ""
    for line in text_of(path, "the run's resolved recipe is needed").splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line and line[0] not in ";#":
            key, value = line.split("=", 1)
            found["%s.%s" % (section, key.strip())] = value.split(" ;")[0].strip()
    return found
