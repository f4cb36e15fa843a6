/* process RUNS COMMAND... [-- RUNS COMMAND...]...
 *
 * Times whole processes from before the spawn to after the wait, standard output to /dev/null. The
 * commands take turns in proportion to their runs, so that a slow moment of the machine falls on
 * all of them and ratios hold. A row per command, in order:
 *   median_ms p5_ms p95_ms runs max_rss_kb peak_anon_kb exit_status
 * peak_anon_kb comes from one further run under a tracer; -1 where that is not allowed.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "peak.h"
#include "stats.h"

extern char **environ;

enum { MAX_COMMANDS = 16 };

typedef struct command {
  char **argv; /* ends in NULL */
  size_t runs, done;
  double *ms;
  long max_rss_kb;
  int status; /* of the last run that failed */
} command;

/* Splits main's arguments at "--"; 0 where they are wrong. */
static size_t parse(char **argv, command *commands) {
  size_t n = 0;
  while (*argv && n < MAX_COMMANDS) {
    command *c = &commands[n++];
    c->runs = strtoul(*argv++, NULL, 10);
    c->argv = argv;
    c->ms = calloc(c->runs + 1, sizeof *c->ms);
    if (c->runs == 0 || !c->ms || !*argv) return 0;
    while (*argv && strcmp(*argv, "--") != 0) argv++;
    if (*argv) *argv++ = NULL;
  }
  return n;
}

static void run(command *c) {
  posix_spawn_file_actions_t actions;
  struct rusage usage;
  pid_t pid;
  int status;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);

  double start = bench_now();
  int rc = posix_spawnp(&pid, c->argv[0], &actions, NULL, c->argv, environ);
  if (rc == 0 && wait4(pid, &status, 0, &usage) == pid) {
    c->ms[c->done++] = 1e3 * (bench_now() - start);
    if (usage.ru_maxrss > c->max_rss_kb) c->max_rss_kb = usage.ru_maxrss;
    if (status != 0) c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } else {
    c->status = 127;
  }
  posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char **argv) {
  command commands[MAX_COMMANDS] = {0};
  size_t n = argc > 2 ? parse(argv + 1, commands) : 0, rounds = 0;
  if (n == 0) {
    fprintf(stderr, "usage: process RUNS COMMAND... [-- RUNS COMMAND...]...\n");
    return 2;
  }
  for (size_t i = 0; i < n; i++) {
    if (commands[i].runs > rounds) rounds = commands[i].runs;
    run(&commands[i]); /* warms the page cache and does not count */
    commands[i].done = 0;
    commands[i].max_rss_kb = 0;
  }
  for (size_t r = 0; r < rounds; r++) {
    for (size_t i = 0; i < n; i++) {
      command *c = &commands[i];
      if ((r + 1) * c->runs / rounds > r * c->runs / rounds) run(c);
    }
  }
  for (size_t i = 0; i < n; i++) {
    command *c = &commands[i];
    bench_stats s = bench_stats_of(c->ms, c->done);
    printf("%.3f %.3f %.3f %zu %ld %ld %d\n", s.median, s.p5, s.p95, c->done, c->max_rss_kb,
           bench_peak_anon_kb(c->argv), c->status);
    free(c->ms);
  }
  return 0;
}
