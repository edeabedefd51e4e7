# One test, for test/run.sh: FOLDER gets its output and, in `end`, exit status and seconds.
# Prints a line when the test has ended.
test=$1 folder=$2
case $test in /*) ;; *) test=./$test ;; esac
limit=
command -v timeout >/dev/null && limit="timeout $TEST_TIMEOUT"
export TMP="$folder/tmp"
mkdir -p "$TMP"

status=0 begin=$(date +%s)
# shellcheck disable=SC2086
case $test in
*.sh) $limit sh "$test" ;;
*) env CMOCKA_MESSAGE_OUTPUT=TAP $LIBRARY_ENV $limit "$test" ;;
esac >"$folder/out" 2>&1 </dev/null || status=$?
echo $status $(($(date +%s) - begin)) >"$folder/end.new"
mv "$folder/end.new" "$folder/end"
echo "$test"
