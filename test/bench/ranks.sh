#!/bin/sh
# One process of two threads against two ranks of one thread, in turn (docs/scaling.md):
#
#     sh test/bench/ranks.sh ROUNDS RECIPE [section.key=value ...]
#     sh test/bench/ranks.sh 5 cifar10 data.path=data/cifar10 train.steps=40
#
# Prints the median and the best of all steps but each run's first three, examples a second, and the ratio of the medians.
# The program is $STEADY (default build/steady).  Evaluations and probes are switched off.

usage() {
    echo "ranks.sh: $1" >&2
    echo "usage: [STEADY=build/steady] sh test/bench/ranks.sh ROUNDS RECIPE [section.key=value ...]" >&2
    exit 2
}

steady=${STEADY:-build/steady} rounds=$1
case $rounds in '' | *[!0-9]* | ??????*) usage "ROUNDS = $rounds: expected a number of 1 or more" ;; esac
[ "$rounds" -gt 0 ] || usage "ROUNDS = $rounds: expected 1 or more"
[ $# -ge 2 ] || usage "a recipe is missing"
command -v "$steady" >/dev/null || usage "$steady: no such program; run make, or set STEADY"
shift
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

turn() { # NAME COMMAND...
    name=$1
    shift
    rm -rf "$work/run"
    "$@" --out "$work/run" probe.every=0 guard.exit=ok train.eval_every=1000000 --no-report >"$work/log" 2>&1 ||
        { cat "$work/log"; exit 1; }
    sed '/"items_per_s":/!d' "$work/run/train.jsonl" | sed -n '4,$s/.*"items_per_s":\([0-9.e+]*\).*/\1/p' >>"$work/$name"
    [ -s "$work/$name" ] || {
        echo "ranks.sh: no step was counted: each run's first three rows are left out; give train.steps=40 or more," \
            "and train.log_every=1" >&2
        exit 1
    }
}

while [ "$rounds" -gt 0 ]; do
    turn threads env OMP_NUM_THREADS=2 "$steady" train "$@"
    turn ranks env OMP_NUM_THREADS=1 mpirun -n 2 "$steady" train "$@"
    rounds=$((rounds - 1))
done
for name in threads ranks; do
    sort -g "$work/$name" | awk -v name="2 $name" '{ x[NR] = $1 }
        END { printf "%s: %d steps, median %.1f, best %.1f\n", name, NR, x[int((NR + 1) / 2)], x[NR] }'
done | awk '{ print; sub(",", "", $6); m[NR] = $6 } END { printf "ranks / threads %.3f\n", m[2] / m[1] }'
