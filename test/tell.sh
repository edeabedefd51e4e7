# Read by the shell tests of test/cli before they leave the top directory.

# The line that test/run.sh counts, from a case's exit status.
tell() { # NAME STATUS
    if [ "$2" = 0 ]; then echo "ok $1"; else echo "FAIL $1"; fi
}
