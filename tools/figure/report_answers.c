/* report_answers: what the model says to examples (tools/figure/report.h). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "data/speech/wer.h"
#include "tools/figure/report_parts.h"

/* Aligning takes time and memory with the product of the lengths. */
enum { ALIGN_MOST = 4000 };

/* Reference and transcript one below the other, the worst first. */
static void write_worst(FILE *out, const RunLog *run) {
    TextBuffer all = {0};
    char label[80];
    size_t i;
    json_t *row;
    json_array_foreach(run->worst, i, row) {
        const char *id, *reference, *hypothesis;
        if (json_unpack(row, "{s:s, s:s, s:s}", "id", &id, "reference", &reference,
                        "hypothesis", &hypothesis))
            continue;
        if (strlen(reference) > ALIGN_MOST || strlen(hypothesis) > ALIGN_MOST) continue;
        if (all.length) text_append_byte(&all, '\n');
        text_append_format(&all, "%s\n", id);
        wer_align(reference, hypothesis, &all);
    }
    if (all.length) {
        text_format(label, sizeof label, "Of split %s, the most errors first",
                    run->worst_split);
        page_section(out, "worst", "Worst transcripts");
        fputs("<p>", out);
        page_text(out, label);
        fputs(".</p>\n", out);
        page_lines(out, label, all.text);
        page_section_end(out);
    }
    text_free(&all);
}

void report_answers(FILE *out, const RunLog *run) { write_worst(out, run); }
