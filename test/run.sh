#!/bin/sh
# Runs the tests that are named on the command line and counts their cases.
#
#     STEADY=build/steady sh test/run.sh build/test/unit/test_machine test/cli/help.sh
#
# A program is a cmocka one (it speaks TAP here).  A shell test prints a line for each case:
# `ok NAME`, `FAIL NAME` or `skip NAME why`; it finds the program in $STEADY, starts in the
# top directory and has an empty directory of its own in $TMP.  The output of a test with a
# failure is shown.  The last line is `N passed, M failed`.

work=$(mktemp -d "${TMPDIR:-/tmp}/steady-test.XXXXXX") || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

case ${STEADY:=build/steady} in /*) ;; *) STEADY=$PWD/$STEADY ;; esac
case ${STEADY64:=build/steady64} in /*) ;; *) STEADY64=$PWD/$STEADY64 ;; esac
export STEADY STEADY64
# A user's settings and caches are none of a test's business.
export HOME="$work/home" XDG_CACHE_HOME="$work/cache" LC_ALL=C
unset NO_COLOR
mkdir "$HOME"

# The program mends core type and thread count itself; tests of the library get them here.
mended=$("$STEADY" doctor --env 2>/dev/null || true)
[ -n "${OMP_NUM_THREADS:-}" ] && mended="$mended OMP_NUM_THREADS=$OMP_NUM_THREADS"

# Of programs that are built with sanitizers; shell tests start theirs in other folders.
here=$(cd "${0%/*}" && pwd)
export LSAN_OPTIONS="suppressions=$here/lsan.supp:print_suppressions=0"
export UBSAN_OPTIONS=print_stacktrace=1
# Some tests put a library of their own before the program's; frames of MPI's are found slowly or
# not at all.
export ASAN_OPTIONS=verify_asan_link_order=0:fast_unwind_on_malloc=0
limit=
command -v timeout >/dev/null && limit="timeout ${TEST_TIMEOUT:-300}"

passed=0 failed=0 skipped=0 failures=
for test do
    case $test in /*) ;; *) test=./$test ;; esac
    name=${test##*/}
    name=${name%.sh}
    TMP=$work/tmp-$name
    export TMP
    mkdir -p "$TMP"
    out=$work/out
    status=0
    case $test in
    *.sh) $limit sh "$test" >"$out" 2>&1 </dev/null || status=$? ;;
    *) env CMOCKA_MESSAGE_OUTPUT=TAP $mended $limit "$test" >"$out" 2>&1 \
           </dev/null || status=$? ;;
    esac
    # cmocka writes a case that was passed over as `not ok N # SKIP`.
    skip=$(grep -c -E '^(skip |(not )?ok .*# *SKIP)' "$out")
    good=$(grep -E '^ok ' "$out" | grep -v -c '# *SKIP')
    bad=$(grep -E '^(FAIL|not ok) ' "$out" | grep -v -c '# *SKIP')
    note=
    if [ "$bad" = 0 ] && [ $status != 0 ]; then
        bad=1 note="exit status $status"
        [ $status = 124 ] && note="took longer than ${TEST_TIMEOUT:-300} s"
        [ $status -gt 128 ] && note="signal $((status - 128))"
    elif [ $((good + bad + skip)) = 0 ]; then
        bad=1 note="ran no case"
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
    if [ "$bad" = 0 ]; then
        printf '%-28s %3d ok%s\n' "$name" "$good" "$([ "$skip" = 0 ] || echo ", $skip skipped")"
    else
        printf '%-28s %3d ok, %d FAILED %s\n' "$name" "$good" "$bad" "$note"
        sed 's/^/    | /' "$out"
        failures="$failures $name"
    fi
done

[ -z "$failures" ] || echo "failed:$failures"
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
