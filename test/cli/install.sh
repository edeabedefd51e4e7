# make install, and a program that uses what it leaves.

. test/tell.sh

unset MAKEFLAGS MFLAGS MAKELEVEL
make -s --no-print-directory install PREFIX="$TMP/usr" >"$TMP/log" 2>&1
status=$?
[ $status = 0 ] || cat "$TMP/log"
tell "make install succeeds" $status

"$TMP/usr/bin/steady" doctor --env >"$TMP/env"
tell "the installed program runs" $?

cat >"$TMP/user.c" <<'END'
#include <steady.h>

#include <stdio.h>

int main(void) {
    printf("%s %zu\n", machine_blas().flavour, machine_threads("").threads);
    return 0;
}
END
if ! pkg-config --version >/dev/null 2>&1 || ! command -v cc >/dev/null; then
    echo "skip a program with steady.h builds: needs cc and pkg-config"
else
    export PKG_CONFIG_PATH="$TMP/usr/lib/pkgconfig"
    cc -std=c11 -Wall -Wextra -Werror -o "$TMP/user" "$TMP/user.c" \
        $(pkg-config --cflags --libs steady) && "$TMP/user" | grep '^OpenMP [1-9]'
    tell "a program with steady.h and pkg-config builds and runs" $?
fi

make -s --no-print-directory uninstall PREFIX="$TMP/usr" >/dev/null
left=$(find "$TMP/usr" -type f)
[ -z "$left" ]
tell "make uninstall leaves no file" $?
