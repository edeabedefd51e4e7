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
[ $? = 2 ] && [ ! -s out ] && grep -q 'did you mean' err
tell "recipes NAME: an unknown name is exit 2 with a neighbour" $?
