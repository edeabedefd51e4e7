/* survey: what can be said of a set of pictures before it is used, at a bounded cost.
 *
 *     survey_classes(set, true, &err);                    labels alone
 *     survey_pictures(set, &config, interrupted, &err);   a sample is read
 *     survey_overlap(train, val, "val");                  compared by content
 *
 * What is found becomes notes of set->facts.  Not for: pictures that are broken while a
 * run goes on (data/picture/loader.h). */
#ifndef STEADY_SURVEY_H
#define STEADY_SURVEY_H

#include "data/picture/dataset.h"

/* Pictures that are read of a split, evenly spread over it. */
enum { SURVEY_MOST = 256 };

/* Classes without a picture, the share of the largest one where it is far above an even
 * one, and (training) class names that differ in capitals alone.
 * FAIL_DATA: a training split with pictures of one class only. */
Status survey_classes(Dataset *set, bool training, Err *err);

/* How many pictures of the sample are of one colour, and, where they are in files of
 * their own, turned by their Exif data, made of inks, grey though RGB is wanted or the
 * other way round, transparent.
 * The bytes of such files go into facts.hash: another picture in place of one of
 * the sample, or two classes that changed places, are seen even where names and
 * lengths are the same.
 * FAIL_DATA: a broken one (data.on_error = skip: a class of which all were read and none
 * is good; others are noted).  FAIL_INTERRUPTED: interrupted (NULL: never) said so. */
Status survey_pictures(Dataset *set, const DataConfig *config, bool (*interrupted)(void),
                       Err *err);

/* Digest of the bytes of a picture in a file of its own; 0: it cannot be read. */
uint64_t survey_content(const Dataset *set, size_t i);

/* Pictures of `other`, the split `name`, that are in `train` too, by pixels, or of files
 * by their bytes in a sample: noted in other->facts. */
void survey_overlap(const Dataset *train, Dataset *other, const char *name);

/* Training pictures that are in another class, too, compared in the same way. */
void survey_twice(Dataset *train);

#endif
