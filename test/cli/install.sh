# make install, and programs outside the tree that have nothing but what it leaves.

. test/tell.sh

unset MAKEFLAGS MFLAGS MAKELEVEL
usr=$TMP/usr
quiet="make -s --no-print-directory"

# ---- configure and make ----

PKG_CONFIG_PATH=/nowhere/pc CFLAGS='-DMY_FLAG' LDFLAGS='-Wl,-z,now' CI=false \
    ./configure --cflags='-DCOST=$$5' --without-mpi --output="$TMP/my.mk" >/dev/null &&
    grep '^C\(ONFIGURE_ARGS\|C\|FLAGS\) \|^LDFLAGS' "$TMP/my.mk" >"$TMP/first" &&
    CFLAGS=-DNOT_MINE CC=/nowhere/cc $quiet CONFIG="$TMP/my.mk" B="$TMP/b" -W configure "$TMP/b/version.h" >/dev/null &&
    grep '^C\(ONFIGURE_ARGS\|C\|FLAGS\) \|^LDFLAGS' "$TMP/my.mk" | cmp - "$TMP/first" &&
    grep -q -- '-DMY_FLAG' "$TMP/first" && grep -q "'PKG_CONFIG_PATH=/nowhere/pc'" "$TMP/first" &&
    grep -q -x 'LDFLAGS = -Wl,-z,now' "$TMP/my.mk"
tell "make repeats configure with the environment and options of the first time" $?

bad=
for prefix in "/a b" relative '/a;b' '/$HOME'; do
    ./configure --prefix="$prefix" --output="$TMP/no.mk" >/dev/null 2>"$TMP/err" && bad="$bad $prefix"
    grep -q -F -e "--prefix=$prefix: expected a path" "$TMP/err" || bad="$bad $prefix"
done
[ -z "$bad" ] && [ ! -e "$TMP/no.mk" ]
tell "configure refuses a prefix that make install would take apart$bad" $?

bad=
for word in "PREFIX=/a b" "DESTDIR=/a b"; do
    for goal in install uninstall install-library; do
        $quiet -n $goal "$word" >"$TMP/out" 2>"$TMP/err" && bad="$bad $word"
        grep -q "${word%%=*}=.*: expected a path without blanks" "$TMP/err" || bad="$bad $goal"
    done
done
[ -z "$bad" ]
tell "so does make install$bad" $?

version_of() { # VERSION: what an object that has been compiled already says after make
    $quiet B="$TMP/b" VERSION="$1" "$TMP/b/float/data/text/bleu.o" >"$TMP/out" &&
        grep -c -a "version:steady-$1" "$TMP/b/float/data/text/bleu.o" >/dev/null
}
version_of 9.8.7 && version_of 9.8.8 && version_of 9.8.8 && [ ! -s "$TMP/out" ]
tell "another version reaches the objects that were compiled before" $?

bad=
[ -z "$($quiet -n all | grep -e --manual)" ] || bad=" none"
for file in tools/recipe/keys_train.h tools/recipe/keys_data.h tools/recipe/metric.h data/sources.h \
        tools/task/*/bench.c tools/bench/model.c tools/help/bench.txt tools/probe/linear_probe.c; do
    $quiet -n -W "$file" all | grep -q -e '--manual' || bad="$bad $file"
done
[ -z "$bad" ]
tell "pages and completion are made again with the tables they show$bad" $?

# ---- what is installed ----

make -s --no-print-directory install PREFIX="$usr" >"$TMP/log" 2>&1
status=$?
[ $status = 0 ] || cat "$TMP/log"
tell "make install succeeds" $status

"$usr/bin/steady" doctor --env >"$TMP/env"
tell "the installed program runs" $?

[ "$(ls "$usr/share/man/man1" | wc -l)" = $(($("$usr/bin/steady" -h | grep -c '^  [a-z]') + 1)) ] &&
    grep -q '^\.TH steady.-train 1' "$usr/share/man/man1/steady-train.1" &&
    grep -q '^complete -F' "$usr/share/bash-completion/completions/steady" &&
    grep -q '^#compdef steady' "$usr/share/zsh/site-functions/_steady" &&
    grep -q '^complete -c steady' "$usr/share/fish/vendor_completions.d/steady.fish"
tell "a manual page a command and completion for three shells are installed" $?

[ "$(cd "$usr/include" && find . -type f)" = ./steady.h ]
tell "one header is installed" $?

for library in libsteady.so.0 libsteady.a libsteady64.a; do
    dynamic=
    [ $library = libsteady.so.0 ] && dynamic=-D
    nm $dynamic -g --defined-only "$usr/lib/$library" | grep ' [A-BD-Z] ' >"$TMP/symbols"
    grep -q ' T steady_model_new$' "$TMP/symbols" && ! grep -v ' T steady_' "$TMP/symbols"
    tell "$library shows functions steady_* and nothing else" $?
done

nm -D --undefined-only "$usr/lib/libsteady.so.0" | sed 's/.* U //; s/@.*//' >"$TMP/used"
grep -q '^pthread_create$' "$TMP/used" &&
    ! grep -x -E 'getenv|secure_getenv|setenv|putenv|fork|vfork|posix_spawn|exec[a-z]*|system|popen' "$TMP/used"
tell "the library cannot read or change the environment, nor start a process" $?

# Two steps of training; its losses on stdout.
cat >"$TMP/user.c" <<'END'
#include <steady.h>

#include <stdio.h>

static void hear(void *context, const char *line) { (void)context, (void)line; }

int main(void) {
    steady_error error;
    steady_recipe *recipe = NULL;
    steady_model *model = NULL;
    steady_step step;
    steady_listener listener = {hear, NULL};
    if (steady_recipe_open("demo", &recipe, &error) ||
        steady_recipe_set(recipe, "model.depth", "1", &error) ||
        steady_recipe_set(recipe, "train.steps", "2", &error) ||
        steady_model_new(recipe, NULL, &listener, &model, &error))
        return fprintf(stderr, "%s\n", error.text), error.status;
    while (!steady_model_step(model, &step, &error)) printf("%.9g\n", step.loss);
    steady_model_free(model);
    steady_recipe_free(recipe);
    return error.status == STEADY_USAGE ? 0 : error.status;
}
END
cp "$TMP/user.c" "$TMP/user.cc"

if ! pkg-config --version >/dev/null 2>&1 || ! command -v cc >/dev/null; then
    echo "skip programs with steady.h build: needs cc and pkg-config"
else
    export PKG_CONFIG_PATH="$usr/lib/pkgconfig" LD_LIBRARY_PATH="$usr/lib"
    strict="-Wall -Wextra -Wpedantic -Werror"
    (cd "$TMP" && cc -std=c11 $strict -o shared user.c $(pkg-config --cflags --libs steady) &&
        ./shared >shared.out) && [ "$(wc -l <"$TMP/shared.out")" = 2 ] &&
        readelf -d "$TMP/shared" | grep -q 'NEEDED.*libsteady.so.0]'
    tell "a C program with pkg-config builds against libsteady.so.0 and trains" $?
    for bits in "" 64; do
        (cd "$TMP" && unset LD_LIBRARY_PATH && cc -std=c11 $strict -o static user.c \
            $(pkg-config --cflags steady) "$usr/lib/libsteady$bits.a" \
            $(pkg-config --static --libs steady | sed 's/-lsteady //') && ./static >static$bits.out)
        tell "one links libsteady$bits.a and needs no library of ours to run" $?
    done
    cmp "$TMP/shared.out" "$TMP/static.out" && ! cmp -s "$TMP/static.out" "$TMP/static64.out"
    tell "archive and shared library give the same losses, the double one more digits" $?
    if command -v c++ >/dev/null; then
        (cd "$TMP" && c++ -std=c++17 $strict -o plus user.cc $(pkg-config --cflags --libs steady) &&
            ./plus | cmp - shared.out)
        tell "a C++ program builds and trains, too" $?
    fi
fi

make -s --no-print-directory uninstall PREFIX="$usr" >/dev/null
left=$(find "$usr" ! -type d)
[ -z "$left" ]
tell "make uninstall leaves no file" $?
