/* stand_in_trtexec.h: what the parts of the stand-in trtexec share. */
#ifndef STAND_IN_TRTEXEC_H
#define STAND_IN_TRTEXEC_H

#include <stddef.h>
#include <stdio.h>

enum { MOST_LAYERS = 4096 };

typedef struct engine { /* what is saved: a text */
  size_t n;
  char *name[MOST_LAYERS];
  double ms[MOST_LAYERS];
} engine;

typedef struct trtexec {
  int version; /* major * 10000 + minor * 100 + patch */
  int argc;
  char **argv;
  const char *fault; /* "": it behaves */
  double noise;
  engine engine;
  double *ms; /* of each inference, warm-up first */
  size_t n, n_warm;
} trtexec;

/* The value behind "--name=", "" of a flag that stands alone; NULL: not given. */
const char *flag(const trtexec *t, const char *name);
void line(const trtexec *t, char level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
double median_of(const double *values, size_t n);
/* A file as it was asked for, or as the fault has it. */
FILE *export_begin(const trtexec *t, const char *path);
void export_end(const trtexec *t, FILE *file, const char *path);

/* stand_in_flags.c */
int takes(int version, const char *argument);
void print_help(int version);

/* stand_in_report.c */
void report_performance(const trtexec *t);
void export_times(const trtexec *t, const char *path);
void report_profile(const trtexec *t);
void export_profile(const trtexec *t, const char *path);
void export_layers(const trtexec *t, const char *path);

#endif
