# docs/recipe-keys.md is what the table of keys says now.
"$STEADY" train --help-keys-markdown > "$TMP/keys.md"
if cmp -s "$TMP/keys.md" docs/recipe-keys.md; then
    echo "ok docs/recipe-keys.md is up to date"
else
    echo "FAIL docs/recipe-keys.md is up to date: run make docs"
fi
