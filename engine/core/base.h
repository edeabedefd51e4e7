/* base: the number type, failures of two kinds (err.c), memory (memory.c),
 * and small helpers.
 *
 * A caller's bug (wrong shape, NULL, wrong order of calls) stops at CHECK, in release
 * builds too.  The world's fault (a file, a recipe, a full disk) comes back as a Status
 * with one line of text in an Err:
 *
 *     Err err = ERR_NONE;
 *     if (idx_open(path, &set, &err)) return err.status;
 *
 * Not for: logging; the engine prints nothing on success. */
#ifndef STEADY_BASE_H
#define STEADY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One source, two builds: float trains, double checks (-DSTEADY_DOUBLE). */
#ifdef STEADY_DOUBLE
typedef double real;
#define REAL_NAME "F64"
#else
typedef float real;
#define REAL_NAME "F32"
#endif

/* The upper half of a float: what large products may read (engine/kern/bf16.h). */
typedef uint16_t bf16;

/* The values are the program's exit codes. */
typedef enum {
    OK = 0,
    FAIL_RUN = 1,          /* run-time error: disk, memory, system */
    FAIL_USAGE = 2,        /* command line or recipe */
    FAIL_DATA = 3,         /* a file that is not what it should be */
    FAIL_DIVERGED = 4,     /* non-finite loss or gradient, or a run at chance */
    FAIL_COLLAPSED = 5,    /* stopped by the collapse guard */
    FAIL_BUG = 70,         /* a CHECK, where a trap is set (engine/core/trap.h) */
    FAIL_INTERRUPTED = 75, /* stopped by a signal, saved, can be resumed */
} Status;

typedef struct Err {
    Status status;
    char text[1000];
} Err;

#define ERR_NONE ((Err){OK, ""})

/* Fills `err` (which may be NULL) with one formatted line and returns `status`.  Control
 * characters and bytes that are no UTF-8, from names and files, become \xNN
 * (utf8_show). */
Status err_set(Err *err, Status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text of a failure; for adding the file that was being
 * read. */
Status err_wrap(Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* CHECK(condition, "what, with %zu numbers", n): a caller's bug.  Prints place and text
 * to stderr and aborts; in a trap (engine/core/trap.h) both are its err. */
#define CHECK(condition, ...)                                                            \
    do {                                                                                 \
        if (!(condition)) check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);     \
    } while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition,
                            const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Memory aligned to 64 bytes; never NULL: when there is none left the process says how
 * much was wanted and exits with FAIL_RUN (what was saved before is whole), or goes to
 * its trap (engine/core/trap.h).  Freed by mem_free. */
void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes); /* the same, filled with zeros */
/* The same for `count` items, whose product may not fit a size_t (sizes from outside). */
void *mem_array(size_t count, size_t item);
void *mem_zarray(size_t count, size_t item);
void mem_free(void *memory); /* NULL is fine */
/* Frees what a variable holds before it gets other memory: should there be none, the trap
 * leaves nothing behind that would be freed twice. */
#define MEM_DROP(variable) (mem_free(variable), (variable) = NULL)
char *mem_strdup(const char *text);

/* Ends the process in that way, at once, when `bytes` are more than it can ever have
 * (machine_memory_most); `what` needs them, as in "the model's parameters".  Asked before
 * something large is built of many parts. */
void mem_expect(double bytes, const char *what);
/* "1.5 GB", "2.2e+16 bytes". */
void mem_text(double bytes, char *text, size_t size);

/* a * b, or false when the product does not fit (sizes that come from a file). */
bool size_mul(size_t a, size_t b, size_t *product);

/* Formats into a buffer of `size` bytes; a text that does not fit is a CHECK failure. */
void text_format(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Seconds of a clock that only runs forward. */
double clock_now(void);

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
