/* doctor: `steady doctor`, what this machine offers and what is wrong with its set-up. */
#ifndef STEADY_DOCTOR_H
#define STEADY_DOCTOR_H

/* argv[0] is "doctor".  Returns an exit code; problems that it finds are its result, not its
 * failure, but for products that are wrong (FAIL_RUN).  Stores the rates that it measures (tools/program/rate.h). */
int doctor_main(int argc, char **argv);

#endif
