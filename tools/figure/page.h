/* page: the frame of a report - one HTML file that opens offline, in light and dark, from
 * 390 pixels on, with landmarks, headings and tables that a screen reader can follow.
 *
 *     page_begin(out, "demo", "Report of a run");
 *     page_section(out, "scores", "Scores");
 *     page_table_begin(out, "Scores of the evaluations");
 *     fputs("<tr><th scope=row>val<td class=n>0.93</tr>", out);
 *     page_table_end(out);
 *     page_section_end(out);
 *     page_end(out);
 *
 * Sections are between page_section and page_section_end, everything else is the caller's
 * HTML.  What comes from files goes through page_text. */
#ifndef STEADY_PAGE_H
#define STEADY_PAGE_H

#include <stdio.h>

#include "tools/chart/chart.h"

/* To the end of the head line: title, style, a link past the head, <main>.
 * `kind`: "Report of a run". */
void page_begin(FILE *out, const char *name, const char *kind);
void page_end(FILE *out);

/* Text with the five letters that HTML gives a meaning written out, and with U+FFFD in
 * place of control characters and of bytes that are no UTF-8. */
void page_text(FILE *out, const char *text);
/* The path as a link's address, relative or absolute. */
void page_address(FILE *out, const char *path);

void page_section(FILE *out, const char *id, const char *heading);
void page_section_end(FILE *out);

/* The reader that sees no rest of the page gets the caption; wide tables scroll by
 * themselves. */
void page_table_begin(FILE *out, const char *caption);
void page_table_end(FILE *out);

/* Lines as they are, which scroll by themselves; `label` names them. */
void page_lines(FILE *out, const char *label, const char *text);

/* The same lines as paragraphs, wrapped. */
void page_paragraphs(FILE *out, const char *text);

/* A number, or a dash where there is none. */
void page_number(FILE *out, const char *format, double value);

typedef Chart *PageChart(const void *of, Theme theme);

/* A picture in both themes, with its caption and a text for who does not see it (NULL:
 * the caption).  A chart of NULL is no picture: nothing is written. */
Status page_figure(FILE *out, PageChart *make, const void *of, const char *alt,
                   const char *caption, Err *err);

/* Bytes of a picture file as an address, "data:image/png;base64,...". */
void page_data(FILE *out, const char *type, const void *bytes, size_t size);

/* The colours, for a test of their contrast: "--ink:#1c1f26;...", light, then dark. */
extern const char page_style[];

#endif
