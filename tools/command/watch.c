/* watch: `steady watch RUN ...` - how runs are getting on, in the terminal. */
#include <langinfo.h>
#include <locale.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/program/say.h"
#include "tools/watch/watch.h"

typedef struct Options {
    WatchList list;
    WatchOptions watch;
    bool once;
} Options;

static const Option OPTIONS[] = {
    {"--once", NULL, OPTION_FLAG, offsetof(Options, once),
     .sentence = "print a summary and exit (the default without a terminal)"},
    {"--play", NULL, OPTION_FLAG, offsetof(Options, watch.play),
     .sentence = "play the run back from its first step"},
    {"--interval", "S", OPTION_NUMBER, offsetof(Options, watch.interval),
     .sentence = "seconds between updates (default 1)", .min = 0.5, .max = 3600},
    {"--ascii", NULL, OPTION_FLAG, offsetof(Options, watch.ascii),
     .sentence = "use only ASCII characters, whatever the locale"},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    return watchlist_add(&o->list, word, err);
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&watch_command, o, argc, argv, NULL, err)) return err->status;
    if (o->list.count || o->list.folder_count) return OK;
    return err_set(err, FAIL_USAGE,
                   "no run given; name its folder, such as runs/demo, or that of a "
                   "sweep");
}

static void print_summary(Options *o) {
    setlocale(LC_CTYPE, "");
    bool utf8 = !o->watch.ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
    watch_once(&o->list, utf8, stdout);
}

static int run_watch(int argc, char **argv) {
    Err err = ERR_NONE;
    int code = OK;
    Options *o = mem_zalloc(sizeof *o);
    o->watch.interval = 1;
    if (read_options(o, argc, argv, &err)) {
        code = command_fail("watch", &err);
    } else if (o->once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
        print_summary(o);
    } else if (watch_follow(&o->list, &o->watch, &code, &err)) {
        say("steady watch: note: %s; printing a summary instead:", err.text);
        print_summary(o);
    }
    watchlist_free(&o->list);
    mem_free(o);
    return code;
}

const Command watch_command = {
    .name = "watch",
    .sentence = "follow runs in the terminal: loss, entropy of every head, events",
    .run = run_watch,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN | OFFER_FOLDER,
};
