/* What becomes of the rows of logs, and what a screen shows of them. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "tools/watch/tones.h"
#include "tools/watch/view.h"
#include "vision.h"

/* ---- history ---- */

static Point point(double step, double loss) {
    Point p = {.step = step, .epoch = NAN, .highest = loss, .nonfinite = isnan(loss)};
    for (size_t k = 0; k < POINT_NUMBERS; k++) p.value[k] = NAN;
    p.value[POINT_LOSS] = loss;
    return p;
}

static void a_history_of_a_million_steps_keeps_its_spikes(void **state) {
    (void)state;
    History h = {0};
    for (int i = 1; i <= 1000000; i++) {
        Point p = point(i, i == 200000 ? 50 : i == 300000 ? NAN : 1);
        history_add(&h, &p);
    }
    assert_true(h.count <= HISTORY_MOST);
    assert_true(h.points[h.count - 1].step == 1000000);
    Column columns[50];
    history_columns(&h, POINT_LOSS, 1, 1000000, INFINITY, columns, 50);
    double highest = 0;
    bool broken = false;
    for (size_t c = 0; c < 50; c++) {
        highest = fmax(highest, columns[c].highest);
        broken |= columns[c].nonfinite;
        assert_true(isfinite(columns[c].value));
    }
    assert_true(highest == 50 && broken);
    double low, high;
    assert_true(history_range(&h, POINT_LOSS, INFINITY, &low, &high));
    assert_true(low == 1 && high < 50); /* one spike does not flatten the rest */
    history_clear(&h);
}

static void steps_that_are_taken_again_replace_the_old_ones(void **state) {
    (void)state;
    History h = {0};
    for (int i = 1; i <= 10; i++) {
        Point p = point(i, 1);
        history_add(&h, &p);
    }
    Point again = point(6, 9);
    history_add(&h, &again);
    assert_int_equal(h.count, 6);
    assert_true(history_at(&h, 100)->value[POINT_LOSS] == 9);
    assert_true(history_at(&h, 5.5)->step == 5);
    assert_null(history_at(&h, 0.5));
    history_clear(&h);
}

/* ---- states ---- */

static WatchedState state_with(void **state, const char *session) {
    Err err = ERR_NONE;
    files_write_text(*state, "run.json", session);
    Watched *run = watched_open(*state, &err);
    if (!run) fail_msg("%s", err.text);
    watched_poll(run);
    WatchedState found = watched_state(run, run->train.changed + 1);
    watched_close(run);
    return found;
}

static void a_process_that_ended_says_how(void **state) {
    files_write_text(*state, "recipe.ini", "[train]\nsteps = 60\nlog_every = 50\n");
    files_write_text(*state, "train.jsonl", "{\"step\":50,\"loss\":1}\n");
#define ENDED(code) "{\"sessions\":[{\"steps\":60,\"step\":60,\"exit\":" code "}]}"
    assert_int_equal(state_with(state, ENDED("null")), STATE_RUNNING);
    assert_int_equal(state_with(state, ENDED("0")), STATE_FINISHED);
    assert_int_equal(state_with(state, ENDED("4")), STATE_FINISHED);
    assert_int_equal(state_with(state, ENDED("75")), STATE_INTERRUPTED);
    assert_int_equal(state_with(state, ENDED("1")), STATE_FAILED);
    assert_int_equal(state_with(state, "{"), STATE_RUNNING);
}

static void a_run_that_is_resumed_runs_again(void **state) {
    files_write_text(*state, "recipe.ini", "[train]\nsteps = 90\n");
    files_write_text(*state, "train.jsonl", "{\"step\":50,\"loss\":1}\n");
    files_write_text(*state, "run.json", ENDED("75"));
    Watched *run = watched_open(*state, NULL);
    watched_poll(run);
    assert_int_equal(watched_state(run, run->train.changed + 1), STATE_INTERRUPTED);
    run->session_changed -= 1; /* as if it had been written a second ago */
    files_write_text(*state, "run.json",
                     "{\"sessions\":[{\"exit\":75},{\"exit\":null}]}");
    watched_poll(run);
    assert_int_equal(watched_state(run, run->train.changed + 1), STATE_RUNNING);
    watched_close(run);
}

static void what_its_logs_lack_is_said(void **state) {
    char text[WATCHED_FAULT];
    files_write_text(*state, "recipe.ini", "[train]\nsteps = 60\nlog_every = 5\n");
    files_write_text(*state, "train.jsonl", "{\"step\":55,\"loss\":1}\n");
    files_write_text(*state, "run.json", "{\"sessions\":[{\"step\":59,\"exit\":75}]}");
    Watched *run = watched_open(*state, NULL);
    watched_poll(run);
    assert_false(watched_missing(run, text)); /* step 60 would be the next row */
    assert_false(watched_unreadable(run, text));
    files_write_text(*state, "train.jsonl", "{\"step\":50,\"loss\":1}\n");
    files_append_text(*state, "train.jsonl", "{\"step\":55,\n");
    files_write_text(*state, "eval.jsonl", "[]\n");
    watched_poll(run);
    assert_true(watched_missing(run, text));
    assert_string_equal(text, "rows of steps 51 to 59 are missing");
    assert_true(watched_unreadable(run, text));
    assert_string_equal(text, "train.jsonl, eval.jsonl: unreadable lines");
    files_remove(*state, "train.jsonl");
    watched_poll(run);
    assert_int_equal(watched_state(run, 1e9), STATE_INTERRUPTED);
    watched_close(run);
}

/* ---- the screen ---- */

static void text_stays_in_its_area_whatever_it_holds(void **state) {
    (void)state;
    Screen s = screen_new(2, 10, true);
    Area area = {0, 2, 1, 5};
    screen_print(&s, area, 0, 0, TONE_PLAIN, "%s", "a\033[2Jb\xFF\xE4\xB8\x96 long");
    char *text = screen_row(&s, 0);
    assert_string_equal(text, "  a?[2J");
    mem_free(text);
    screen_print(&s, area, 1, 0, TONE_PLAIN, "x"); /* below it */
    text = screen_row(&s, 1);
    assert_string_equal(text, "");
    mem_free(text);
    screen_free(&s);
}

static void without_utf8_a_screen_is_ascii(void **state) {
    (void)state;
    Screen s = screen_new(1, 12, false);
    const Column columns[4] = {
        {0, 0, false}, {0.5, 0.5, false}, {1, 1, false}, {NAN, NAN, true}};
    screen_spark(&s, (Area){0, 0, 1, 4}, columns, 0, 1, TONE_PLAIN);
    screen_print(&s, (Area){0, 5, 1, 7}, 0, 0, TONE_PLAIN, "σ│é");
    char *text = screen_row(&s, 0);
    assert_string_equal(text, ".=#! s|?");
    mem_free(text);
    screen_free(&s);
}

/* ---- colours ---- */

static void levels_of_the_map_differ_for_every_kind_of_sight(void **state) {
    (void)state;
    double fall[3], before[3], now[3];
    tone_rgb(tones[TONE_FALL].paper, fall);
    for (Vision v = 0; v < VISION_KINDS; v++)
        for (int level = 0; level < HEAT_LEVELS; level++) {
            tone_rgb(tones[TONE_HEAT + level].paper, now);
            double grown =
                vision_lightness(now, v) - (level ? vision_lightness(before, v) : -10);
            if (grown < 4)
                fail_msg("%s: level %d grows by %.1f", vision_names[v], level, grown);
            if (vision_distance(fall, now, v) < 20)
                fail_msg("%s: collapse is like level %d", vision_names[v], level);
            double ink[3];
            tone_rgb(tones[TONE_HEAT + level].ink, ink);
            assert_true(fabs(vision_lightness(ink, v) - vision_lightness(now, v)) > 45);
            memcpy(before, now, sizeof before);
        }
}

static void runs_have_colours_that_everybody_tells_apart(void **state) {
    (void)state;
    for (Vision v = 0; v < VISION_KINDS; v++)
        for (int i = 0; i < TONE_RUNS; i++)
            for (int j = 0; j < i; j++) {
                double a[3], b[3];
                tone_rgb(tones[TONE_RUN + i].ink, a);
                tone_rgb(tones[TONE_RUN + j].ink, b);
                if (vision_distance(a, b, v) < 15)
                    fail_msg("%s: runs %d and %d differ by %.1f", vision_names[v], i, j,
                             vision_distance(a, b, v));
            }
}

/* ---- runs ---- */

static const char PROBE[] =
    "{\"step\":%d,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[2.5,0.1],"
    "\"max_logit\":9,\"keys\":17},{\"site\":\"blocks.1.attn\",\"entropy\":[null,2],"
    "\"max_logit\":3,\"keys\":17}],\"weights\":[{\"name\":\"blocks.0.attn.qkv\","
    "\"sigma\":3.5,\"gamma\":null}]}\n";

/* A run with no recipe and no end: what another program may have logged. */
static void write_foreign(const char *dir, int rows) {
    char line[800];
    for (int i = 1; i <= rows; i++) {
        snprintf(line, sizeof line, "{\"step\":%d,\"loss\":%s,\"lr\":0.1}\n", i,
                 i == 5 ? "NaN" : "1.5");
        files_append_text(dir, "train.jsonl", line);
        snprintf(line, sizeof line, PROBE, i);
        files_append_text(dir, "probe.jsonl", line);
    }
}

static bool shows(const Screen *screen, const char *part) {
    bool found = false;
    for (size_t r = 0; r < screen->rows && !found; r++) {
        char *text = screen_row(screen, r);
        found = strstr(text, part);
        mem_free(text);
    }
    return found;
}

static void look(WatchList *list, View *view, size_t rows, size_t columns,
                 Screen *screen) {
    screen_free(screen);
    *screen = screen_new(rows, columns, true);
    watchlist_poll(list);
    view_draw(view, list, 0, screen);
}

static void a_foreign_run_is_shown_with_all_that_it_has(void **state) {
    WatchList list = {0};
    Screen screen = {0};
    View view = view_default();
    Err err = ERR_NONE;
    write_foreign(*state, 8);
    assert_int_equal(watchlist_add(&list, *state, &err), OK);
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "step 8"));
    assert_true(shows(&screen, "lowest site entropy 45.88 %")); /* mean of 88 and 4 */
    assert_true(shows(&screen, "lowest head 3.5 %: blocks.0.attn head 1"));
    assert_true(shows(&screen, "blocks.0.attn  88   4"));
    assert_true(shows(&screen, "blocks.1.attn   ·  71"));
    assert_true(shows(&screen, "!"));
    view_key(&view, &list, 's');
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "spectral norm σ") && shows(&screen, "3.5"));
    view_key(&view, &list, 'g');
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "gain γ: no numbers"));
    view_key(&view, &list, 'e');
    files_append_text(*state, "train.jsonl",
                      "{\"step\":9,\"loss\":0.75,\"lr\":0.1}\n{\"step\":10,");
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "step 9") && shows(&screen, "0.75"));
    screen_free(&screen);
    watchlist_free(&list);
}

static void a_screen_of_any_size_is_drawn(void **state) {
    static const char *const NAMES[] = {"a", "b", "c", "d"};
    WatchList list = {0};
    Err err = ERR_NONE;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        files_folder(*state, NAMES[i]);
        char dir[PATH_SIZE];
        rundir_path(dir, *state, "%s", NAMES[i]);
        write_foreign(dir, (int)i * 3 + 1);
    }
    assert_int_equal(watchlist_add(&list, *state, &err), OK); /* a folder of runs */
    assert_int_equal(list.count, 4);
    watchlist_poll(&list);
    static const int KEYS[] = {'m', '\t', '1', '?', 'x', 'p', '+', WATCH_LEFT, WATCH_UP};
    View view = view_default();
    for (size_t rows = 1; rows < 60; rows += 3)
        for (size_t columns = 1; columns < 200; columns += 7) {
            Screen screen = screen_new(rows, columns, rows % 2);
            assert_true(view_key(&view, &list, KEYS[(rows + columns) % COUNT(KEYS)]));
            view_tick(&view, &list, 1);
            view_draw(&view, &list, 0, &screen);
            screen_free(&screen);
        }
    watchlist_free(&list);
}

static void a_run_is_played_back_step_by_step(void **state) {
    WatchList list = {0};
    Screen screen = {0};
    View view = view_default();
    Err err = ERR_NONE;
    write_foreign(*state, 40);
    watchlist_add(&list, *state, &err);
    watchlist_poll(&list);
    view_key(&view, &list, 'p');
    view_tick(&view, &list, 10);
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "step 20") && shows(&screen, "playing 20 of 40"));
    view_key(&view, &list, WATCH_HOME);
    view_key(&view, &list, ' ');
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "paused at 0 of 40"));
    view_key(&view, &list, WATCH_END);
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "step 40") && !shows(&screen, "paused"));
    assert_false(view_key(&view, &list, 'q'));
    screen_free(&screen);
    watchlist_free(&list);
}

static void events_stay_in_order_and_come_once(void **state) {
    WatchList list = {0};
    Screen screen = {0};
    View view = view_default();
    Err err = ERR_NONE;
    files_write_text(
        *state, "train.jsonl",
        "{\"step\":1,\"loss\":2}\n"
        "{\"step\":1,\"event\":\"alarm\",\"text\":\"it fell\"}\n"
        "{\"step\":2,\"event\":\"intervene\",\"key\":\"optim.lr\",\"from\":1,"
        "\"to\":\"2\"}\n{\"step\":2,\"loss\":3}\n");
    watchlist_add(&list, *state, &err);
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "step 1 alarm: it fell"));
    assert_true(shows(&screen, "step 2 intervene: optim.lr: 1 -> 2"));
    files_cut(*state, "train.jsonl", 20); /* the run was resumed at step 1 */
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "step 1") && !shows(&screen, "alarm"));
    screen_free(&screen);
    watchlist_free(&list);
}

static void what_is_no_run_is_refused_and_an_empty_folder_waited_for(void **state) {
    WatchList list = {0};
    Screen screen = {0};
    View view = view_default();
    Err err = ERR_NONE;
    char path[PATH_SIZE];
    rundir_path(path, *state, "none");
    assert_int_equal(watchlist_add(&list, path, &err), FAIL_USAGE);
    files_write_text(*state, "other/notes.txt", "x");
    rundir_path(path, *state, "other");
    assert_int_equal(watchlist_add(&list, path, &err), FAIL_USAGE);
    rundir_path(path, *state, "other/notes.txt");
    assert_int_equal(watchlist_add(&list, path, &err), FAIL_USAGE);
    files_folder(*state, "new");
    rundir_path(path, *state, "new");
    assert_int_equal(watchlist_add(&list, path, &err), OK);
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "no row yet"));
    files_write_text(path, "train.jsonl", "{\"step\":1,\"loss\":2}\n");
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "step 1"));
    files_remove(path, "train.jsonl");
    assert_int_equal(rmdir(path), 0);
    look(&list, &view, 24, 80, &screen);
    assert_true(shows(&screen, "folder is gone"));
    screen_free(&screen);
    watchlist_free(&list);
}

static void cells_of_a_sweep_are_added_as_they_begin(void **state) {
    WatchList list = {0};
    Err err = ERR_NONE;
    files_write_text(*state, "sweep.json", "{}");
    files_folder(*state, "cells");
    assert_int_equal(watchlist_add(&list, *state, &err), OK);
    watchlist_poll(&list);
    assert_int_equal(list.count, 0);
    files_write_text(*state, "cells/a,lr=1/train.jsonl", "{\"step\":1,\"loss\":2}\n");
    files_write_text(*state, "cells/a,lr=1.log", "x");
    watchlist_poll(&list);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.runs[0]->name, "a,lr=1");
    watchlist_free(&list);
}

/* train.jsonl does not change the folder in which the run's folder is. */
static void a_run_whose_first_row_comes_late_is_added(void **state) {
    WatchList list = {0};
    Err err = ERR_NONE;
    char cells[PATH_SIZE];
    const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    files_write_text(*state, "sweep.json", "{}");
    files_folder(*state, "cells");
    files_folder(*state, "cells/late");
    rundir_path(cells, *state, "cells");
    assert_int_equal(utimensat(AT_FDCWD, cells, old, 0), 0);
    assert_int_equal(watchlist_add(&list, *state, &err), OK);
    watchlist_poll(&list);
    watchlist_poll(&list);
    assert_int_equal(list.count, 0);
    files_write_text(*state, "cells/late/train.jsonl", "{\"step\":1,\"loss\":2}\n");
    watchlist_poll(&list);
    assert_int_equal(list.count, 1);
    watchlist_free(&list);
}

static void folders_with_more_runs_than_there_is_room_for_are_no_error(void **state) {
    WatchList list = {0};
    Err err = ERR_NONE;
    char path[PATH_SIZE];
    for (int i = 0; i < WATCH_RUNS_MOST + 4; i++) {
        snprintf(path, sizeof path, "a/%d/train.jsonl", i);
        files_write_text(*state, path, "");
    }
    files_write_text(*state, "b/1/train.jsonl", "");
    files_write_text(*state, "b/2/train.jsonl", "");
    for (int i = 0; i < 4; i++) { /* named twice they count once */
        rundir_path(path, *state, i % 2 ? "b" : "a");
        if (watchlist_add(&list, path, &err)) fail_msg("%s", err.text);
    }
    watchlist_poll(&list);
    assert_int_equal(list.count, WATCH_RUNS_MOST);
    assert_int_equal(list.left_out, 4 + 2);
    assert_int_equal(list.folder_count, 2);
    watchlist_free(&list);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_history_of_a_million_steps_keeps_its_spikes),
        cmocka_unit_test(steps_that_are_taken_again_replace_the_old_ones),
        FOLDER_TEST(a_process_that_ended_says_how),
        FOLDER_TEST(a_run_that_is_resumed_runs_again),
        FOLDER_TEST(what_its_logs_lack_is_said),
        cmocka_unit_test(text_stays_in_its_area_whatever_it_holds),
        cmocka_unit_test(without_utf8_a_screen_is_ascii),
        cmocka_unit_test(levels_of_the_map_differ_for_every_kind_of_sight),
        cmocka_unit_test(runs_have_colours_that_everybody_tells_apart),
        FOLDER_TEST(a_foreign_run_is_shown_with_all_that_it_has),
        FOLDER_TEST(a_screen_of_any_size_is_drawn),
        FOLDER_TEST(a_run_is_played_back_step_by_step),
        FOLDER_TEST(events_stay_in_order_and_come_once),
        FOLDER_TEST(what_is_no_run_is_refused_and_an_empty_folder_waited_for),
        FOLDER_TEST(cells_of_a_sweep_are_added_as_they_begin),
        FOLDER_TEST(a_run_whose_first_row_comes_late_is_added),
        FOLDER_TEST(folders_with_more_runs_than_there_is_room_for_are_no_error),
    };
    return cmocka_run_group_tests_name("watch", cases, NULL, NULL);
}
