# What the shell tests of test/cli have in common; read before they leave the top directory.

# The line that test/run.sh counts, from a case's exit status.
tell() { # NAME STATUS
    if [ "$2" = 0 ]; then echo "ok $1"; else echo "FAIL $1"; fi
}

train() { "$STEADY" train "$@" --no-report 2>err; }

# A log without times.
timeless() { sed 's/,"items_per_s":.*}/}/' "$1"; }

# The command fails with this exit code; its last line, the only one that is no news of what was
# read, holds the pattern.  Nothing is printed, but by the command $may_print.
may_print=
fails() { # EXIT PATTERN COMMAND...
    wanted=$1 pattern=$2
    shift 2
    "$STEADY" "$@" >out 2>err
    code=$?
    if [ $code != "$wanted" ] || [ "$(grep -c '^steady [a-z]*:' err)" != 1 ] ||
            { [ "$1" != "$may_print" ] && [ -s out ]; } ||
            ! tail -n 1 err | grep -q "^steady [a-z]*: .*$pattern"; then
        printf 'steady %s: exit %s, wanted %s and %s\n' "$*" $code "$wanted" "$pattern"
        head -c 1000 out
        head -c 1000 err
        echo
        return 1
    fi
}

# A training run, of $recipe where there is one, that is refused before it begins: no folder.
recipe=
refused() { # NAME EXIT PATTERN WORDS...
    name=$1 wanted=$2 pattern=$3
    shift 3
    fails "$wanted" "$pattern" train $recipe "$@" --out new --no-report && [ ! -e new ]
    tell "$name" $?
    rm -rf new
}
