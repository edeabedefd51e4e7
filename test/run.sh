#!/bin/sh
# Runs the tests that are named on the command line, several at a time, and counts their cases.
#
#     STEADY=build/steady sh test/run.sh -j 4 build/test/unit/test_machine test/cli/resume.sh
#
# A program is a cmocka one (it speaks TAP here).  A shell test prints a line for each case:
# `ok NAME`, `FAIL NAME` or `skip NAME why`; it finds the program in $STEADY, starts in the
# top directory and has an empty directory of its own in $TMP.
#
# Results come in the order of the command line, with the seconds of slow tests; those that
# must run alone come last.  The output of a test with a failure is shown, and at the end the
# command that runs it again: $AGAIN and its source file, where the caller gives $AGAIN, as
# `make check` does.  The last line is `N passed, M failed`.
#
# -j JOBS          tests at a time                                     [number of processors]
# TEST_TIMEOUT     seconds that a test may take                        [300]
# OMP_NUM_THREADS  threads of a test of the library                    [2]

# These measure time or memory: one at a time, when no other test runs.
ALONE=" bench memory test_stop "

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || jobs=1
while getopts j: option; do
    case $option in
    j) jobs=$OPTARG ;;
    *) echo "usage: sh test/run.sh [-j JOBS] TEST..." >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))

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

# The program mends core type and thread count itself; tests of the library get the first here,
# and threads that do not depend on the machine.  Those that wait leave their processor to others.
LIBRARY_ENV="$("$STEADY" doctor --env 2>/dev/null) OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}"
export LIBRARY_ENV OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}" "TEST_TIMEOUT=${TEST_TIMEOUT:-300}"

# Of programs that are built with sanitizers; shell tests start theirs in other folders.
here=$(cd "${0%/*}" && pwd)
export LSAN_OPTIONS="suppressions=$here/lsan.supp:print_suppressions=0"
export UBSAN_OPTIONS=print_stacktrace=1
# Some tests put a library of their own before the program's.
export ASAN_OPTIONS=verify_asan_link_order=0

name_of() { # TEST: without folder and .sh
    set -- "${1##*/}"
    echo "${1%.sh}"
}

# ---- running -----------------------------------------------------------------------------

together= alone= count=0
for test do
    case $ALONE in
    *" $(name_of "$test") "*) alone="$alone $test" ;;
    *) together="$together $test" count=$((count + 1)) ;;
    esac
done

run() { # JOBS FIRST TEST...: prints a line at the end of each
    at_a_time=$1 number=$2
    shift 2
    [ $# = 0 ] || for test do
        echo "$test $work/$number"
        number=$((number + 1))
    done | xargs -P "$at_a_time" -n 2 sh "$here/run_one.sh"
}

# ---- results -----------------------------------------------------------------------------

passed=0 failed=0 skipped=0 failures=

show() { # TEST FOLDER
    out=$2/out status=137 seconds=0
    [ -f "$2/end" ] && read -r status seconds <"$2/end"
    # cmocka writes a case that was passed over as `not ok N # SKIP`.
    skip=$(grep -c -E '^(skip |(not )?ok .*# *SKIP)' "$out")
    good=$(grep -E '^ok ' "$out" | grep -v -c '# *SKIP')
    bad=$(grep -E '^(FAIL|not ok) ' "$out" | grep -v -c '# *SKIP')
    note=
    if [ "$bad" = 0 ] && [ "$status" != 0 ]; then
        bad=1 note=" exit status $status"
        [ "$status" = 124 ] && note=" took longer than $TEST_TIMEOUT s"
        [ "$status" -gt 128 ] && note=" signal $((status - 128))"
    elif [ $((good + bad + skip)) = 0 ]; then
        bad=1 note=" ran no case"
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
    [ "$bad" = 0 ] || note=", $bad FAILED$note"
    [ "$skip" = 0 ] || note="$note, $skip skipped"
    [ "$seconds" -lt 3 ] || note="$note  ($seconds s)"
    printf '%-28s %3d ok%s\n' "$(name_of "$1")" "$good" "$note"
    [ "$bad" = 0 ] && return
    sed 's/^/    | /' "$out"
    file=${1##*/}
    case $file in *.sh) ;; *) file=$file.c ;; esac
    again="STEADY=$STEADY STEADY64=$STEADY64 sh test/run.sh $1"
    [ -z "${AGAIN:-}" ] || again=$AGAIN$file
    failures="$failures
    $again"
}

# Shows each test as soon as those before it have ended.
show_all() { # TEST...
    number=1
    while read -r ended; do
        : "$ended"
        while [ $# != 0 ] && [ -f "$work/$number/end" ]; do
            show "$1" "$work/$number"
            number=$((number + 1))
            shift
        done
    done
    for test do # a runner was killed
        show "$test" "$work/$number"
        number=$((number + 1))
    done
    [ -z "$failures" ] || echo "failed; again:$failures"
    [ "$skipped" = 0 ] || echo "$skipped skipped"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}

# shellcheck disable=SC2086
{ run "$jobs" 1 $together; run 1 $((count + 1)) $alone; } | show_all $together $alone
