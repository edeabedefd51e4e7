#include "tools/recipes.h"

#include <stdio.h>
#include <string.h>

#include "tools/recipe.h"

static const char usage[] =
    "usage: steady recipes          lists the built-in recipes\n"
    "       steady recipes NAME     prints one with its comments; a start for your own:\n"
    "                               steady recipes mnist > my.ini\n";

static void print_first_comment(const char *text) {
    const char *start = text + strspn(text, ";# ");
    printf("%.*s\n", (int)strcspn(start, "\n"), start);
}

static int list_recipes(void) {
    for (size_t i = 0; i < recipes_builtin_count; i++) {
        printf("%-18s ", recipes_builtin[i].name);
        print_first_comment(recipes_builtin[i].text);
    }
    return OK;
}

static int print_recipe(const char *name) {
    const char *text = recipe_builtin_text(name);
    if (text) {
        fputs(text, stdout);
        return OK;
    }
    fprintf(
        stderr,
        "steady: there is no recipe %s; did you mean %s? `steady recipes` lists all\n",
        name, recipe_builtin_nearest(name));
    return FAIL_USAGE;
}

int recipes_main(int argc, char **argv) {
    bool help =
        argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0);
    if (help || argc > 2) {
        fputs(usage, help ? stdout : stderr);
        return help ? OK : FAIL_USAGE;
    }
    return argc == 2 ? print_recipe(argv[1]) : list_recipes();
}
