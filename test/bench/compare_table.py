"""The tables that compare.py prints, from what it measured."""
import statistics

import rival


def value(side, by):
    """A process's time of a step in ms."""
    return {"median": side["median_ms"], "processor": side["processor_ms"],
            "least": min(side["step_ms"])}[by]


def times(rows, side, by):
    return [value(row[side], by) for row in rows]


def ratio(rows, above, below, by):
    """Median of each round's; with `least`, of the fastest steps of all rounds: another program
    only adds time."""
    up, down = times(rows, above, by), times(rows, below, by)
    if by == "least":
        return min(up) / min(down)
    return statistics.median(a / b for a, b in zip(up, down))


def median(rows, side, key):
    return statistics.median(row[side][key] for row in rows)


def share(rows, side):
    """Of the product's rate in that precision, measured here in the same process."""
    return statistics.median(row[side]["flops"] / (row[side]["median_ms"] * 1e6) /
                             row[side]["gemm_gflops"] for row in rows)


def megabytes(rows, side):
    return median(rows, side, "activation_bytes") / 1e6


# ---------------------------------------------------------------------------------------------
# columns: heading, format, function of the rounds and --by; both precisions, or one


def columns(precisions):
    table = []
    for p in precisions:
        here, torch = "here " + p, "torch " + p
        table += [
            ("PyTorch %s ms" % p, "%.1f", lambda rows, by, side=torch: statistics.median(times(rows, side, by))),
            ("here %s ms" % p, "%.1f", lambda rows, by, side=here: statistics.median(times(rows, side, by))),
        ]
    table += [("PyTorch / here, %s" % p, "%.2f",
               lambda rows, by, p=p: ratio(rows, "torch " + p, "here " + p, by)) for p in precisions]
    if len(precisions) == 2:
        table.append(("here, fp32 / bf16", "%.2f",
                      lambda rows, by: ratio(rows, "here fp32", "here bf16", by)))
    for p in precisions:
        table.append(("share of GEMM here, %s" % p, "%.0f %%",
                      lambda rows, by, side="here " + p: 100 * share(rows, side)))
    for p in precisions:
        table += [("MB: PyTorch %s" % p, "%.0f", lambda rows, by, side="torch " + p: megabytes(rows, side)),
                  ("here %s" % p, "%.0f", lambda rows, by, side="here " + p: megabytes(rows, side))]
    if len(precisions) == 2:
        table.append(("MB here, bf16 / fp32", "%.2f", lambda rows, by:
                      megabytes(rows, "here bf16") / megabytes(rows, "here fp32")))
    if precisions:
        first = "here " + precisions[0]
        table += [("recompute = block: time", "%+.0f %%", lambda rows, by:
                   100 * (ratio(rows, "block", first, by) - 1)),
                  ("memory / PyTorch", "%.2f", lambda rows, by, side="torch " + precisions[0]:
                   megabytes(rows, "block") / megabytes(rows, side))]
    return table


def markdown(heads, rows):
    return "\n".join(["| %s |" % " | ".join(heads), "| --- " * len(heads) + "|"] +
                     ["| %s |" % " | ".join(row) for row in rows])


def name_of(model, result, precisions):
    return "%s, batch %d" % (model, result["rows"][0]["here " + precisions[0]]["batch"])


def steps(results, precisions, by, recompute):
    """Times, ratios and memory, a line a model."""
    table = columns(precisions)
    if not recompute:
        table = table[:-2]
    return markdown(["step"] + [head for head, _, _ in table], [
        [name_of(model, result, precisions)] +
        [form % function(result["rows"], by) for _, form, function in table]
        for model, result in results.items()])


def found_at(options, entry, torch, threads):
    """Where the form was found, and whether that is elsewhere."""
    if "given" in entry:
        return "--rival", False
    if rival.elsewhere(entry, options.processor, threads, torch):
        return rival.said_place(entry), True
    return "here", False


def forms(options, env, results, precisions):
    """What PyTorch ran as, a line a model and precision."""
    lines, foreign = [], False
    for model, result in results.items():
        for p in precisions:
            entry, rows = result["entries"][p], result["rows"]
            first = rows[0]["torch " + p]["warmup_ms"][0] / 1000
            place, away = found_at(options, entry, rows[0]["torch " + p]["torch"], int(env["OMP_NUM_THREADS"]))
            foreign = foreign or away
            lines.append([model, p, rival.describe(entry["won"], p), str(len(entry["tried"])),
                          "%.0f" % entry["compile_s"] if entry["compile_s"] else "-", "%.1f" % first, place])
    table = markdown(["step", "precision", "PyTorch's form", "forms tried", "cold compilation of the tries, s",
                      "first step in this run, s", "found"], lines)
    return table + ("\n\nA form that was found elsewhere may not be PyTorch's best here; --tune searches here "
                    "(--found FILE: in a file of its own)." if foreign else "")


def refused(results, precisions):
    """The forms that did not run, once each."""
    lines = []
    for model, result in results.items():
        for p in precisions:
            lines += ["- %s, %s, %s" % (model, p, line)
                      for line in rival.failures(result["entries"][p], p)]
    return "\n".join(["Forms of PyTorch that did not run:", ""] + lines) if lines else ""


def facts(options, env, results, precisions):
    rows = [row for result in results.values() for row in result["rows"]]
    machine, torch = rows[0]["machine"], rows[0]["torch " + precisions[0]]
    others = [row["others"] for row in rows]
    chosen = env.get("OPENBLAS_CORETYPE")
    rates = "; ".join("%s %.0f GFLOP/s here, %.0f in PyTorch" % (
        p, median(rows, "here " + p, "gemm_gflops"), median(rows, "torch " + p, "gemm_gflops"))
        for p in precisions)
    times_of = {"median": "Medians", "least": "Fastest steps", "processor": "Processor time, medians"}
    return (
        "%s; %s threads; steady %s, OpenBLAS %s with %s kernels (OPENBLAS_CORETYPE %s); PyTorch %s "
        "(%s).  GEMM of 2048: %s.  %s of %d rounds of %d steps, AdamW, LayerNorm before%s, no "
        "clipping.  Other programs took %.0f %% of the processors (median of the rounds; at most "
        "%.0f %%)." % (
            options.processor, env["OMP_NUM_THREADS"], machine["steady"], machine["openblas"],
            machine["core"], "= " + chosen if chosen else "not set", torch["torch"],
            torch["libraries"], rates, times_of[options.by], options.rounds, options.steps,
            " and sigmaReparam" if options.sigma else "", 100 * statistics.median(others),
            100 * max(others)))


def unfinished(options, results):
    return "\n".join("%s: %d of %d rounds." % (model, len(result["rows"]), options.rounds)
                     for model, result in results.items() if len(result["rows"]) < options.rounds)


def page(options, env, results):
    precisions = options.precisions
    alone = ("fp32 alone: the program has no fast bf16 products here."
             if options.precision == "both" and precisions == ["fp32"] else "")
    parts = [facts(options, env, results, precisions), alone, unfinished(options, results),
             steps(results, precisions, options.by, options.recompute),
             forms(options, env, results, precisions), refused(results, precisions)]
    return "\n\n".join(filter(None, parts))
