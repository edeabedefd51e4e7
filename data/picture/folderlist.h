/* folderlist: the contents of a folder of class folders, pictures and other files.
 *
 *     Listing all = {0};
 *     list_classes(path, &all, &names, &err);      "train": its folders
 *     list_pictures(path, &all, &files, &err);     "train/cat": its pictures
 *     listing_note(&all, "train", &set->facts); listing_free(&all);
 *
 * A picture is a file with the ending .png, .jpg or .jpeg, or one whose first bytes are
 * those of a PNG or JPEG file, in the folder of its class or deeper.  What systems leave
 * in folders (Thumbs.db, __MACOSX) is passed over.  Everything else is counted by what it
 * is, with the first of its kind. */
#ifndef STEADY_FOLDERLIST_H
#define STEADY_FOLDERLIST_H

#include "data/config.h"
#include "data/facts.h"
#include "data/file/bytes.h"

typedef struct Names {
    char **name;   /* sorted by bytes */
    size_t *bytes; /* of the file; 0 where it is not there or a folder */
    size_t count, room;
} Names;

void names_free(Names *names);

typedef enum {
    ODD_DEEPER,  /* pictures in folders below a class folder, which are used */
    ODD_DEPTH,   /* folders too deep there */
    ODD_LINK,    /* folders below a class folder that are links: nobody looks into them */
    ODD_ENDING,  /* files that are no pictures */
    ODD_CONTENT, /* files that are used: by their first bytes they are pictures */
    ODD_HIDDEN,  /* pictures and folders whose names begin with a dot */
    ODD_LOOSE,   /* pictures beside the class folders */
    ODD_LONG,    /* names that do not fit into a path */
    ODD_BESIDE,  /* folders beside train, val and test */
    ODD_KINDS,
} OddKind;

enum { ENDINGS_MOST = 6, ENDING_ROOM = 16 };

typedef struct Listing {
    size_t count[ODD_KINDS];
    char *first[ODD_KINDS];                 /* in the order of bytes; NULL: none */
    char ending[ENDINGS_MOST][ENDING_ROOM]; /* of ODD_ENDING; more are not named */
    size_t endings;
} Listing;

/* The folder of a split: train or training; val, valid, validation or dev; test or
 * testing; in small letters, with a capital in front, or in capitals. */
bool list_split(const char *path, Split split, char full[PATH_SIZE]);

/* Folders of `path`.  FAIL_DATA: it cannot be read. */
Status list_classes(const char *path, Listing *all, Names *names, Err *err);
/* Pictures of the class folder `path`. */
Status list_pictures(const char *path, Listing *all, Names *names, Err *err);
/* Folders of a set's path that are none of its splits. */
Status list_beside(const char *path, Listing *all, Err *err);

/* A note for each kind that was met.  `split` is the split's folder, for the text. */
void listing_note(const Listing *all, const char *split, DataFacts *facts);
void listing_free(Listing *all);

#endif
