# Text that users read has the field's words: help, key descriptions, recipes, pages, messages.
# Not read: CHANGES.md, which says what past versions did, and the output in a page's code.

words='told|heard|hears?|borne|mend|mends|mended|parted|goes on with|go on with|stands'
words="$words"'|likeliest|as [A-Za-z0-9 -]* has it|made anew|begins again'
words="$words"'|the rate[^A-Za-z ]|the rate [^o]'
# In a message these are the wrong word, too; a page may need them.
message="$words"'|wanted|behind|beside|by itself|cut short|endings?|likely[^ ]|holds no'
message="$message"'|goes by|leads nowhere|shared out|put (it|that|them) back|of its own|which (run|recipe)\?'
message="$message"'|([^r]e|[^e]) is no|do not go together|what uniform attention has'

prose() { # FILE: its sentences on one line, without code, comment signs and tables' bars
    sed -e '/^```/,/^```/d' -e 's/^[#;|[:space:]]*//' "$1" | tr '\n' ' ' | tr -s ' '
}

# FILE ...: their string literals, a line each, FILE:LINE: in front.  A literal that continues the
# one at the end of the line before it is a part of that; comments are not read.
literals() {
    awk '
        function put() { if (text != "") print at ": " text; text = "" }
        FNR == 1 { put(); comment = open = 0 }
        comment {
            if (!(end = index($0, "*/"))) next
            $0 = substr($0, end + 2)
            comment = 0
        }
        /^#include/ { next }
        {
            rest = $0
            first = 1
            while (match(rest, /\/\*|\/\/|"(\\.|[^"\\])*"|'\''(\\.|[^'\''\\])+'\''/)) {
                token = substr(rest, RSTART, RLENGTH)
                before = substr(rest, 1, RSTART - 1)
                rest = substr(rest, RSTART + RLENGTH)
                if (token == "//") break
                if (token == "/*") {
                    if (!(end = index(rest, "*/"))) { comment = 1; rest = ""; break }
                    rest = substr(rest, end + 2)
                } else if (substr(token, 1, 1) == "\"") {
                    if (!(first && open && before ~ /^[ \t]*$/)) { put(); at = FILENAME ":" FNR }
                    text = text substr(token, 2, length(token) - 2)
                    first = 0
                    open = 1
                }
            }
            open = open && !first && rest ~ /^[ \t\\]*$/
        }
        END { put() }' "$@"
}

# WORDS: the lines of stdin, FILE:LINE: TEXT, with such words in a text.  What has no blank is a
# name, not a text; neither are the parts of names with a _ in them.
find_words() {
    grep ': .* ' | grep -i -E "^[^ ]*: (.*[^A-Za-z_-])?($1)([^A-Za-z_-]|\$)"
}

# FILE ...: the places of such words, a line each
poor() {
    for file in "$@"; do
        prose "$file" | grep -o -i -E ".{0,40}(^|[^A-Za-z-])($words)([^A-Za-z-].{0,30}|\$)" |
            sed "s|^|$file: ...|; s|\$|...|"
    done
}

says() { # WHAT: the places are on stdin
    if cat > "$TMP/poor" && [ -s "$TMP/poor" ]; then
        cat "$TMP/poor"
        echo "FAIL $1"
    else
        echo "ok $1"
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

cat > "$TMP/bad.c" << 'END'
static const char *const a = "it holds %zu; a " /* told */ "number is wanted";
    fail("\"x\": the file was cut "
         "short", '"');
    CHECK(x, "%s is no file", name); // wanted
END
cat > "$TMP/good.c" << 'END'
/* what is wanted, "cut short" and told */
int wanted = 1; /* borne
 "likeliest" */ char c = '"'; const char *key = "mended_from"; // "told"
    fail("there is no file %s; expected one", "behindhand");
END
[ "$(literals "$TMP/bad.c" | find_words "$message" | wc -l)" = 3 ] &&
    [ -z "$(literals "$TMP/good.c" | find_words "$message")" ] &&
    echo "ok in C they are found in literals alone, across lines" ||
    echo "FAIL in C they are found in literals alone, across lines"

poor tools/help/*.txt | says "help texts have the field's words"
poor tools/recipes/*.ini | says "recipes have the field's words"
poor docs/recipe-keys.md | says "key descriptions have the field's words"
# shellcheck disable=SC2046 # names without blanks
poor README.md $(ls docs/*.md | grep -v -x docs/recipe-keys.md) |
    says "pages have the field's words"
# shellcheck disable=SC2046
literals $(find tools data engine models -name '*.[ch]') | find_words "$message" |
    says "messages have the field's words"

# ---- a key is described by what it is, not by itself ----

sed -n 's/^| `\([a-z0-9_]*\)` |.* | \([^|]*\) |$/\1: \2/p' docs/recipe-keys.md |
    grep -E ': (What|That|Of|See|Its?|The same|Those)[ .]' |
    says "a key's description begins with what the key is"
