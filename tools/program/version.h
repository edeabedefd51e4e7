/* version: which program this is.
 *
 *     printf("steady %s\n", version_text());      steady 0.1.0 (commit 1a2b3c4)
 *
 * STEADY_VERSION names a release; the commit tells apart the builds between two of them.
 * It is that of the git clone that was built, and ends in "-modified" where files of it
 * had been changed. */
#ifndef STEADY_PROGRAM_VERSION_H
#define STEADY_PROGRAM_VERSION_H

const char *version_commit(void); /* "": not built in a git clone */
const char *version_text(void);   /* "0.1.0", or "0.1.0 (commit 1a2b3c4)" */

#endif
