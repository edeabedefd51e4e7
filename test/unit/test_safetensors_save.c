/* Saving safetensors where it fails: the old file stays, and nothing else does. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/file/safetensors.h"
#include "tensor_files.h"

/* The old file is as it was and no temporary file is left. */
static void assert_untouched(const char *path) {
    Safetensors *file = tensors_open_good(path);
    real out[6];
    const SafetensorsEntry *w = safetensors_find(file, "blocks.0.weight");
    assert_int_equal(safetensors_read(file, w, out, 6, NULL), OK);
    assert_memory_equal(out, tensors_small, sizeof tensors_small);
    safetensors_close(file);
    char temporary[300];
    text_format(temporary, sizeof temporary, "%s.tmp", path);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

static const real other[6] = {9, 9, 9, 9, 9, 9};

static void a_temporary_file_that_is_a_link_is_not_written_through(void **state) {
    (void)state;
    char path[200], temporary[300], victim[200];
    text_format(path, sizeof path, "%s", tensors_path("linked"));
    text_format(temporary, sizeof temporary, "%s.tmp", path);
    text_format(victim, sizeof victim, "%s", tensors_path("victim"));
    assert_int_equal(tensors_save_small(victim, tensors_small, NULL), OK);
    assert_int_equal(symlink(victim, temporary), 0);
    assert_int_equal(tensors_save_small(path, other, NULL), OK);
    assert_untouched(victim);
}

static void a_write_that_stops_half_way_leaves_the_old_file(void **state) {
    (void)state;
    char path[200];
    text_format(path, sizeof path, "%s", tensors_path("half"));
    assert_int_equal(tensors_save_small(path, tensors_small, NULL), OK);
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 100;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    Err err = ERR_NONE;
    Status status = tensors_save_small(path, other, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, FAIL_RUN);
    assert_non_null(strstr(err.text, "File too large"));
    assert_untouched(path);
}

static void a_folder_that_is_not_there_or_not_a_folder_is_an_error(void **state) {
    (void)state;
    Err err = ERR_NONE;
    assert_int_equal(tensors_save_small(tensors_path("no/such/x"), tensors_small, &err),
                     FAIL_RUN);
    assert_non_null(strstr(err.text, "No such file"));
    tensors_write_bytes(tensors_path("plain"), "x", 1);
    assert_int_equal(tensors_save_small(tensors_path("plain/x"), tensors_small, &err),
                     FAIL_RUN);
    assert_non_null(strstr(err.text, "Not a directory"));
}

static void a_target_that_is_a_folder_leaves_no_temporary_file(void **state) {
    (void)state;
    Err err = ERR_NONE;
    assert_int_equal(mkdir(tensors_path("target"), 0700), 0);
    assert_int_equal(tensors_save_small(tensors_path("target"), tensors_small, &err),
                     FAIL_RUN);
    assert_false(tensors_exist(tensors_path("target.tmp")));
}

static void a_name_that_is_not_utf8_is_an_error_when_saving(void **state) {
    (void)state;
    SafetensorsWriter *w = safetensors_writer_new();
    safetensors_add_metadata(w, "path", "caf\xe9");
    Err err = ERR_NONE;
    assert_int_equal(safetensors_save(w, tensors_path("utf8"), &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "\"path\" is not UTF-8"));
    assert_false(tensors_exist(tensors_path("utf8")));
    safetensors_writer_free(w);
}

static void a_temporary_file_of_a_killed_run_is_in_nobodys_way(void **state) {
    (void)state;
    char path[200];
    text_format(path, sizeof path, "%s", tensors_path("killed"));
    tensors_write_bytes(tensors_path("killed.tmp"), "half a checkpoint", 17);
    SafetensorsWriter *w = safetensors_writer_new();
    safetensors_add(w, "blocks.0.weight", 2, (size_t[]){2, 3}, tensors_small);
    assert_int_equal(safetensors_save_in(w, path, tensors_folder(), NULL), OK);
    safetensors_writer_free(w);
    assert_untouched(path);
}

static void outside_of_a_run_a_file_of_that_name_is_somebodys(void **state) {
    (void)state;
    tensors_write_bytes(tensors_path("own.tmp"), "mine", 4);
    assert_int_equal(tensors_save_small(tensors_path("own"), tensors_small, NULL), OK);
    safetensors_close(tensors_open_good(tensors_path("own")));
    struct stat info;
    assert_int_equal(stat(tensors_path("own.tmp"), &info), 0);
    assert_int_equal(info.st_size, 4);
    assert_int_not_equal(access(tensors_path("own.tmp.2"), F_OK), 0);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_temporary_file_that_is_a_link_is_not_written_through),
        cmocka_unit_test(a_write_that_stops_half_way_leaves_the_old_file),
        cmocka_unit_test(a_folder_that_is_not_there_or_not_a_folder_is_an_error),
        cmocka_unit_test(a_target_that_is_a_folder_leaves_no_temporary_file),
        cmocka_unit_test(a_name_that_is_not_utf8_is_an_error_when_saving),
        cmocka_unit_test(a_temporary_file_of_a_killed_run_is_in_nobodys_way),
        cmocka_unit_test(outside_of_a_run_a_file_of_that_name_is_somebodys),
    };
    return cmocka_run_group_tests_name("safetensors_save", cases, tensors_make_folder,
                                       tensors_remove_folder);
}
