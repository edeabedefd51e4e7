# What the shell tests of test/cli have in common; read before they leave the top directory.

# The line that test/run.sh counts, from a case's exit status.
tell() { # NAME STATUS
    if [ "$2" = 0 ]; then echo "ok $1"; else echo "FAIL $1"; fi
}

train() { "$STEADY" train "$@" --no-report 2>err; }

# A log without times.
timeless() { sed 's/,"items_per_s":.*}/}/' "$1"; }
