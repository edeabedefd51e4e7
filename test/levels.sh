#!/bin/sh
# The golden trajectories at each level of instructions that the processor has, with each of
# OpenBLAS's kernels that it can run; about two minutes each.
#     STEADY=build/steady STEADY64=build/steady64 sh test/levels.sh GOLDEN [CORE ...]
golden=$1
shift
[ $# -gt 0 ] || set -- Prescott Haswell Zen SkylakeX Cooperlake
failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

doctor() { "$STEADY" doctor 2>/dev/null; }

levels=$(doctor | sed -n 's/^kernels .*levels here: \([^;]*\);.*/\1/p')
[ -n "$levels" ] || levels=$(doctor | sed -n 's/^kernels  *\([^,]*\),.*/\1/p') # the only one
for core do
    export OPENBLAS_CORETYPE="$core"
    if ! doctor | grep -q "^OpenBLAS .* $core kernels"; then
        echo "skip OpenBLAS does not use $core kernels on this processor"
        continue
    fi
    if doctor | grep -q "^products  *WRONG"; then
        echo "skip $core kernels, whose products are wrong on this processor (steady doctor)"
        continue
    fi
    for level in $levels; do
        if STEADY_LEVEL=$level "$golden" >"$log" 2>&1; then
            echo "ok $level with $core kernels"
        else
            echo "FAIL $level with $core kernels"
            grep -v ' RUN \| OK ' "$log"
            failed=1
        fi
    done
done
exit $failed
