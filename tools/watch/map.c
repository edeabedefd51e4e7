/* map: attention, layers down and heads across (tools/watch/view.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/run/layer.h"
#include "tools/watch/view.h"
#include "tools/watch/words.h"

enum { LABEL = 22, NAMES = 40, TALL_MOST = 200, WIDE_MOST = 200 };

const char *const map_titles[MAP_KINDS] = {[MAP_ENTROPY] = "entropy, % of uniform",
                                           [MAP_LOGIT] = "largest logit",
                                           [MAP_SIGMA] = "spectral norm σ",
                                           [MAP_GAMMA] = "gain γ"};

/* What is drawn: numbers by row and column, NaN where there is none. */
typedef struct Map {
    size_t rows, columns;
    double value[TALL_MOST][WIDE_MOST];
    char names[TALL_MOST][NAMES];
    char heads[WIDE_MOST][NAMES];
    bool low; /* the lowest of joined cells is shown, not the highest */
} Map;

/* ---- of a probe ---- */

static void add_value(Map *map, size_t row, size_t column, double value) {
    if (row >= TALL_MOST || column >= WIDE_MOST) return;
    map->rows = MAX(map->rows, row + 1);
    for (; map->columns <= column; map->columns++)
        for (size_t r = 0; r < TALL_MOST; r++) map->value[r][map->columns] = NAN;
    map->value[row][column] = value;
}

static void map_sites(Map *map, MapKind kind, const ProbeLog *probe) {
    map->low = kind == MAP_ENTROPY;
    for (size_t s = 0; s < MIN(probe->site_count, (size_t)TALL_MOST); s++) {
        const SiteLog *site = &probe->sites[s];
        snprintf(map->names[s], NAMES, "%.39s", site->name);
        if (kind == MAP_LOGIT) add_value(map, s, 0, site->max_logit[0]);
        if (kind == MAP_LOGIT) snprintf(map->heads[0], NAMES, "all heads");
        for (size_t h = 0; h < site->heads && map->low; h++)
            add_value(map, s, h, 100 * entropy_share(site->entropy[h], site->uniform[0]));
    }
}

/* The place of a name in a list, where it is added if it is new. */
static size_t place_of(char (*names)[NAMES], size_t *count, size_t most,
                       const char *name) {
    size_t i = 0;
    while (i < *count && strncmp(names[i], name, NAMES - 1)) i++;
    if (i < *count || i == most) return i;
    snprintf(names[i], NAMES, "%.39s", name);
    return (*count)++;
}

/* A row a block, a column a kind of weight: "attn.qkv". */
static void map_weights(Map *map, MapKind kind, const ProbeLog *probe) {
    WeightNumber number = kind == MAP_SIGMA ? WEIGHT_SIGMA : WEIGHT_GAMMA;
    size_t rows = 0, columns = 0;
    for (size_t w = 0; w < probe->weight_count; w++) {
        double value = probe->weights[w].value[number][0];
        LayerName part = layer_name(probe->weights[w].name);
        char row[NAMES + 40];
        if (isnan(value)) continue;
        if (part.in_block)
            snprintf(row, sizeof row, "%.25sblock %zu", part.prefix, part.block);
        else snprintf(row, sizeof row, "%.39s", probe->weights[w].name);
        size_t r = place_of(map->names, &rows, TALL_MOST, row);
        const char *column = part.in_block ? part.suffix : "outside";
        size_t c = place_of(map->heads, &columns, WIDE_MOST, column);
        add_value(map, r, c, value);
    }
}

/* ---- fewer rows and columns than it has ---- */

static double worse(const Map *map, double a, double b) {
    return map->low ? fmin(a, b) : fmax(a, b); /* of a number and NaN the number */
}

/* Where the i-th of `parts` begins. */
static size_t part_start(size_t i, size_t count, size_t parts) {
    return i * count / parts;
}

static void join_rows(Map *map, size_t most) {
    for (size_t kept = 0; kept < most; kept++) {
        size_t r = part_start(kept, map->rows, most);
        size_t end = part_start(kept + 1, map->rows, most);
        char name[2 * NAMES];
        snprintf(name, sizeof name, "%.18s +%zu", map->names[r], end - r - 1);
        if (end - r > 1) snprintf(map->names[kept], NAMES, "%.39s", name);
        else memmove(map->names[kept], map->names[r], NAMES);
        for (size_t c = 0; c < map->columns; c++) {
            double value = map->value[r][c];
            for (size_t i = r + 1; i < end; i++)
                value = worse(map, value, map->value[i][c]);
            map->value[kept][c] = value;
        }
    }
    map->rows = most;
}

static void join_columns(Map *map, size_t most) {
    for (size_t kept = 0; kept < most; kept++) {
        size_t c = part_start(kept, map->columns, most);
        size_t end = part_start(kept + 1, map->columns, most);
        for (size_t r = 0; r < map->rows; r++) {
            double value = map->value[r][c];
            for (size_t i = c + 1; i < end; i++)
                value = worse(map, value, map->value[r][i]);
            map->value[r][kept] = value;
        }
    }
    map->columns = most;
}

/* ---- cells ---- */

static void range_of(const Map *map, MapKind kind, double *low, double *high) {
    *low = 0;
    *high = kind == MAP_ENTROPY ? 100 : 0;
    for (size_t r = 0; r < map->rows && kind != MAP_ENTROPY; r++)
        for (size_t c = 0; c < map->columns; c++)
            if (isfinite(map->value[r][c])) *high = fmax(*high, map->value[r][c]);
}

static Tone tone_of(MapKind kind, double value, double low, double high) {
    if (!isfinite(value)) return TONE_SOFT;
    if (kind == MAP_ENTROPY && entropy_fell(value / 100, COLLAPSE_SHARE))
        return TONE_FALL;
    double share = high > low ? (value - low) / (high - low) : 0;
    int level = (int)(fmin(fmax(share, 0), 1) * HEAT_LEVELS);
    return (Tone)(TONE_HEAT + MIN(level, HEAT_LEVELS - 1));
}

/* Narrow cells have the tenth alone. */
static void cell_text(MapKind kind, double value, double high, size_t width, char *text,
                      size_t size) {
    char number[24];
    double tenth = high > 0 ? floor(10 * value / high) : 0;
    if (!isfinite(value)) snprintf(number, sizeof number, "·");
    else if (width < 4) snprintf(number, sizeof number, "%.0f", fmin(fmax(tenth, 0), 9));
    else if (kind == MAP_ENTROPY) snprintf(number, sizeof number, "%.0f", value);
    else number_text(value, number, sizeof number);
    size_t used = screen_width(number), left = width > used ? (width - used + 1) / 2 : 0;
    snprintf(text, size, "%*s%s%*s", (int)left, "", number,
             (int)(width > used + left ? width - used - left : 0), "");
}

static void draw_row(const Map *map, MapKind kind, size_t r, size_t label, size_t width,
                     double high, Screen *screen, Area area) {
    const char *name = map->names[r];
    size_t length = strlen(name); /* of a long name its end says more */
    if (length > label - 1) name += length - (label - 1);
    screen_print(screen, area, 0, 0, TONE_SOFT, "%s", name);
    for (size_t c = 0; c < map->columns; c++) {
        char text[40];
        Area cell = {area.row, area.column + label + c * width, 1, width};
        double value = map->value[r][c];
        Tone tone = tone_of(kind, value, 0, high);
        cell_text(kind, value, high, width, text, sizeof text);
        screen_print(screen, cell, 0, 0, tone, "%.*s", (int)sizeof text, text);
        if (tone == TONE_FALL) screen_mark(screen, cell, 0, true, false);
    }
}

/* A heading above each column, cut to its width. */
static void draw_heads(const Map *map, size_t label, size_t width, Screen *screen,
                       Area area) {
    for (size_t c = 0; c < map->columns; c++) {
        Area cell = {area.row, area.column + label + c * width, 1, width - 1};
        const char *name = map->heads[c];
        if (*name) screen_print(screen, cell, 0, 0, TONE_SOFT, "%s", name);
        else if (width >= 2) screen_print(screen, cell, 0, 0, TONE_SOFT, "%zu", c);
    }
}

static void fill(Map *map, MapKind kind, const RunLog *probe) {
    memset(map, 0, sizeof *map);
    if (!probe) return;
    if (kind == MAP_ENTROPY || kind == MAP_LOGIT) map_sites(map, kind, &probe->probe);
    else map_weights(map, kind, &probe->probe);
}

static size_t longest_name(const Map *map) {
    size_t most = 4;
    for (size_t r = 0; r < map->rows; r++) most = MAX(most, strlen(map->names[r]));
    return most + 1;
}

size_t map_draw(MapKind kind, const RunLog *probe, Screen *screen, Area area) {
    Map *map = mem_alloc(sizeof *map);
    size_t used = 1;
    fill(map, kind, probe);
    if (area.rows < 3 || !map->rows || area.columns < 12) {
        if (area.rows)
            screen_print(screen, area, 0, 0, TONE_SOFT, "%s: no numbers yet",
                         map_titles[kind]);
        mem_free(map);
        return MIN(used, area.rows);
    }
    if (map->rows > area.rows - 1) join_rows(map, area.rows - 1);
    size_t label = MIN(MIN(longest_name(map), (size_t)LABEL), area.columns / 2);
    size_t room = area.columns - label, most = kind == MAP_ENTROPY ? 4 : 10;
    if (map->columns > room) join_columns(map, room);
    size_t width = MIN(room / MAX(map->columns, (size_t)1), most);
    double low, high;
    range_of(map, kind, &low, &high);
    draw_heads(map, label, width, screen, area);
    for (size_t r = 0; r < map->rows && used < area.rows; r++, used++) {
        Area line = {area.row + used, area.column, 1, area.columns};
        draw_row(map, kind, r, label, width, high, screen, line);
    }
    mem_free(map);
    return used;
}
