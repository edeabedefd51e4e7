/* report_facts: when, where and on what a run was trained (tools/figure/report.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/figure/parts.h"
#include "tools/figure/report_parts.h"
#include "tools/program/progress.h"
#include "tools/run/runstate.h"

enum { EVENTS_SHOWN = 200, SESSIONS_SHOWN = 20 };

/* "2026-05-30 09:14 UTC" of "2026-05-30T09:14:00Z"; other texts as they are. */
static void date_text(const char *started, char text[40]) {
    if (strlen(started) == 20 && started[10] == 'T')
        text_format(text, 40, "%.10s %.5s UTC", started, started + 11);
    else text_format(text, 40, "%.39s", started);
}

static void write_machine(FILE *out, const Session *s) {
    char text[300], ranks[60] = "";
    if (s->ranks > 1) text_format(ranks, sizeof ranks, "%zu processes of ", s->ranks);
    if (s->threads)
        text_format(text, sizeof text, "%.200s, %s%zu thread%s",
                    s->machine ? s->machine : "unknown machine", ranks, s->threads,
                    s->threads == 1 ? "" : "s");
    else text_format(text, sizeof text, "%.200s", s->machine ? s->machine : "");
    report_fact_text(out, "machine", text);
}

static void write_duration(FILE *out, const RunLog *run) {
    char text[80];
    double seconds = sessions_seconds(&run->sessions);
    if (!isfinite(seconds)) return;
    duration_text(seconds, text, sizeof text);
    report_fact_text(out, "duration", text);
}

static void write_state(FILE *out, const RunLog *run) {
    char text[120];
    RunState state = runstate_of(run);
    if (state.kind == RUNSTATE_UNKNOWN && !state.steps) return;
    if (state.steps)
        text_format(text, sizeof text, "%s, %zu of %zu steps", runstate_names[state.kind],
                    state.step, state.steps);
    else
        text_format(text, sizeof text, "%s, %zu steps", runstate_names[state.kind],
                    state.step);
    report_fact_text(out, "state", text);
}

static const char *end_of(const Session *s) {
    switch (s->exit) {
    case SESSION_OPEN: return "running or killed";
    case OK: return "finished";
    case FAIL_INTERRUPTED: return "interrupted";
    default: return s->message ? s->message : "failed";
    }
}

static void write_session(FILE *out, const Session *s) {
    char date[40] = "", spent[40] = "–";
    if (s->started) date_text(s->started, date);
    if (isfinite(s->seconds)) duration_text(s->seconds, spent, sizeof spent);
    fputs("<tr><td>", out);
    page_text(out, date);
    fprintf(out, "<td class=n>%zu<td class=n>", s->from);
    if (s->step) fprintf(out, "%zu", s->step);
    else fputs("–", out);
    fprintf(out, "<td class=n>%s<td>", spent);
    page_text(out, end_of(s));
    fputs("<td><code>", out);
    page_text(out, s->command ? s->command : "");
    fputs("</code></tr>\n", out);
}

/* Where a run was resumed: the processes, the newest last. */
static void write_sessions(FILE *out, const Sessions *sessions) {
    if (sessions->count < 2) return;
    size_t first =
        sessions->count > SESSIONS_SHOWN ? sessions->count - SESSIONS_SHOWN : 0;
    fputs("<h3>Processes</h3>\n", out);
    page_table_begin(out, "Processes that trained this run");
    fputs("<thead><tr><th scope=col>started<th scope=col class=n>from step<th scope=col "
          "class=n>to step<th scope=col class=n>time<th scope=col>end<th "
          "scope=col>command</tr></thead>\n",
          out);
    for (size_t i = first; i < sessions->count; i++)
        write_session(out, &sessions->list[i]);
    page_table_end(out);
}

void report_sessions(FILE *out, const RunLog *run) {
    const Sessions *sessions = &run->sessions;
    const Session *first = sessions->count ? &sessions->list[0] : NULL,
                  *last = sessions->count ? &sessions->list[sessions->count - 1] : NULL;
    char date[40] = "", count[60] = "";
    const char *task = runlog_setting(run, "task.kind");
    if (!first && !*run->recipe) return;
    page_section(out, "run", "Run");
    page_table_begin(out, "When, where and how it was trained");
    if (task) report_fact_text(out, "task", task);
    if (first && first->started) date_text(first->started, date);
    report_fact_text(out, "started", date);
    write_duration(out, run);
    write_state(out, run);
    if (first && first->command) {
        fputs("<tr><th scope=row>command<td><code>", out);
        page_text(out, first->command);
        fputs("</code></tr>\n", out);
    }
    report_fact_text(out, "folder", run->path);
    if (last && last->version) report_fact_text(out, "steady", last->version);
    if (last) write_machine(out, last);
    if (last && last->parameters)
        text_format(count, sizeof count, "%zu", last->parameters);
    report_fact_text(out, "trained parameters", count);
    page_table_end(out);
    write_sessions(out, sessions);
    page_section_end(out);
}

/* ---- data ---- */

static void write_notes(FILE *out, const DataFacts *facts) {
    for (size_t i = 0; i < facts->notes; i++) {
        fputs(i ? "<br>" : "", out);
        page_text(out, facts->note[i].text);
    }
}

void report_data(FILE *out, const RunLog *run) {
    const DataRecord *data = &run->data;
    const char *path = runlog_setting(run, "data.path"),
               *source = runlog_setting(run, "data.source");
    bool any = data->task.notes > 0;
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) any |= data->there[s];
    if (!any) return;
    page_section(out, "data", "Data");
    if (source) {
        fputs("<p>Source: ", out);
        page_text(out, source);
        fputs(path && *path ? ", " : "", out);
        page_text(out, path ? path : "");
        fputs("</p>\n", out);
    }
    page_table_begin(out, "Examples per split");
    fputs("<thead><tr><th scope=col>split<th scope=col class=n>examples<th "
          "scope=col>notes</tr></thead>\n",
          out);
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        if (!data->there[s]) continue;
        fprintf(out, "<tr><th scope=row>%s<td class=n>%zu<td>", split_name(s),
                data->split[s].count);
        write_notes(out, &data->split[s]);
        fputs("</tr>\n", out);
    }
    page_table_end(out);
    if (data->task.notes) {
        fputs("<p>", out);
        write_notes(out, &data->task);
        fputs("</p>\n", out);
    }
    char skips[200];
    runlog_skips_text(run, skips, sizeof skips);
    if (*skips) {
        fputs("<p>", out);
        page_text(out, skips);
        fputs("</p>\n", out);
    }
    page_section_end(out);
}

/* ---- events ---- */

void report_events(FILE *out, const RunLog *run) {
    if (!run->event_count) return;
    page_section(out, "events", "Events");
    page_table_begin(out, "Events of the run");
    fputs("<thead><tr><th scope=col class=n>step<th scope=col>event<th scope=col>what "
          "happened</tr></thead>\n",
          out);
    size_t shown = MIN(run->event_count, (size_t)EVENTS_SHOWN);
    for (size_t i = 0; i < shown; i++) {
        fprintf(out, "<tr><td class=n>%.0f<td>", run->events[i].step);
        page_text(out, figure_event_word(run->events[i].kind));
        fputs("<td>", out);
        page_text(out, run->events[i].text);
        fputs("</tr>\n", out);
    }
    page_table_end(out);
    if (shown < run->event_count)
        fprintf(out, "<p class=soft>%zu more events are in train.jsonl.</p>\n",
                run->event_count - shown);
    page_section_end(out);
}
