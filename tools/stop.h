/* stop: SIGINT, SIGTERM, SIGHUP and SIGUSR1 ask politely; a second one ends the process at once. */
#ifndef STEADY_STOP_H
#define STEADY_STOP_H

#include <stdbool.h>

void stop_listen(void);
bool stop_requested(void);

#endif
