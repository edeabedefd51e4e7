/* command: a command of the program as data, and the one way in which its words are read.
 *
 *     typedef struct Options {
 *         const char *recipe, *out;
 *         size_t jobs;
 *     } Options;
 *
 *     static const Option OPTIONS[] = {
 *         {"--out", "DIR", OPTION_NAME, offsetof(Options, out),
 *          .sentence = "folder to write", .offers = OFFER_FOLDER},
 *         {"--jobs", "N", OPTION_WHOLE, offsetof(Options, jobs),
 *          .sentence = "runs at a time", .min = 1, .max = 64},
 *         OPTION_HELP,
 *         {0},
 *     };
 *     const Command sweep_command = {
 *         .name = "sweep",
 *         .sentence = "a grid over recipe keys: table and figure",
 *         .run = run_sweep,
 *         .options = OPTIONS,
 *         .word = read_word,
 *         .offers = OFFER_RECIPE | OFFER_KEY,
 *     };
 *
 *     if (command_read(&sweep_command, &options, argc, argv, &err)) return err.status;
 *
 * `--jobs 2` and `--jobs=2` are the same; of an option that is given twice the last
 * value counts.  `--` ends the options: what follows is a word even if it begins
 * with "-", as "-" alone is.  An unknown or abbreviated option is refused with a
 * name that is near, as are an option without its value and a value of the wrong
 * kind.  --help (tools/program/help.h), the manual page and the completion of shells
 * come from the same table. */
#ifndef STEADY_COMMAND_H
#define STEADY_COMMAND_H

#include <stdio.h>

#include "engine/core/base.h"

typedef enum {
    OPTION_FLAG,   /* bool; takes no value */
    OPTION_TEXT,   /* const char *, also "" */
    OPTION_NAME,   /* const char * of 1 to 1023 bytes: a file or folder */
    OPTION_WHOLE,  /* size_t from min to max (0: no limit) */
    OPTION_NUMBER, /* double from min to max (0: no limit) */
    OPTION_CHOICE, /* int: the place in `choices` */
    OPTION_OWN,    /* what `read` makes of it */
    OPTION_SHOW, /* takes no value: `show` prints (NULL: the help), and the command ends */
} OptionKind;

/* What a value or a word can be, for completion; bits. */
enum {
    OFFER_FILE = 1,
    OFFER_FOLDER = 2,
    OFFER_RUN = 4, /* a run's folder */
    OFFER_RECIPE = 8,
    OFFER_KEY = 16, /* section.key=value */
};

typedef struct Option Option;
struct Option {
    const char *name;  /* "--out" */
    const char *value; /* of the help: "DIR"; NULL where it takes none */
    OptionKind kind;
    size_t place;         /* offset in the command's options */
    const char *sentence; /* what it does; a newline is one of the help */
    const char *letter;   /* "-o" or NULL */
    double min, max;
    /* names, ending with NULL: of OPTION_CHOICE all that there are, of others what
     * completion offers, or a list of those */
    const char *const *choices;
    const char *(*choice)(size_t i); /* the same by a function; NULL: there are no more */
    unsigned offers;
    const char *wants; /* "--checkpoint needs ..."; NULL: by its kind */
    unsigned tag;      /* of the command's own use */
    Status (*read)(const Option *option, void *options, const char *text, Err *err);
    void (*show)(FILE *out);
    /* the same of the word behind the option, where there is one that is no option */
    Status (*show_of)(const char *word, FILE *out, Err *err);
};

/* The last row of every table but its end. */
#define OPTION_HELP                                                                      \
    { "--help", NULL, OPTION_SHOW, 0, .sentence = "this text", .letter = "-h" }

typedef struct Command {
    const char *name, *sentence;
    int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
    const Option *options;             /* at most 64; ends with a name of NULL */
    /* A word that is no option; NULL: the command takes none. */
    Status (*word)(void *options, char *word, Err *err);
    unsigned offers;            /* what such words can be */
    const char *const *choices; /* and these; NULL: none */
    void (*more)(FILE *out);    /* a list in the help (@more), or NULL */
    bool computes;              /* matrix products, which have to be right */
    bool resumes;               /* what a signal has ended: exit 75 from the start */
} Command;

/* Reads argv[1] ... into `options`, which hold the defaults already.  `given` (may be
 * NULL): bit i for the option in row i.  FAIL_USAGE names the option or word. */
Status command_read(const Command *command, void *options, int argc, char **argv,
                    uint64_t *given, Err *err);

/* The place in argv of the first OPTION_SHOW, -h for one, wherever it is before "--",
 * also in the place of a value (`--out -h`): nothing else of the command line matters
 * then (help_show).  Joined by "=", as in --title=-h, it is a value.  0: there is
 * none. */
int command_shows(const Command *command, int argc, char **argv);

/* Is it an option: does it begin with "-", and is not "-" alone? */
bool option_is(const char *word);
/* The option of a word such as "--out", "--out=DIR" or "-o"; NULL: none. */
const Option *command_find_option(const Command *command, const char *word);
/* The name of the option that such a word was probably meant to be; NULL: none is
 * near. */
const char *command_near_option(const Command *command, const char *word);

/* For Command.word: FAIL_USAGE for one word too many, behind another
 * (NULL: it takes none). */
Status command_unexpected(const char *word, const char *behind, Err *err);

/* Names of more bytes do not fit into paths (PATH_SIZE): FAIL_USAGE, "RUN aaaa...:
 * ...". */
Status command_check_name(const char *what, const char *name, Err *err);

/* "a whole number from 1 to 64", "train, val or test": what an option's value has to
 * be. */
void option_wanted(const Option *option, char *text, size_t size);

bool option_takes_value(const Option *option);

/* Prints "steady COMMAND: text" on stderr ("steady: text" without one) and
 * returns the exit code. */
int command_fail(const char *command, const Err *err);

#endif
