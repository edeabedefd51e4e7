/* report_answers: what the model says to examples (tools/figure/report.h). */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/speech/wer.h"
#include "tools/figure/report_parts.h"
#include "tools/run/rundir.h"

/* Aligning takes time and memory with the product of the lengths. */
enum { ALIGN_MOST = 4000 };

/* "The 10 of 2620 recordings of split test with the most wrong words, the most first." */
static void write_worst_head(FILE *out, const RunLog *run, size_t shown, char *label,
                             size_t size) {
    char of[40] = "";
    if (run->worst_of >= (double)shown)
        text_format(of, sizeof of, " of %.0f", fmin(run->worst_of, 1e15));
    text_format(label, size,
                "The %zu%s recordings of split %s with the most wrong words, the most "
                "first",
                shown, of, run->worst_split);
    page_section(out, "worst", "Worst transcripts");
    fputs("<p>", out);
    page_text(out, label);
    fputs(".</p>\n", out);
}

/* Reference and transcript one below the other, the worst first. */
static void write_worst(FILE *out, const RunLog *run) {
    TextBuffer all = {0};
    char label[160];
    size_t i, shown = 0;
    json_t *row;
    json_array_foreach(run->worst, i, row) {
        const char *id, *reference, *hypothesis;
        if (json_unpack(row, "{s:s, s:s, s:s}", "id", &id, "reference", &reference,
                        "hypothesis", &hypothesis))
            continue;
        if (strlen(reference) > ALIGN_MOST || strlen(hypothesis) > ALIGN_MOST) continue;
        if (all.length) text_append_byte(&all, '\n');
        json_int_t errors = json_integer_value(json_object_get(row, "errors"));
        text_append_format(&all, "%s", id);
        if (errors > 0)
            text_append_format(&all, " (%lld wrong word%s)", (long long)errors,
                               errors == 1 ? "" : "s");
        text_append_byte(&all, '\n');
        shown++;
        wer_align(reference, hypothesis, &all);
    }
    if (all.length) {
        write_worst_head(out, run, shown, label, sizeof label);
        page_lines(out, label, all.text);
        page_section_end(out);
    }
    text_free(&all);
}

/* ---- RUN/answers.json (tools/task/answers.h) ---- */

enum { CLASSES_MOST = 100, MATRIX_MOST = 20, SIDE_MOST = 64, TEXTS_MOST = 20 };

/* "At step 400, split val." */
static void write_when(FILE *out, const json_t *answers) {
    const char *split = json_string_value(json_object_get(answers, "split"));
    fprintf(out, "<p>At step %.0f, split ",
            json_number_value(json_object_get(answers, "step")));
    page_text(out, split ? split : "–");
    fputs(".</p>\n", out);
}

typedef struct Confusion {
    const char *name[CLASSES_MOST];
    double counts[CLASSES_MOST][CLASSES_MOST];
    size_t classes;
} Confusion;

/* False: it is no square of counts with a name for each row. */
static bool read_confusion(const json_t *from, Confusion *c) {
    const json_t *names = json_object_get(from, "classes"),
                 *rows = json_object_get(from, "counts");
    c->classes = json_array_size(names);
    if (!c->classes || c->classes > CLASSES_MOST || json_array_size(rows) != c->classes)
        return false;
    for (size_t i = 0; i < c->classes; i++) {
        const json_t *row = json_array_get(rows, i);
        c->name[i] = json_string_value(json_array_get(names, i));
        if (!c->name[i] || json_array_size(row) != c->classes) return false;
        for (size_t j = 0; j < c->classes; j++) {
            double count = json_number_value(json_array_get(row, j));
            c->counts[i][j] = count >= 0 && count < 1e15 ? count : 0;
        }
    }
    return true;
}

/* The class that class i is taken for most often, but for itself; classes: none. */
static size_t mistaken_for(const Confusion *c, size_t i) {
    size_t most = c->classes;
    for (size_t j = 0; j < c->classes; j++)
        if (j != i && c->counts[i][j] > 0 &&
            (most == c->classes || c->counts[i][j] > c->counts[i][most]))
            most = j;
    return most;
}

static void write_class(FILE *out, const Confusion *c, size_t i) {
    double of = 0, taken = 0, right = c->counts[i][i];
    for (size_t j = 0; j < c->classes; j++) {
        of += c->counts[i][j];
        taken += c->counts[j][i];
    }
    fputs("<tr><th scope=row>", out);
    page_text(out, c->name[i]);
    fprintf(out, "<td class=n>%.0f<td class=n>", of);
    page_number(out, "%.1f", 100 * right / of);
    fputs("<td class=n>", out);
    page_number(out, "%.1f", 100 * right / taken);
    size_t other = mistaken_for(c, i);
    fputs("<td>", out);
    if (other < c->classes) {
        page_text(out, c->name[other]);
        fprintf(out, " (%.0f)", c->counts[i][other]);
    }
    fputs("</tr>\n", out);
}

/* A cell is the darker the more of its row it holds. */
static void write_matrix(FILE *out, const Confusion *c) {
    fputs("<div class=matrix>\n", out);
    page_table_begin(out, "Confusion matrix: true classes in rows, predicted classes "
                          "in columns");
    fputs("<thead><tr><th scope=col>class", out);
    for (size_t j = 0; j < c->classes; j++) {
        fputs("<th scope=col class=n>", out);
        page_text(out, c->name[j]);
    }
    fputs("</tr></thead>\n", out);
    for (size_t i = 0; i < c->classes; i++) {
        double of = 0;
        for (size_t j = 0; j < c->classes; j++) of += c->counts[i][j];
        fputs("<tr><th scope=row>", out);
        page_text(out, c->name[i]);
        for (size_t j = 0; j < c->classes; j++) {
            fputs("<td class=n", out);
            if (c->counts[i][j] > 0)
                fprintf(out, " style=\"background:rgba(90,140,220,%.2f)\"",
                        0.3 * c->counts[i][j] / of);
            fprintf(out, ">%.0f", c->counts[i][j]);
        }
        fputs("</tr>\n", out);
    }
    page_table_end(out);
    fputs("</div>\n", out);
}

static void write_classes(FILE *out, const json_t *answers) {
    Confusion *c = mem_zalloc(sizeof *c);
    if (read_confusion(json_object_get(answers, "confusion"), c)) {
        page_section(out, "classes", "Classes");
        write_when(out, answers);
        page_table_begin(out, "Scores per class");
        fputs("<thead><tr><th scope=col>class<th scope=col class=n>examples<th "
              "scope=col class=n>recall %<th scope=col class=n>precision %<th "
              "scope=col>most often confused with</tr></thead>\n",
              out);
        for (size_t i = 0; i < c->classes; i++) write_class(out, c, i);
        page_table_end(out);
        if (c->classes <= MATRIX_MOST) write_matrix(out, c);
        page_section_end(out);
    }
    mem_free(c);
}

/* ---- pictures, as uncompressed bitmaps ---- */

static void put(unsigned char **to, size_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) *(*to)++ = (unsigned char)(value >> 8 * i);
}

static bool read_hex(const char *text, size_t bytes, unsigned char *to) {
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < 2 * bytes; i++) {
        const char *digit = memchr(DIGITS, text[i], sizeof DIGITS - 1);
        if (!digit) return false;
        to[i / 2] = (unsigned char)(to[i / 2] << 4 | (digit - DIGITS));
    }
    return true;
}

/* pixels: [height, width, channels] bytes. */
static void write_bitmap(FILE *out, const unsigned char *pixels, size_t channels,
                         size_t height, size_t width) {
    enum { HEAD = 54 };
    unsigned char file[HEAD + SIDE_MOST * (3 * SIDE_MOST + 3)] = {0}, *to = file;
    size_t row = (3 * width + 3) / 4 * 4, size = HEAD + row * height;
    put(&to, 'B' | 'M' << 8, 2), put(&to, size, 4), put(&to, 0, 4), put(&to, HEAD, 4);
    put(&to, 40, 4), put(&to, width, 4), put(&to, height, 4), put(&to, 1, 2);
    put(&to, 24, 2);
    for (size_t y = 0; y < height; y++) /* the last row first; blue, green, red */
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < 3; c++)
                file[HEAD + (height - 1 - y) * row + 3 * x + 2 - c] =
                    pixels[(y * width + x) * channels + (channels == 3 ? c : 0)];
    page_data(out, "image/bmp", file, size);
}

static void write_one_picture(FILE *out, const json_t *picture) {
    json_int_t channels, height, width;
    const char *label, *class, *hex;
    double share;
    unsigned char pixels[SIDE_MOST * SIDE_MOST * 3] = {0};
    if (json_unpack((json_t *)picture, "{s:s, s:s, s:F, s:[I, I, I], s:s}", "label",
                    &label, "class", &class, "share", &share, "size", &channels, &height,
                    &width, "pixels", &hex) ||
        (channels != 1 && channels != 3) || height < 1 || height > SIDE_MOST ||
        width < 1 || width > SIDE_MOST)
        return;
    size_t bytes = (size_t)(channels * height * width);
    if (strlen(hex) != 2 * bytes || !read_hex(hex, bytes, pixels)) return;
    fputs("<li><img alt=\"A picture of class ", out);
    page_text(out, label);
    fputs("\" src=\"", out);
    write_bitmap(out, pixels, (size_t)channels, (size_t)height, (size_t)width);
    fprintf(out, "\"><br>%s ", strcmp(label, class) ? "&#10007;" : "&#10003;");
    page_text(out, class);
    fprintf(out, " (%.0f&nbsp;%%)", 100 * share);
    if (strcmp(label, class)) {
        fputs("<br>is ", out);
        page_text(out, label);
    }
    fputs("\n", out);
}

static void write_pictures(FILE *out, const json_t *answers, const char *key,
                           const char *heading) {
    const json_t *list = json_object_get(answers, key), *picture;
    size_t i;
    if (!json_array_size(list)) return;
    fprintf(out, "<h3>%s</h3>\n<ul class=sheet>\n", heading);
    json_array_foreach(list, i, picture) write_one_picture(out, picture);
    fputs("</ul>\n", out);
}

static void write_note(FILE *out, const json_t *answers) {
    const char *note = json_string_value(json_object_get(answers, "note"));
    if (!note) return;
    fputs("<p>", out);
    page_text(out, note);
    fputs("</p>\n", out);
}

static void write_predictions(FILE *out, const json_t *answers) {
    if (!json_array_size(json_object_get(answers, "pictures"))) return;
    page_section(out, "predictions", "Predictions");
    write_when(out, answers);
    fputs("<p>Below each picture: the predicted class and its probability.</p>\n", out);
    write_note(out, answers);
    write_pictures(out, answers, "pictures", "First pictures of the split");
    write_pictures(out, answers, "mistakes", "Mistakes, most confident first");
    page_section_end(out);
}

/* ---- texts ---- */

static void write_one_text(FILE *out, const json_t *text) {
    const json_t *rows = json_object_get(text, "rows"), *row;
    const char *title = json_string_value(json_object_get(text, "title"));
    size_t i;
    if (!title || !json_array_size(rows)) return;
    page_table_begin(out, title);
    json_array_foreach(rows, i, row) {
        const char *label = json_string_value(json_array_get(row, 0)),
                   *value = json_string_value(json_array_get(row, 1));
        if (!label || !value) continue;
        fputs("<tr><th scope=row>", out);
        page_text(out, label);
        fputs("<td class=text>", out);
        page_text(out, value);
        fputs("</tr>\n", out);
    }
    page_table_end(out);
}

static void write_texts(FILE *out, const json_t *answers) {
    const json_t *texts = json_object_get(answers, "texts"), *text;
    size_t i;
    if (!json_array_size(texts)) return;
    page_section(out, "texts", "Samples of the model");
    write_when(out, answers);
    write_note(out, answers);
    json_array_foreach(texts, i, text) if (i < TEXTS_MOST) write_one_text(out, text);
    page_section_end(out);
}

void report_answers(FILE *out, const RunLog *run) {
    json_t *answers = rundir_load_json_if_any(run->path, "answers.json", NULL);
    write_predictions(out, answers);
    write_classes(out, answers);
    write_texts(out, answers);
    write_worst(out, run);
    json_decref(answers);
}
