#!/bin/sh
# Runs the fuzzers of build/fuzz (make fuzz) and counts what they executed.
#
#     sh test/fuzz/run.sh                     each for 5 seconds
#     sh test/fuzz/run.sh -s 600 bpe text     two of them, ten minutes each
#     sh test/fuzz/run.sh -n 1000000 -j 2     each a million executions, two at a time
#
# New inputs are kept in $FUZZ_CORPUS (build/fuzz/corpus), findings in build/fuzz/findings.
# A line a parser: `ok NAME: N executions`, or `FAIL NAME` with the end of its output.
here=${0%/*}
bin=${FUZZ_BIN:-build/fuzz}
corpus=${FUZZ_CORPUS:-$bin/corpus}
stop="-max_total_time=5" jobs=1
while [ $# -gt 0 ]; do
    case $1 in
    -s) stop="-max_total_time=$2"; shift 2 ;;
    -n) stop="-runs=$2"; shift 2 ;;
    -j) jobs=$2; shift 2 ;;
    -*) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) break ;;
    esac
done
if [ $# = 0 ]; then
    for f in "$here"/*.c; do
        name=${f##*/}
        [ "$name" = fuzz.c ] || set -- "$@" "${name%.c}"
    done
fi
for root in /dev/shm "${TMPDIR:-/tmp}"; do
    FUZZ_FOLDER=$(mktemp -d "$root/steady-fuzzing.XXXXXX" 2>/dev/null) && break
done
trap 'rm -rf "$FUZZ_FOLDER"' EXIT
trap 'exit 130' HUP INT TERM
export bin corpus stop here FUZZ_FOLDER
# One parser; OpenMP's pool would only be in the way of a parser's few microseconds.
one='
    name=$1
    [ -x "$bin/$name" ] || { echo "FAIL $name: $bin/$name is not there; run make fuzz"; exit 1; }
    mkdir -p "$corpus/$name" "$bin/findings"
    log=$bin/findings/$name.log
    OMP_NUM_THREADS=1 "$bin/$name" $stop -timeout=10 -rss_limit_mb=4000 -max_len=8000 \
        -print_final_stats=1 -artifact_prefix="$bin/findings/$name-" \
        "$corpus/$name" "$here/corpus/$name" >"$log" 2>&1
    status=$?
    runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$log")
    if [ $status = 0 ]; then echo "ok $name: ${runs:-0} executions"
    else echo "FAIL $name: exit status $status after ${runs:-?} executions"; tail -n 40 "$log"; fi
    exit $status'
status=0
printf '%s\n' "$@" | xargs -P "$jobs" -I NAME sh -c "$one" fuzz NAME || status=1
exit $status
