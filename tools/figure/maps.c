/* Figures of all layers at once: entropy as heat maps. */
#include <math.h>

#include "tools/figure/figures.h"
#include "tools/figure/layers.h"
#include "tools/figure/parts.h"

#define MAP_COLUMNS_MAX 400

/* Sites of one kind, a panel of a heat map. */
typedef struct Group {
    LayerKind kind;
    size_t *site; /* [count] of the probe's */
    size_t count;
    char **labels; /* [count] */
} Group;

static Group group_new(const ProbeLog *probe, LayerKind kind) {
    Group group = {.kind = kind,
                   .site = mem_alloc(probe->site_count * sizeof(size_t)),
                   .labels = mem_alloc(probe->site_count * sizeof(char *))};
    for (size_t i = 0; i < probe->site_count; i++) {
        char label[96];
        if (layer_kind(probe->sites[i].name) != kind) continue;
        layer_block_label(probe->sites[i].name, label);
        group.site[group.count] = i;
        group.labels[group.count++] = mem_strdup(label);
    }
    return group;
}

static void group_free(Group *group) {
    for (size_t i = 0; i < group->count; i++) mem_free(group->labels[i]);
    mem_free(group->labels);
    mem_free(group->site);
}

typedef struct Groups {
    Group group[KIND_COUNT];
    size_t count;
} Groups;

static Groups groups_new(const ProbeLog *probe) {
    Groups groups = {.count = 0};
    for (size_t k = 0; k < KIND_COUNT; k++)
        if (layer_kind_count(probe, (LayerKind)k))
            groups.group[groups.count++] = group_new(probe, (LayerKind)k);
    return groups;
}

static void groups_free(Groups *groups) {
    for (size_t g = 0; g < groups->count; g++) group_free(&groups->group[g]);
}

/* Several groups need room for their headings' and bars' texts. */
static double map_height(const Groups *groups, const Group *group) {
    bool alone = groups->count == 1;
    return MIN(MAX(14.0 * (double)group->count, 80), alone ? 420 : 300);
}

static HeatMap entropy_map(const Group *group) {
    return (HeatMap){.rows = group->count,
                     .low = 0,
                     .high = 1,
                     .bar = "share of uniform",
                     .bar_mark = COLLAPSE_SHARE,
                     .row_names = (const char *const *)group->labels};
}

/* What both figures do with a group: its panel, under a heading where there are
 * several. */
static Panel *group_panel(Chart *chart, const Groups *groups, size_t g, const char *x) {
    Panel *panel = chart_panel(chart, g, 0);
    chart_row_height(chart, g, map_height(groups, &groups->group[g]));
    panel_axes(panel, x, "");
    if (groups->count > 1) panel_heading(panel, layer_kinds[groups->group[g].kind].label);
    return panel;
}

static char **number_names(size_t count) {
    char **names = mem_alloc(count * sizeof *names), text[24];
    for (size_t i = 0; i < count; i++) {
        text_format(text, sizeof text, "%zu", i);
        names[i] = mem_strdup(text);
    }
    return names;
}

static size_t most_heads(const ProbeLog *probe) {
    size_t heads = 1;
    for (size_t i = 0; i < probe->site_count; i++)
        heads = MAX(heads, probe->sites[i].heads);
    return heads;
}

static void paint_heads(Panel *panel, const ProbeLog *probe, const Group *group,
                        size_t heads, const char *const *numbers) {
    double *value = mem_alloc(group->count * heads * sizeof *value);
    size_t last = probe->count - 1;
    for (size_t i = 0; i < group->count; i++) {
        const SiteLog *site = &probe->sites[group->site[i]];
        for (size_t h = 0; h < heads; h++)
            value[i * heads + h] =
                h < site->heads ? entropy_share(site->entropy[last * site->heads + h],
                                                site->uniform[last])
                                : NAN;
    }
    HeatMap map = entropy_map(group);
    map.value = value;
    map.columns = heads;
    map.column_names = numbers;
    map.print_values = heads <= 16 && group->count <= 24;
    panel_heat(panel, &map);
    mem_free(value);
}

Chart *figure_entropy_heads(const RunLog *run, Theme theme) {
    const ProbeLog *probe = &run->probe;
    if (!probe->site_count) return NULL;
    size_t heads = most_heads(probe);
    char text[96], **numbers = number_names(heads);
    Groups groups = groups_new(probe);
    Chart *chart = chart_new(groups.count, 1, theme);
    text_format(text, sizeof text, "Entropy of every head at step %.0f",
                probe->step[probe->count - 1]);
    chart_column_title(chart, 0, text,
                       "% of uniform attention's entropy; below 10: collapse");
    chart_panel_width(chart, MIN(MAX(28.0 * (double)heads, 220), 380));
    for (size_t g = 0; g < groups.count; g++)
        paint_heads(group_panel(chart, &groups, g, "head"), probe, &groups.group[g],
                    heads, (const char *const *)numbers);
    groups_free(&groups);
    for (size_t h = 0; h < heads; h++) mem_free(numbers[h]);
    mem_free(numbers);
    return chart;
}

/* Mean share of a site over the probes from..to-1. */
static double mean_share(const SiteLog *site, size_t from, size_t to) {
    double sum = 0, seen = 0;
    for (size_t p = from; p < to; p++) {
        double share = entropy_share(site->mean[p], site->uniform[p]);
        if (!isfinite(share)) continue;
        sum += share;
        seen++;
    }
    return seen > 0 ? sum / seen : NAN;
}

/* Where a column of probes begins: half way from the probe before it. */
static double edge_before(const ProbeLog *probe, size_t p) {
    const double *step = probe->step;
    if (probe->count == 1) return p ? step[0] + 1 : step[0];
    if (p == 0) return step[0] - (step[1] - step[0]) / 2;
    if (p == probe->count) return step[p - 1] + (step[p - 1] - step[p - 2]) / 2;
    return (step[p - 1] + step[p]) / 2;
}

static void paint_layers(Panel *panel, const ProbeLog *probe, const Group *group,
                         size_t columns, const double *edges) {
    double *value = mem_alloc(group->count * columns * sizeof *value);
    for (size_t i = 0; i < group->count; i++)
        for (size_t c = 0; c < columns; c++)
            value[i * columns + c] =
                mean_share(&probe->sites[group->site[i]], c * probe->count / columns,
                           (c + 1) * probe->count / columns);
    HeatMap map = entropy_map(group);
    map.value = value;
    map.columns = columns;
    map.x_edges = edges;
    panel_heat(panel, &map);
    mem_free(value);
}

Chart *figure_entropy_layers(const RunLog *run, Theme theme) {
    const ProbeLog *probe = &run->probe;
    if (!probe->site_count) return NULL;
    size_t columns = MIN(probe->count, MAP_COLUMNS_MAX);
    double *edges = mem_alloc((columns + 1) * sizeof *edges);
    for (size_t c = 0; c <= columns; c++)
        edges[c] = edge_before(probe, c * probe->count / columns);
    Groups groups = groups_new(probe);
    Chart *chart = chart_new(groups.count, 1, theme);
    chart_column_title(chart, 0, "Attention entropy of every layer",
                       "mean over heads, as a share of uniform attention's entropy");
    for (size_t g = 0; g < groups.count; g++) {
        Panel *panel = group_panel(chart, &groups, g, "optimizer step");
        paint_layers(panel, probe, &groups.group[g], columns, edges);
        figure_events(chart, panel, run, g == 0);
    }
    groups_free(&groups);
    mem_free(edges);
    return chart;
}
