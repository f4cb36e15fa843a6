/* Long operations: signals ask them to stop, progress goes to stderr. On a terminal that is one
 * line, drawn again five times a second at most; else, where asked for, a line for each phase.
 */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int number) {
  stop_asked = number;
}

static int is_asked(void *context) {
  (void)context;
  return stop_asked != 0;
}

/* The next one kills: nothing is lost but the sample being taken. */
static void catch_signals(void) {
  struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* "4:05", "1:04:05" */
static const char *clock_text(double seconds, char buf[32]) {
  if (!(seconds >= 0) || seconds > 1e7) return "?";
  int s = (int)(seconds + 0.5);
  if (s < 3600)
    snprintf(buf, 32, "%d:%02d", s / 60, s % 60);
  else
    snprintf(buf, 32, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  return buf;
}

static void clear_line(sloe_cli_watch *w) {
  if (w->drawn) fputs("\r\033[K", stderr);
  w->drawn = 0;
}

static void draw(sloe_cli_watch *w, const sloe_progress *progress) {
  char line[160], left[32], elapsed[32];
  int n = snprintf(line, sizeof line, "%.80s", progress->phase);
  if (progress->total)
    n += snprintf(line + n, sizeof line - (size_t)n, "  %zu of %zu", progress->done,
                  progress->total);
  n +=
      snprintf(line + n, sizeof line - (size_t)n, "  %s", clock_text(progress->elapsed_s, elapsed));
  if (isfinite(progress->eta_s))
    snprintf(line + n, sizeof line - (size_t)n, ", about %s left",
             clock_text(progress->eta_s, left));
  int columns = sloe_cli_columns(STDERR_FILENO);
  if (columns - 1 < (int)strlen(line)) line[columns - 1] = 0;
  for (char *c = line; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
  fprintf(stderr, "\r\033[K%s", line);
  fflush(stderr);
  w->drawn = 1;
}

static void show_progress(void *context, const sloe_progress *progress) {
  sloe_cli_watch *w = context;
  int other = strncmp(w->phase, progress->phase, sizeof w->phase - 1) != 0;
  if (other) snprintf(w->phase, sizeof w->phase, "%s", progress->phase);
  if (w->terminal) {
    double now = seconds_now();
    if (now - w->drawn_at < 0.2) return;
    w->drawn_at = now;
    draw(w, progress);
  } else if (other && w->lines) {
    sloe_cli_say(stderr, "sloe: %s", progress->phase);
  }
}

static void say_warning(void *context, const char *text) {
  clear_line(context);
  sloe_cli_warn(NULL, text);
}

void sloe_cli_watch_begin(sloe_cli_watch *w, int lines) {
  const char *term = getenv("TERM");
  *w = (sloe_cli_watch){.lines = lines};
  w->terminal = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
  w->watch =
      (sloe_watch){.progress = show_progress, .stop = is_asked, .warn = say_warning, .context = w};
  catch_signals();
}

void sloe_cli_watch_end(sloe_cli_watch *w) {
  clear_line(w);
  fflush(stderr);
}
