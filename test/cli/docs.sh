# The documentation says what is there: keys, links, files, names.

"$STEADY" train --help-keys-markdown > "$TMP/keys.md"
if cmp -s "$TMP/keys.md" docs/recipe-keys.md; then
    echo "ok docs/recipe-keys.md is up to date"
else
    echo "FAIL docs/recipe-keys.md is up to date: run make docs"
fi

report() { # WHAT: reads what is wrong, a line each
    if [ -s "$TMP/bad" ]; then
        cat "$TMP/bad"
        echo "FAIL $1"
    else
        echo "ok $1"
    fi
}

# ---- [text](file) and [text](file#heading) ----

for page in README.md docs/*.md; do
    grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//; s/#.*//' | sort -u |
        while read -r link; do
            case $link in '' | http*) continue ;; esac
            [ -e "$(dirname "$page")/$link" ] || echo "$page: $link: no such file"
        done
done > "$TMP/bad"
report "every link leads to a file"

anchors() { # reads headings or anchors, a line each: letters, digits and - of ASCII alone
    LC_ALL=C tr 'A-Z ' 'a-z-' | LC_ALL=C sed 's/[^a-z0-9_-]//g'
}

for page in README.md docs/*.md; do
    grep -o '](\([^)]*#[^)]*\))' "$page" | sed 's/^](//; s/)$//' | grep -v '^http' | sort -u |
        while IFS='#' read -r file heading; do
            [ -n "$file" ] && file=$(dirname "$page")/$file || file=$page
            sed '/^```/,/^```/d' "$file" | sed -n 's/^##* //p' | anchors |
                grep -q -x -F -e "$(echo "$heading" | anchors)" ||
                echo "$page: $file#$heading: no such heading"
        done
done > "$TMP/bad"
report "every link to a heading leads to one"

# ---- `folder/file.c`, a folder, a pattern; NAME, DIR and N stand for any name ----

quoted() { # PAGE: what stands between ` and `, a line each
    sed '/^```/,/^```/d' "$1" | tr '\n' ' ' | grep -o '`[^`]*`' | tr -d '`' | sort -u
}

for page in README.md docs/*.md; do
    quoted "$page" | grep -v -x 'examples/s' |
        grep -E '^(engine|models|data|tools|test|include|examples|docs|\.ci)/[^ ]*$' |
        sed 's/NAME\|DIR/*/g; s/\.{c,h}$/.c/' | while read -r file; do
            # shellcheck disable=SC2086 # a pattern
            ls -d $file >/dev/null 2>&1 || echo "$page: $file: no such file"
        done
done > "$TMP/bad"
report "every file that the documentation names is there"

# ---- `some_function`, `SomeType`, `SOME_CONSTANT` ----

find engine models data tools test include -name '*.[ch]' -exec cat {} + |
    grep -o -E '[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*' | sort -u > "$TMP/names"
for page in docs/tour.md docs/glossary.md; do
    quoted "$page" | grep -E '^([a-z0-9]+(_[a-z0-9]+)+|[A-Z][a-z]+([A-Z][a-z]*)*|[A-Z]+(_[A-Z]+)+)$' |
        grep -v -x -F -f "$TMP/names" | sed "s|^|$page: no such name: |"
done > "$TMP/bad"
report "every name that the tour and the glossary give is in the source"
