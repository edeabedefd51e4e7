/* files: small files made on the spot, for tests of readers.
 *
 *     FOLDER_TEST(a_sentence)        in the table; *state is the path of an empty folder
 *     files_write(*state, "train/a/1.png", bytes, n);
 *     files_refuse(&config, SPLIT_TRAIN, FAIL_DATA, "1.png");
 */
#ifndef STEADY_TEST_FILES_H
#define STEADY_TEST_FILES_H

#include "data/picture/dataset.h"

/* A case with a folder of its own under $TMP, removed afterwards. */
#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, files_begin, files_end)

int files_begin(void **state);
int files_end(void **state);

/* Names are paths inside the folder; folders between are made. */
void files_folder(const char *root, const char *name);
void files_write(const char *root, const char *name, const void *bytes, size_t n);
void files_write_text(const char *root, const char *name, const char *text);
void files_append_text(const char *root, const char *name, const char *text);
void files_write_gz(const char *root, const char *name, const void *bytes, size_t n);
/* With a 0 behind them; mem_free. */
uint8_t *files_read(const char *root, const char *name, size_t *n);
void files_cut(const char *root, const char *name, size_t length);
void files_remove(const char *root, const char *name);

/* A picture whose pixels are a function of `number`. */
void files_write_png(const char *root, const char *name, size_t side, unsigned number);

/* Damages a copy of good bytes in the trial-th way: flips up to 8 bytes, or cuts the
 * end off, or both.  Sets *n; mem_free. */
uint8_t *files_damage(const uint8_t *good, size_t size, unsigned trial, size_t *n);

/* Opening must fail with this status and a text that holds `part`. */
void files_refuse(const DataConfig *config, Split split, Status status, const char *part);
/* Opens, reads all items and frees; OK or the first failure. */
Status files_walk(const DataConfig *config, Split split, Err *err);
/* Opening must succeed. */
Dataset *files_open(const DataConfig *config, Split split);

/* Path of a set of real data ($STEADY_DATA or ../shared/data), or the case is skipped. */
const char *files_real(const char *name);

#endif
