#include "tools/figure/page.h"

#include "tools/program/version.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/text.h"

const char page_style[] =
    ":root{color-scheme:light dark;--ink:#1c1f26;--soft:#545b67;--line:#d5d9e0;"
    "--paper:#ffffff;--panel:#f4f6f9;--good:#17703f;--bad:#b3261e;--link:#0b57c2}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#abb2bf;"
    "--line:#3a404c;--paper:#171a1f;--panel:#20252c;--good:#5fd39a;--bad:#ff8a80;"
    "--link:#8ab4f8}}\n"
    "*{box-sizing:border-box}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:1000px;margin:0 auto;padding:1rem;overflow-wrap:break-word}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin:.6rem 0 .2rem}"
    "h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;"
    "border-bottom:1px solid var(--line)}"
    "h3{font-size:1rem;margin:1.4rem 0 .4rem}\n"
    "a{color:var(--link)}:focus-visible{outline:3px solid var(--link);"
    "outline-offset:2px}\n"
    ".skip{position:absolute;left:-99rem}.skip:focus{position:static}\n"
    ".verdict{font-size:1.1rem;padding:.7rem 1rem;margin:.8rem 0;"
    "background:var(--panel);border-left:6px solid var(--good)}"
    ".verdict.bad{border-color:var(--bad)}\n"
    ".soft{color:var(--soft)}.score{font-size:1.35rem;margin:.4rem 0}\n"
    ".scroll{overflow-x:auto;margin:.8rem 0}"
    ".matrix td,.matrix th.n{padding:.25rem "
    ".4rem;min-width:2.4rem}table{border-collapse:collapse}"
    "caption{text-align:left;color:var(--soft);padding-bottom:.3rem}\n"
    "td,th{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--line)}th{font-weight:600}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n"
    "figure{margin:1rem 0}img{max-width:100%;height:auto}"
    "figcaption{color:var(--soft)}\n"
    "pre{overflow:auto;padding:.8rem;border:1px solid var(--line);"
    "background:var(--panel);font-size:.85rem;margin:.6rem 0}\n"
    "td.text{white-space:pre-wrap}summary{cursor:pointer}nav "
    "ul{list-style:none;padding:0;margin:.6rem 0;"
    "display:flex;flex-wrap:wrap;gap:.3rem 1rem}\n"
    ".sheet{display:flex;flex-wrap:wrap;gap:.8rem;padding:0;list-style:none}"
    ".sheet li{width:8.5rem;font-size:.85rem}.sheet img{image-rendering:pixelated;"
    "width:6rem;height:6rem;object-fit:contain;background:var(--panel)}\n"
    "@media(max-width:600px){figure img{max-width:none;width:640px}"
    "figcaption::before{content:\"Scroll the figure sideways; its legend is at the "
    "right. \"}}\n"
    "@media print{.skip,nav{display:none}}\n";

/* U+FFFD stands for what a page of UTF-8 cannot hold: other bytes, control characters. */
void page_text(FILE *out, const char *text) {
    for (size_t left = strlen(text), used; left; text += used, left -= used) {
        uint32_t code = 0;
        used = utf8_next(text, left, &code);
        bool control = (code < 0x20 && !strchr("\t\n\r", (int)code)) ||
                       (code >= 0x7F && code < 0xA0);
        if (!used || control) fputs("\xEF\xBF\xBD", out);
        else if (code == '&') fputs("&amp;", out);
        else if (code == '<') fputs("&lt;", out);
        else if (code == '>') fputs("&gt;", out);
        else if (code == '"') fputs("&quot;", out);
        else if (code == '\'') fputs("&#39;", out);
        else fwrite(text, 1, used, out);
        used = MAX(used, (size_t)1);
    }
}

void page_address(FILE *out, const char *path) {
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if (isalnum(c) || strchr("-._~/+,=", c)) fputc(c, out);
        else fprintf(out, "%%%02X", c);
    }
}

void page_begin(FILE *out, const char *name, const char *kind) {
    fputs("<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
          "content=\"width=device-width,initial-scale=1\"><title>",
          out);
    page_text(out, name);
    fprintf(out,
            " – %s</title><style>%s</style></head><body>\n"
            "<a class=skip href=\"#content\">Skip to the content</a>\n<header><h1>",
            kind, page_style);
    page_text(out, name);
    fputs("</h1></header>\n<main id=content>\n", out);
}

void page_end(FILE *out) {
    fprintf(out,
            "</main>\n<footer class=soft><p>Made by steady %s.</p></footer>\n"
            "</body></html>\n",
            version_text());
}

void page_section(FILE *out, const char *id, const char *heading) {
    fprintf(out, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">", id, id);
    page_text(out, heading);
    fputs("</h2>\n", out);
}

void page_section_end(FILE *out) { fputs("</section>\n", out); }

void page_table_begin(FILE *out, const char *caption) {
    fputs("<div class=scroll tabindex=0 role=region aria-label=\"", out);
    page_text(out, caption);
    fputs("\"><table><caption>", out);
    page_text(out, caption);
    fputs("</caption>\n", out);
}

void page_table_end(FILE *out) { fputs("</table></div>\n", out); }

void page_lines(FILE *out, const char *label, const char *text) {
    fputs("<pre tabindex=0 role=region aria-label=\"", out);
    page_text(out, label);
    fputs("\">", out);
    page_text(out, text);
    fputs("</pre>\n", out);
}

void page_paragraphs(FILE *out, const char *text) {
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *line = mem_strdup(text);
        line[length] = 0;
        fputs("<p>", out);
        page_text(out, line);
        fputs("</p>\n", out);
        mem_free(line);
        text += length + (text[length] == '\n');
    }
}

void page_number(FILE *out, const char *format, double value) {
    if (!isfinite(value)) fputs("–", out);
    else fprintf(out, format, value);
}

/* ---- pictures ---- */

static void write_base64(FILE *out, const unsigned char *data, size_t size) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned three = (unsigned)data[i] << 16 |
                         (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0);
        fputc(letters[three >> 18], out);
        fputc(letters[three >> 12 & 63], out);
        fputc(left > 1 ? letters[three >> 6 & 63] : '=', out);
        fputc(left > 2 ? letters[three & 63] : '=', out);
    }
}

void page_data(FILE *out, const char *type, const void *bytes, size_t size) {
    fprintf(out, "data:%s;base64,", type);
    write_base64(out, bytes, size);
}

/* PNG rather than SVG: a run of many steps and layers has a hundred thousand points. */
static Status write_picture(FILE *out, const Chart *chart, Err *err) {
    size_t size;
    char *png = chart_render(chart, ".png", &size, err);
    if (!png) return err->status;
    page_data(out, "image/png", png, size);
    mem_free(png);
    return OK;
}

Status page_figure(FILE *out, PageChart *make, const void *of, const char *alt,
                   const char *caption, Err *err) {
    Chart *light = make(of, THEME_LIGHT);
    if (!light) return OK;
    Chart *dark = make(of, THEME_DARK);
    fputs("<figure><div class=scroll tabindex=0 role=group aria-label=Figure><picture>"
          "<source media=\"(prefers-color-scheme:dark)\" srcset=\"",
          out);
    Status status = write_picture(out, dark, err);
    if (!status) {
        fputs("\">\n<img alt=\"", out);
        page_text(out, alt ? alt : caption);
        fputs("\" src=\"", out);
        status = write_picture(out, light, err);
    }
    fputs("\"></picture></div>\n<figcaption>", out);
    page_text(out, caption);
    fputs("</figcaption></figure>\n", out);
    chart_free(light);
    chart_free(dark);
    return status;
}
