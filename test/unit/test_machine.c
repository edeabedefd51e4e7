#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/core/base.h"
#include "engine/core/machine.h"

/* ---- another computer in a temporary directory ------------------------------------- */

static char root[64];

static int set_up(void **state) {
    (void)state;
    strcpy(root, "/tmp/steady-machine-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    text_format(command, sizeof command, "rm -rf '%s'", root);
    return system(command) != 0;
}

/* Writes root/path, making its directories. */
static void put(const char *path, const char *text) {
    char full[512];
    text_format(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_siblings(size_t cpu, const char *list) {
    char path[128];
    text_format(path, sizeof path,
                "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list", cpu);
    put(path, list);
}

static void assert_quota(double wanted) {
    assert_true(machine_cpu_quota(root) == wanted);
}

/* ---- control groups ----------------------------------------------------------------- */

static void no_cgroup_is_no_quota(void **state) {
    (void)state;
    assert_quota(0);
}

static void v2_quota_is_read(void **state) {
    (void)state;
    put("/proc/self/cgroup", "0::/user.slice/run.scope\n");
    put("/sys/fs/cgroup/user.slice/run.scope/cpu.max", "350000 100000\n");
    assert_quota(3.5);
}

static void v2_smallest_on_the_way_up_wins(void **state) {
    (void)state;
    put("/proc/self/cgroup", "0::/a/b/c\n");
    put("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "100000 50000\n");
    assert_quota(2);
}

static void v2_max_is_no_quota(void **state) {
    (void)state;
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    assert_quota(0);
}

static void container_shows_its_own_group_at_the_mount(void **state) {
    (void)state;
    put("/proc/self/cgroup", "0::/docker/0123456789abcdef\n");
    put("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    assert_quota(1.5);
}

static void v1_quota_is_read(void **state) {
    (void)state;
    put("/proc/self/cgroup", "9:name=systemd:/x\n4:cpu,cpuacct:/x/y\n3:cpuset:/\n0::/\n");
    put("/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "250000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
    assert_quota(2.5);
}

static void v1_controller_may_be_mounted_alone(void **state) {
    (void)state;
    put("/proc/self/cgroup", "4:cpuacct,cpu:/\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_quota(0.5);
}

static void v1_cpuset_is_not_cpu(void **state) {
    (void)state;
    put("/proc/self/cgroup", "4:cpuset:/\n");
    put("/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpuset/cpu.cfs_period_us", "100000\n");
    assert_quota(0);
}

static void nonsense_is_no_quota(void **state) {
    (void)state;
    put("/proc/self/cgroup", "\n:\n::\n0:\nabc\n0::relative\n0::/a\n");
    put("/sys/fs/cgroup/a/cpu.max", "0 0\n");
    put("/sys/fs/cgroup/cpu.max", "many\n");
    assert_quota(0);
}

static void memory_is_cut_to_the_groups_limit(void **state) {
    (void)state;
    size_t total, available;
    put("/proc/meminfo", "MemTotal:  8000 kB\nMemFree: 1 kB\nMemAvailable:  6000 kB\n");
    machine_memory(root, &total, &available);
    assert_int_equal(total, 8000 * 1024);
    assert_int_equal(available, 6000 * 1024);
    put("/proc/self/cgroup", "0::/a\n");
    put("/sys/fs/cgroup/a/memory.max", "4096000\n");
    put("/sys/fs/cgroup/memory.max", "max\n");
    machine_memory(root, &total, &available);
    assert_int_equal(total, 4096000);
    assert_int_equal(available, 4096000);
}

#ifdef __SANITIZE_ADDRESS__ /* needs memory of its own at any time */
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static void what_a_process_can_have_is_memory_and_swap_within_all_limits(void **state) {
    (void)state;
    struct rlimit before, limit;
    assert_false(getrlimit(RLIMIT_DATA, &before));
    if (before.rlim_cur != RLIM_INFINITY || SANITIZED) skip();
    put("/proc/meminfo", "MemTotal:  8000 kB\nSwapTotal:  1000 kB\n");
    assert_true(machine_memory_most(root) == 9000 * 1024);
    put("/proc/self/cgroup", "0::/a\n");
    put("/sys/fs/cgroup/a/memory.max", "4096000\n");
    assert_true(machine_memory_most(root) == 4096000 + 1000 * 1024);
    limit = before;
    limit.rlim_cur = 3000000;
    assert_false(setrlimit(RLIMIT_DATA, &limit));
    double most = machine_memory_most(root);
    assert_false(setrlimit(RLIMIT_DATA, &before));
    assert_true(most == 3000000);
}

static void threads_have_a_share_of_the_third_level_cache(void **state) {
    (void)state;
    assert_int_equal(machine_cache_share(root, 2), 0);
    put("/sys/devices/system/cpu/cpu0/cache/index3/size", "32768K\n");
    assert_int_equal(machine_cache_share(root, 2), 0);
    put("/sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list", "0-6,8\n");
    assert_int_equal(machine_cache_share(root, 2), 8 << 20);
    assert_int_equal(machine_cache_share(root, 16), 64 << 20);
    put("/sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list", "nonsense\n");
    assert_int_equal(machine_cache_share(root, 2), 0);
}

/* ---- cores and threads ---------------------------------------------------------------- */

static void two_threads_of_a_core_count_once(void **state) {
    (void)state;
    bool all[4] = {true, true, true, true}, some[4] = {false, true, true, true};
    put_siblings(0, "0,2\n");
    put_siblings(1, "1,3\n");
    put_siblings(2, "0,2\n");
    put_siblings(3, "1,3\n");
    assert_int_equal(machine_physical_cores(root, all, 4), 2);
    assert_int_equal(machine_physical_cores(root, some, 4), 2);
    some[1] = false; /* 2 and 3, of different cores */
    assert_int_equal(machine_physical_cores(root, some, 4), 2);
    some[3] = false;
    assert_int_equal(machine_physical_cores(root, some, 4), 1);
}

static void ranges_of_siblings_are_understood(void **state) {
    (void)state;
    bool all[8];
    memset(all, true, sizeof all);
    for (size_t cpu = 0; cpu < 8; cpu++) put_siblings(cpu, cpu < 4 ? "0-3\n" : "4-7\n");
    assert_int_equal(machine_physical_cores(root, all, 8), 2);
}

static void unknown_topology_says_nothing(void **state) {
    (void)state;
    bool all[2] = {true, true};
    assert_int_equal(machine_physical_cores(root, all, 2), 0);
}

static void thread_choice_is_the_smallest_of_three(void **state) {
    (void)state;
    static const struct {
        size_t affinity, cores;
        double quota;
        size_t threads;
        const char *why;
    } cases[] = {
        {8, 8, 0, 8, "8 processors"},  {8, 4, 0, 4, "physical core"},
        {8, 0, 0, 8, "8 processors"},  {8, 4, 2, 2, "control group"},
        {8, 4, 1.5, 1, "1.5 of 8"},    {8, 4, 0.3, 1, "0.3 of 8"},
        {8, 8, 16, 8, "8 processors"}, {1, 1, 0, 1, "1 processor "},
        {8, 8, 7.99, 7, "7.99"},       {0, 0, 0, 1, "1 processor "},
        {4, 4, 4, 4, "4 processors"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ThreadChoice choice =
            machine_choose_threads(cases[i].affinity, cases[i].cores, cases[i].quota);
        if (choice.threads != cases[i].threads || !strstr(choice.why, cases[i].why))
            fail_msg("case %zu: %zu threads, '%s'", i, choice.threads, choice.why);
    }
}

static void this_machine_offers_at_least_one_thread(void **state) {
    (void)state;
    ThreadChoice choice = machine_threads("");
    assert_in_range(choice.threads, 1, choice.affinity);
    assert_in_range(choice.cores, choice.threads, choice.affinity);
}

/* ---- OpenBLAS ------------------------------------------------------------------------- */

static void wanted_core_fits_the_processor(void **state) {
    (void)state;
    enum {
        V2 = SIMD_AVX,
        V3 = SIMD_AVX | SIMD_AVX2,
        V4 = SIMD_AVX | SIMD_AVX2 | SIMD_AVX512
    };
    static const struct {
        const char *core;
        unsigned simd;
        const char *wanted;
    } cases[] = {
        {"Prescott", V4, "SkylakeX"}, {"Haswell", V4, "SkylakeX"},
        {"Zen", V4, "SkylakeX"},      {"Zen", V4 | SIMD_AVX512_BF16, "SkylakeX"},
        {"SkylakeX", V4, NULL},       {"skylakex", V4, NULL},
        {"Cooperlake", V4, NULL},     {"Sapphirerapids", V4, NULL},
        {"Prescott", V3, "Haswell"},  {"Core2", V3, "Haswell"},
        {"Nehalem", V3, "Haswell"},   {"Sandybridge", V3, "Haswell"},
        {"Barcelona", V3, "Haswell"}, {"Generic", V3, "Haswell"},
        {"Haswell", V3, NULL},        {"Zen", V3, NULL},
        {"SkylakeX", V3, NULL},       {"Sandybridge", V2, NULL},
        {"Prescott", 0, NULL},        {"armv8", SIMD_NEON, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *wanted = machine_wanted_core(cases[i].core, cases[i].simd);
        const char *right = cases[i].wanted;
        if ((wanted == NULL) != (right == NULL) || (right && strcmp(wanted, right) != 0))
            fail_msg("%s with %s: %s", cases[i].core, machine_simd_name(cases[i].simd),
                     wanted ? wanted : "NULL");
    }
}

static void older_kernels_are_known_for_those_that_fail(void **state) {
    (void)state;
    assert_string_equal(machine_other_core("Cooperlake"), "Haswell");
    assert_string_equal(machine_other_core("haswell"), "Sandybridge");
    assert_null(machine_other_core("Prescott"));
}

static void linked_openblas_is_the_openmp_flavour(void **state) {
    (void)state;
    assert_string_equal(machine_blas().flavour, "OpenMP");
    assert_true(machine_blas().version[0] >= '0' && machine_blas().version[0] <= '9');
}

/* ---- denormals ------------------------------------------------------------------------ */

static void denormals_become_zero_in_every_thread(void **state) {
    (void)state;
#if defined(__x86_64__) || defined(__aarch64__)
    volatile float small = 1e-38f, tenth = 0.1f;
    int kept = 0;
    machine_flush_denormals();
#pragma omp parallel reduction(+ : kept)
    kept += small * tenth != 0;
    assert_int_equal(kept, 0);
#else
    skip();
#endif
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(no_cgroup_is_no_quota),
        CASE(v2_quota_is_read),
        CASE(v2_smallest_on_the_way_up_wins),
        CASE(v2_max_is_no_quota),
        CASE(container_shows_its_own_group_at_the_mount),
        CASE(v1_quota_is_read),
        CASE(v1_controller_may_be_mounted_alone),
        CASE(v1_cpuset_is_not_cpu),
        CASE(nonsense_is_no_quota),
        CASE(memory_is_cut_to_the_groups_limit),
        CASE(what_a_process_can_have_is_memory_and_swap_within_all_limits),
        CASE(threads_have_a_share_of_the_third_level_cache),
        CASE(two_threads_of_a_core_count_once),
        CASE(ranges_of_siblings_are_understood),
        CASE(unknown_topology_says_nothing),
        cmocka_unit_test(thread_choice_is_the_smallest_of_three),
        cmocka_unit_test(this_machine_offers_at_least_one_thread),
        cmocka_unit_test(wanted_core_fits_the_processor),
        cmocka_unit_test(older_kernels_are_known_for_those_that_fail),
        cmocka_unit_test(linked_openblas_is_the_openmp_flavour),
        cmocka_unit_test(denormals_become_zero_in_every_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
