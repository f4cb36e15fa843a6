/* peak.h: the peak of a process's anonymous memory. */
#ifndef SLOE_BENCH_PEAK_H
#define SLOE_BENCH_PEAK_H

/* Runs argv (standard output to /dev/null) and returns the largest RssAnon in kB that it ever had,
   or -1 where tracing is not allowed or the program could not be run. */
long bench_peak_anon_kb(char *const argv[]);

#endif
