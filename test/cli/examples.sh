# The programs of examples/, built with the header and the archive alone: $EXAMPLES is their folder.

. test/tell.sh

here=${EXAMPLES:-${STEADY%/*}/examples}

for file in examples/*.c; do
    [ "$(wc -l <"$file")" -le 80 ]
    tell "$file has at most 80 lines" $?
done

"$here/pictures" >"$TMP/out" && [ "$(grep -c '^step .* loss [0-9.]*$' "$TMP/out")" = 8 ] &&
    awk '/right/ { exit !($1 > 90) }' "$TMP/out"
tell "pictures: a vision transformer learns arrays, and new ones are right" $?

"$here/entropy" train.steps=20 >"$TMP/out" &&
    awk '/^step/ && NF == 13 && $6 > 0.2 && $6 <= 1.0001 { n++ } END { exit n != 2 }' "$TMP/out"
tell "entropy: shares of uniform attention for each of three blocks" $?
"$here/entropy" model.reparm=none 2>"$TMP/err"
[ $? = 2 ] && grep -q 'did you mean model.reparam' "$TMP/err"
tell "entropy: a wrong key is refused with the nearest" $?

cat >"$TMP/small.ini" <<'END'
[task]
kind = translate
[data]
source = numbers
synthetic_count = 50
tokens = word
[model]
width = 16
depth = 1
heads = 2
[train]
steps = 3
batch = 4
beam = 2
max_decode = 8
END
"$STEADY" train "$TMP/small.ini" --no-report --out "$TMP/run" 2>"$TMP/err" || cat "$TMP/err"
printf '12\n7\n' >"$TMP/lines"
"$here/translate" "$TMP/run" <"$TMP/lines" >"$TMP/out" &&
    "$STEADY" predict "$TMP/run" "$TMP/lines" --beam 2 | cmp - "$TMP/out" &&
    [ "$(wc -l <"$TMP/out")" = 2 ]
tell "translate: a trained run says what steady predict says" $?
"$here/translate" "$TMP/no-run" <"$TMP/lines" >"$TMP/out" 2>"$TMP/err"
[ $? = 2 ] && [ -s "$TMP/err" ] && [ ! -s "$TMP/out" ]
tell "translate: a folder without a run is refused" $?

"$here/own_op" >"$TMP/out" && awk '/relative error/ { exit !($NF < 1e-3) }' "$TMP/out" &&
    [ "$(grep -c '^step ' "$TMP/out")" = 3 ]
tell "own_op: an op of one's own has the right gradient and trains" $?
