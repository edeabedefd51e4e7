# A program of the library's in which every so-manieth allocation fails (test/fault/library.sh has all).

. test/tell.sh

case $STEADY in
*/asan/*) echo "skip allocations that fail: the sanitizer has its own malloc"; exit ;;
esac
if ! command -v cc >/dev/null; then
    echo "skip allocations that fail: needs cc"
    exit
fi
for kind in pictures text pairs speech; do
    sh test/fault/library.sh -e 1009 -s 13 -t $kind -b "${STEADY%/*}" >"$TMP/out" 2>&1
    status=$?
    [ $status = 0 ] || cat "$TMP/out"
    tell "$kind: an allocation that fails is a status" $status
done
