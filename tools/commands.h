/* commands: what `steady WORD` runs.  Each takes the words after its own name included
 * (argv[0] = "train"), returns the exit code, and explains itself with -h. */
#ifndef STEADY_COMMANDS_H
#define STEADY_COMMANDS_H

int train_main(int argc, char **argv);
int eval_main(int argc, char **argv);
int predict_main(int argc, char **argv);
int export_main(int argc, char **argv);
int plot_main(int argc, char **argv);
int sweep_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int recipes_main(int argc, char **argv);

#endif
