# Text that users read has the field's words: help, key descriptions, recipes, pages.
# Not read: CHANGES.md, which says what past versions did, and the output in a page's code.

words='told|heard|hears?|borne|mend|mends|mended|parted|goes on with|go on with|stands'
words="$words"'|likeliest|as [A-Za-z0-9 -]* has it|the rate[^A-Za-z ]|the rate [^o]'

prose() { # FILE: its sentences on one line, without code, comment signs and tables' bars
    sed -e '/^```/,/^```/d' -e 's/^[#;|[:space:]]*//' "$1" | tr '\n' ' ' | tr -s ' '
}

# FILE ...: the places of such words, a line each
poor() {
    for file in "$@"; do
        prose "$file" | grep -o -i -E ".{0,40}(^|[^A-Za-z-])($words)([^A-Za-z-].{0,30}|\$)" |
            sed "s|^|$file: ...|; s|\$|...|"
    done
}

says() { # WHAT FILE ...
    what=$1
    shift
    if poor "$@" > "$TMP/poor" && [ -s "$TMP/poor" ]; then
        cat "$TMP/poor"
        echo "FAIL $what"
    else
        echo "ok $what"
    fi
}

cat > "$TMP/bad.txt" << 'END'
The first utterances are told
# to the listener, who goes on
# with the likeliest one; what the paper's appendix has it is no excuse, the rate is 3.
END
cat > "$TMP/good.txt" << 'END'
Training goes on; the learning rate falls. GEMM runs at the rate of the machine.
The standard deviation, behindhand, mending and partedness are words of their own.
END
[ "$(poor "$TMP/bad.txt" | wc -l)" -ge 2 ] && [ -z "$(poor "$TMP/good.txt")" ] &&
    echo "ok such words are found across lines, and only they" ||
    echo "FAIL such words are found across lines, and only they"

says "help texts have the field's words" tools/help/*.txt
says "recipes have the field's words" tools/recipes/*.ini
says "key descriptions have the field's words" docs/recipe-keys.md

# The page of measurements is exempt until it is written anew.
pages=$(ls README.md docs/*.md | grep -v -x -e docs/reproduction.md -e docs/recipe-keys.md)
# shellcheck disable=SC2086 # names without blanks
says "pages have the field's words" $pages

# ---- a key is described by what it is, not by itself ----

sed -n 's/^| `\([a-z0-9_]*\)` |.* | \([^|]*\) |$/\1: \2/p' docs/recipe-keys.md |
    grep -E ': (What|That|Of|See|Its?|The same|Those)[ .]' > "$TMP/bare"
if [ -s "$TMP/bare" ]; then
    cat "$TMP/bare"
    echo "FAIL a key's description begins with what the key is"
else
    echo "ok a key's description begins with what the key is"
fi
