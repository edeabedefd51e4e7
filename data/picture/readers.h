/* readers: what a source of images gives to data/picture/dataset.c, and nobody else needs.
 *
 * An open function fills in *set (zeroed before) for SPLIT_TRAIN or SPLIT_TEST,
 * and for SPLIT_VAL where data/picture/dataset.c says that it can have one (count 0: it has
 * none).  It sets state and free_state before its first failure, so that dataset_free cleans up
 * after it. */
#ifndef STEADY_READERS_H
#define STEADY_READERS_H

#include "data/picture/dataset.h"

typedef Status ReaderOpen(const DataConfig *config, Split split, Dataset *set, Err *err);

ReaderOpen idx_open;    /* MNIST's format */
ReaderOpen cifar_open;  /* CIFAR-10 and CIFAR-100, binary */
ReaderOpen folder_open; /* path/split/class/picture */
ReaderOpen glyphs_open; /* built in: drawn by code */

#endif
