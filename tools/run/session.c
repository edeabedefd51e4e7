#include "tools/run/session.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "data/file/textbuffer.h"
#include "engine/core/machine.h"
#include "tools/program/version.h"
#include "tools/run/rundir.h"

#define FILE_NAME "run.json"
#define COUNT_MOST 1e15
#define SECONDS_MOST 1e12

/* ---- writing ---- */

/* What is there and can be read, with an array "sessions"; else an empty one.  Members
 * that other versions wrote stay. */
static json_t *load_root(const char *dir) {
    json_t *root = rundir_load_json_if_any(dir, FILE_NAME, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        root = json_object();
    }
    if (!json_is_array(json_object_get(root, "sessions")))
        json_object_set_new(root, "sessions", json_array());
    return root;
}

static Status save_root(const char *dir, json_t *root, Err *err) {
    return rundir_save_json(dir, FILE_NAME, root, JSON_REAL_PRECISION(9), err);
}

static json_t *utc_now(void) {
    char text[32];
    time_t now = time(NULL);
    struct tm utc;
    if (!gmtime_r(&now, &utc)) return json_null();
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

static json_t *command_of(const SessionStart *start) {
    json_t *words = json_array();
    json_array_append_new(words, json_string("steady"));
    for (int i = 0; i < start->argc; i++)
        json_array_append_new(words, json_text(start->argv[i]));
    return words;
}

Status session_begin(const char *dir, const SessionStart *start, Err *err) {
    char machine[200], *cwd = getcwd(NULL, 0);
    machine_cpu_name("", machine, sizeof machine);
    json_t *root = load_root(dir), *list = json_object_get(root, "sessions");
    while (json_array_size(list) >= SESSIONS_KEPT) json_array_remove(list, 1);
    json_array_append_new(
        list,
        json_pack("{s:o, s:s, s:s*, s:s, s:o, s:o*, s:o, s:I, s:I, s:I, s:I, s:I, "
                  "s:s*, s:n, s:n, s:n}",
                  "started", utc_now(), "version", STEADY_VERSION, "commit",
                  *version_commit() ? version_commit() : NULL, "real",
                  sizeof(real) == sizeof(float) ? "float" : "double", "command",
                  command_of(start), "cwd", cwd ? json_text(cwd) : NULL, "machine",
                  json_text(machine), "threads", (json_int_t)start->threads, "ranks",
                  (json_int_t)start->ranks, "parameters", (json_int_t)start->parameters,
                  "from", (json_int_t)start->from, "steps", (json_int_t)start->steps,
                  "init_crc32", start->init_crc, "step", "seconds", "exit"));
    free(cwd);
    return save_root(dir, root, err);
}

Status session_end(const char *dir, const SessionEnd *end, Err *err) {
    json_t *root = load_root(dir), *list = json_object_get(root, "sessions");
    json_t *last = json_array_get(list, MAX(json_array_size(list), (size_t)1) - 1);
    if (!json_is_object(last)) {
        json_decref(root);
        return OK; /* somebody took it away */
    }
    json_object_set_new(last, "step", json_integer((json_int_t)end->step));
    json_object_set_new(last, "seconds", json_number(end->seconds));
    json_object_set_new(last, "exit", json_integer(end->exit));
    if (end->message) json_object_set_new(last, "message", json_text(end->message));
    if (end->verdict) {
        json_object_set_new(last, "verdict", json_text(end->verdict));
        json_object_set_new(last, "loss", json_number(end->loss));
    }
    return save_root(dir, root, err);
}

/* ---- reading ---- */

static char *text_of(const json_t *row, const char *key) {
    const char *text = json_string_value(json_object_get(row, key));
    return text ? mem_strdup(text) : NULL;
}

static size_t count_of(const json_t *row, const char *key) {
    double x = json_number_value(json_object_get(row, key));
    return x >= 1 && x < COUNT_MOST ? (size_t)x : 0;
}

static double number_of(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool is_plain(const char *word) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-+=.,:/@%";
    return *word && !word[strspn(word, PLAIN)];
}

/* As a shell would read it. */
static void add_word(TextBuffer *text, const char *word) {
    if (text->length) text_append_byte(text, ' ');
    if (is_plain(word)) {
        text_append(text, word, strlen(word));
        return;
    }
    text_append_byte(text, '\'');
    for (; *word; word++)
        if (*word == '\'') text_append(text, "'\\''", 4);
        else text_append_byte(text, *word);
    text_append_byte(text, '\'');
}

static char *command_line(const json_t *words) {
    TextBuffer text = {0};
    size_t i;
    const json_t *word;
    json_array_foreach(words, i, word) if (json_is_string(word))
        add_word(&text, json_string_value(word));
    char *line = text.length ? mem_strdup(text.text) : NULL;
    text_free(&text);
    return line;
}

static Session session_of(const json_t *row) {
    const json_t *code = json_object_get(row, "exit"),
                 *seconds = json_object_get(row, "seconds");
    double spent = json_is_number(seconds) ? json_number_value(seconds) : NAN;
    double ended = json_is_integer(code) ? json_number_value(code) : SESSION_OPEN;
    return (Session){.started = text_of(row, "started"),
                     .version = text_of(row, "version"),
                     .commit = text_of(row, "commit"),
                     .real = text_of(row, "real"),
                     .machine = text_of(row, "machine"),
                     .cwd = text_of(row, "cwd"),
                     .command = command_line(json_object_get(row, "command")),
                     .message = text_of(row, "message"),
                     .verdict = text_of(row, "verdict"),
                     .init_crc = text_of(row, "init_crc32"),
                     .loss = number_of(row, "loss"),
                     .threads = count_of(row, "threads"),
                     .ranks = count_of(row, "ranks"),
                     .parameters = count_of(row, "parameters"),
                     .from = count_of(row, "from"),
                     .steps = count_of(row, "steps"),
                     .step = count_of(row, "step"),
                     .seconds = spent >= 0 && spent < SECONDS_MOST ? spent : NAN,
                     .exit = ended >= 0 && ended < 256 ? (int)ended : SESSION_OPEN};
}

Sessions sessions_load(const char *dir) {
    json_t *root = load_root(dir), *list = json_object_get(root, "sessions");
    Sessions sessions = {.list = mem_zalloc(json_array_size(list) * sizeof(Session))};
    size_t i;
    const json_t *row;
    json_array_foreach(list, i, row) if (json_is_object(row))
        sessions.list[sessions.count++] = session_of(row);
    json_decref(root);
    return sessions;
}

void sessions_free(Sessions *sessions) {
    for (size_t i = 0; i < sessions->count; i++) {
        Session *s = &sessions->list[i];
        char *owned[] = {s->started, s->version, s->commit,  s->real, s->machine,
                         s->command, s->message, s->verdict, s->cwd,  s->init_crc};
        for (size_t k = 0; k < COUNT(owned); k++) mem_free(owned[k]);
    }
    mem_free(sessions->list);
    *sessions = (Sessions){0};
}

const Session *sessions_judged(const Sessions *sessions) {
    const Session *last = sessions->count ? &sessions->list[sessions->count - 1] : NULL;
    return last && last->verdict && last->exit != SESSION_OPEN ? last : NULL;
}

const char *sessions_init_crc(const Sessions *sessions) {
    for (size_t i = sessions->count; i-- > 0;)
        if (!sessions->list[i].from) return sessions->list[i].init_crc;
    return NULL;
}

double sessions_seconds(const Sessions *sessions) {
    double sum = sessions->count ? 0 : NAN;
    for (size_t i = 0; i < sessions->count; i++) sum += sessions->list[i].seconds;
    return sum;
}
