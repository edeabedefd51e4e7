#!/bin/sh
# Fails the N-th allocation of a program of the library's, for every N: each has to end in a status.
#
#     sh test/fault/library.sh [-e STRIDE] [-s START] [-t "pictures text pairs speech"] [-b build]
#
# What is wanted of each fault: the program comes to its own end, and nothing is on stderr.  A line a
# kind: `ok pictures: 312 faults, 300 statuses`, or `FAIL ...` for each N that went wrong.  What is
# said by libgomp, whose memory is not ours, counts apart.
stride=1 start=1 kinds="pictures text pairs speech" build=build
while getopts e:s:t:b: option; do
    case $option in
    e) stride=$OPTARG ;; s) start=$OPTARG ;; t) kinds=$OPTARG ;; b) build=$OPTARG ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
libs=$(sed -n 's/^LIBS = //p' config.mk)
${CC:-cc} -shared -fPIC -O1 -o "$work/fault.so" test/fault/allocations.c -ldl &&
    ${CC:-cc} -std=c11 -g -Iinclude -o "$work/program" test/fault/library.c \
        "$build/lib/libsteady.a" -fopenmp $libs || exit 1
# Freed memory is filled, so that its use shows.
export OMP_NUM_THREADS=1 MALLOC_PERTURB_=165
bad=0
for kind in $kinds; do
    LD_PRELOAD="$work/fault.so" STEADY_FAULT_COUNT="$work/count" "$work/program" $kind "$work" \
        >"$work/out"
    grep -q '^end 0' "$work/out" || { cat "$work/out"; echo "FAIL $kind without a fault"; exit 1; }
    count=$(cat "$work/count") n=$start faults=0 statuses=0 others=0 wrong=0
    while [ "$n" -le "$count" ]; do
        LD_PRELOAD="$work/fault.so" STEADY_FAULT=$n timeout 60 "$work/program" $kind "$work" \
            >"$work/out" 2>"$work/err"
        code=$?
        faults=$((faults + 1))
        if [ $code = 0 ] && [ ! -s "$work/err" ] && grep -q '^end' "$work/out"; then
            grep -q '^end 0' "$work/out" || statuses=$((statuses + 1))
        elif grep -q 'libgomp: \|error while loading' "$work/err"; then
            others=$((others + 1))
        else
            wrong=$((wrong + 1))
            echo "FAIL $kind $n: exit $code, $(head -n 3 "$work/err" | tr '\n' ' ')"
        fi
        n=$((n + stride))
    done
    [ $wrong = 0 ] || bad=1
    [ $wrong = 0 ] && echo "ok $kind: $faults faults of $count, $statuses statuses, $others of OpenMP's"
done
exit $bad
