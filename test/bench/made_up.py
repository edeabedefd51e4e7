"""What a script of this folder prints of a sweep that its test makes up."""
import contextlib
import io
import json
import os
import sys
import tempfile


def printed(module, cells, probes=None):
    """Output of module.main() on the sweep of these cells; probes(cell): the rows of a cell's probe.jsonl."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        with open(os.path.join(folder, "sweep.json"), "w") as file:
            json.dump({"cells": [{"name": "run%d" % i, **cell} for i, cell in enumerate(cells)]}, file)
        for cell in cells if probes else ():
            os.makedirs(os.path.join(folder, "cells", cell["name"]))
            with open(os.path.join(folder, "cells", cell["name"], "probe.jsonl"), "w") as file:
                file.writelines(json.dumps(row) + "\n" for row in probes(cell))
        sys.argv = [module.__name__, folder]
        module.main()
    return out.getvalue()
