# steady doctor, and how the program makes itself fit the machine.

. test/tell.sh
unset OPENBLAS_CORETYPE OMP_NUM_THREADS STEADY_REEXEC STEADY_MENDED_FROM

"$STEADY" doctor >"$TMP/text"
tell "doctor names kernels, threads and rate" $((! $(grep -c 'kernels\|^threads\|^GEMM' "$TMP/text") >= 3))

[ "$(grep -c '^\(JPEG\|sndfile\|ARPACK\) *\(yes\|no\): ' "$TMP/text")" = 3 ]
tell "doctor names the optional libraries" $?

"$STEADY" doctor --json >"$TMP/json"
tell "doctor --json has the keys" $((! $(grep -c '"openblas"\|"problems"\|"one_thread"' "$TMP/json") == 3))

affinity=$(sed -n 's/.*"affinity": \([0-9]*\).*/\1/p' "$TMP/json")
OMP_NUM_THREADS=$((affinity + 1)) "$STEADY" doctor --json | grep -q '"why": "set by OMP_NUM_THREADS"'
tell "doctor --json says who set the number of threads" $?

"$STEADY" doctor --json --env >"$TMP/text" 2>"$TMP/err"
[ $? = 2 ] && [ ! -s "$TMP/text" ] && grep -q '^steady doctor: --json and --env' "$TMP/err"
tell "--json with --env is a usage error" $?

ls "$XDG_CACHE_HOME"/steady/gemm-rate-* >/dev/null 2>&1
tell "doctor stores the rate for the trainer" $?

XDG_CACHE_HOME=/proc/nowhere "$STEADY" doctor >"$TMP/text"
tell "a cache that cannot be written is no failure" $?

"$STEADY" doctor --nonsense >/dev/null 2>&1
tell "an unknown argument is a usage error" $((! $? == 2))

refused() { # NAME MESSAGE VARIABLE=VALUE: by doctor, doctor --env and train with the same words
    for words in doctor "doctor --env" "train nothing"; do
        # shellcheck disable=SC2086
        env "$3" "$STEADY" $words >"$TMP/text" 2>"$TMP/err"
        [ $? = 2 ] && [ ! -s "$TMP/text" ] && grep -q "^steady ${words%% *}: $2" "$TMP/err"
        tell "$1, by $words" $?
    done
}
refused "STEADY_BF16=on is refused" 'STEADY_BF16 = on: expected off' STEADY_BF16=on
refused "a level that does not exist is refused" 'STEADY_LEVEL = bogus: no kernels' STEADY_LEVEL=bogus
refused "more threads than there can be are refused" 'OMP_NUM_THREADS = 99999: at most 4096 threads' OMP_NUM_THREADS=99999
if ! (ulimit -v 4000000 && "$STEADY" --version) >/dev/null 2>&1; then
    echo "skip no room for the threads: no ulimit -v, or a program that wants terabytes"
else
    (ulimit -v 4000000 && OMP_NUM_THREADS=4000 exec timeout -s KILL 20 "$STEADY" doctor) >"$TMP/text" 2>"$TMP/err"
    [ $? = 1 ] && [ ! -s "$TMP/text" ] && grep -q '^steady doctor: .*4000 threads.*raise the limit' "$TMP/err"
    tell "no room for the threads is not the kernels' fault" $?
fi
STEADY_BF16=OFF "$STEADY" doctor --env >/dev/null && STEADY_BF16='' STEADY_LEVEL='' "$STEADY" doctor --env >/dev/null
tell "off and an empty value are allowed" $?

OMP_NUM_THREADS=3 "$STEADY" doctor --env | grep -q 'OMP_NUM_THREADS=3$'
tell "OMP_NUM_THREADS of the user is honoured" $?

free=$("$STEADY" doctor --env)
bound=$(OMP_PROC_BIND=true "$STEADY" doctor --env)
[ "$free" = "$bound" ]
tell "bound threads do not change their number" $?

# An OpenBLAS that takes the processor for a Prescott until it is told better.
cat >"$TMP/shim.c" <<'END'
#include <stdlib.h>
char *openblas_get_corename(void) {
    char *told = getenv("OPENBLAS_CORETYPE");
    return told ? told : "Prescott";
}
END
wanted=Haswell
grep -q avx512vl /proc/cpuinfo 2>/dev/null && wanted=SkylakeX
if ! grep -q avx2 /proc/cpuinfo 2>/dev/null || ! command -v cc >/dev/null ||
        ! cc -shared -fPIC -o "$TMP/shim.so" "$TMP/shim.c" 2>/dev/null; then
    echo "skip a wrong core type is mended: needs AVX2 and cc"
else
    mended=$(LD_PRELOAD=$TMP/shim.so "$STEADY" doctor --env)
    [ "$mended" = "OPENBLAS_CORETYPE=$wanted $free" ]
    tell "a wrong core type is mended by starting again" $?

    mended=$(OMP_PROC_BIND=true LD_PRELOAD=$TMP/shim.so "$STEADY" doctor --env)
    [ "$mended" = "OPENBLAS_CORETYPE=$wanted $free" ]
    tell "starting again keeps all processors of bound threads" $?

    mended=$(OPENBLAS_CORETYPE=Prescott LD_PRELOAD=$TMP/shim.so "$STEADY" doctor --env)
    [ "$mended" = "$free" ]
    tell "a core type that the user has set is kept" $?

    OPENBLAS_CORETYPE=Prescott LD_PRELOAD=$TMP/shim.so "$STEADY" doctor >"$TMP/text"
    grep -q '^PROBLEM  OPENBLAS_CORETYPE=Prescott makes OpenBLAS use Prescott kernels' "$TMP/text" &&
        grep 'What to do: unset OPENBLAS_CORETYPE' "$TMP/text" | grep -vq 'Haswell\|SkylakeX'
    tell "... and the advice promises no kernels by name" $?
fi
