# steady recipes: the list, one family of it, one recipe.

. test/tell.sh
cd "$TMP" || exit 1

"$STEADY" recipes >list
kinds=$("$STEADY" train --help-keys | awk '$1 == "kind" { print gsub(/\|/, "|") + 1; exit }')
[ "$(grep -c '^[A-Z]' list) $(grep -c '^  numbers-p' list)" = "$kinds 3" ]
tell "recipes: a heading for each task.kind, and names under them" $?
[ "$(grep -c wmt17 list)" = 1 ]
tell "recipes: a large family is one line" $?
[ -z "$(awk 'length > 120' list)" ]
tell "recipes: no line is wider than 120" $?

"$STEADY" recipes wmt17 >family
[ "$(grep -c '^  wmt17-' family)" = 24 ]
tell "recipes START: each name of the family" $?
printable=0
for name in $(awk '{print $1}' family); do
    "$STEADY" recipes "$name" | grep -q '^\[task\]' && printable=$((printable + 1))
done
[ $printable = 24 ]
tell "recipes NAME: prints each of them" $?

"$STEADY" recipes demo | grep -q '^\[model\]'
tell "recipes NAME: a whole name is that recipe, though others begin so" $?
"$STEADY" recipes nonsense >out 2>err
[ $? = 2 ] && [ ! -s out ] && grep -q 'unknown recipe nonsense; .steady recipes. lists all' err
tell "recipes NAME: an unknown name without a neighbour is exit 2, and no other is suggested" $?
"$STEADY" recipes mnits >out 2>err
[ $? = 2 ] && [ ! -s out ] && grep -q 'did you mean mnist?' err
tell "recipes NAME: one with a neighbour suggests it" $?
"$STEADY" recipes DEMO | grep -q "^\[model\]"
tell "recipes NAME: capitals do not matter" $?

"$STEADY" recipes speech >out
[ "$(grep -c '^[A-Z]' out)" = 1 ] && grep -q '^Speech' out && grep -q '^  tones ' out && grep -q '^  librispeech100-pre-lars ' out
tell "recipes WORD: a task's word lists its recipes" $?
"$STEADY" recipes TRANSLATE sigma 6l >out
[ "$(grep -c '^  wmt17-6l-.*-sigma ' out)" = 3 ] && [ "$(grep -c '^  ' out)" = 3 ]
tell "recipes WORD ...: all of the words have to fit" $?
"$STEADY" recipes folder | grep -q '^  vit-b16-sigma '
tell "recipes WORD: the source of the data is found, too" $?
for words in 'speech qqq' 'qqq' "''"; do
    # shellcheck disable=SC2086
    "$STEADY" recipes $words >out 2>err
    [ $? = 2 ] && [ ! -s out ] && grep -q 'steady recipes. lists all' err
    tell "recipes $words: nothing fits, exit 2" $?
done
