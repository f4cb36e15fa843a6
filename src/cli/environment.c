#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/* ---- where platforms are ---- */

typedef struct builder {
  sloe_folders *folders;
  size_t used, room;
} builder;

static void add_folder(builder *b, const char *base, size_t len, const char *below) {
  size_t need = len + strlen(below) + 1;
  sloe_folders *f = b->folders;
  if (!len || f->search.n_dirs == sizeof f->dirs / sizeof *f->dirs || need > b->room - b->used)
    return;
  char *to = f->text + b->used;
  memcpy(to, base, len);
  memcpy(to + len, below, strlen(below) + 1);
  f->dirs[f->search.n_dirs++] = to;
  b->used += need;
}

/* Every folder of a list that is separated by ':'. */
static void add_list(builder *b, const char *list) {
  while (list) {
    const char *colon = strchr(list, ':');
    add_folder(b, list, colon ? (size_t)(colon - list) : strlen(list), "");
    list = colon ? colon + 1 : NULL;
  }
}

static void add_user(builder *b) {
  const char *data = variable("XDG_DATA_HOME"), *home = variable("HOME");
  if (data && *data == '/') /* the XDG specification: relative ones are to be ignored */
    add_folder(b, data, strlen(data), "/sloe/platforms");
  else if (home)
    add_folder(b, home, strlen(home), "/.local/share/sloe/platforms");
}

/* Beside the command: data/ of the source folder where it runs from the folder it was built in,
   share/ where the whole installation was moved. */
static void add_beside(builder *b) {
  char exe[PATH_MAX], cache[PATH_MAX + 32];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n <= 0) return;
  exe[n] = 0;
  char *slash = strrchr(exe, '/');
  if (!slash) return;
  *slash = 0;
  snprintf(cache, sizeof cache, "%s/CMakeCache.txt", exe);
  add_folder(b, exe, strlen(exe),
             access(cache, R_OK) == 0 ? "/../data/platforms" : "/../share/sloe/platforms");
}

sloe_exit sloe_folders_init(sloe_folders *folders) {
  *folders = (sloe_folders){0};
  const char *list = variable("SLOE_PLATFORM_PATH"), *data = variable("XDG_DATA_HOME"),
             *home = variable("HOME");
  builder b = {.folders = folders,
               .room = (list ? 2 * strlen(list) : 0) + (data ? strlen(data) : 0) +
                       (home ? strlen(home) : 0) + PATH_MAX + sizeof SLOE_DATADIR + 256};
  folders->text = sloe_cli_alloc(b.room, 1);
  if (list) add_list(&b, list);
  add_user(&b);
  add_beside(&b);
  add_folder(&b, SLOE_DATADIR, strlen(SLOE_DATADIR), "/platforms");
  folders->search.dirs = folders->dirs;
  return SLOE_EXIT_YES;
}

void sloe_folders_fini(sloe_folders *folders) {
  free(folders->text);
  *folders = (sloe_folders){0};
}

/* ---- what the terminal can do ---- */

/* Terminals show UTF-8 unless the locale names another encoding. */
static int shows_utf8(void) {
  const char *locale = variable("LC_ALL");
  if (!locale) locale = variable("LC_CTYPE");
  if (!locale) locale = variable("LANG");
  const char *encoding = locale ? strchr(locale, '.') : NULL;
  if (!encoding) return 1;
  return !strncasecmp(encoding, ".utf-8", 6) || !strncasecmp(encoding, ".utf8", 5);
}

int sloe_cli_columns(int fd) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char *text = variable("COLUMNS");
  int64_t n = text ? sloe_cli_whole(text, strlen(text)) : 0;
  return n >= 20 && n <= 10000 ? (int)n : 80;
}

void sloe_cli_terminal(sloe_report_options *options) {
  options->width = INT_MAX; /* piped: nothing is cut */
  if (!isatty(STDOUT_FILENO)) return;
  const char *term = variable("TERM");
  int dumb = !term || !strcmp(term, "dumb");
  options->width = sloe_cli_columns(STDOUT_FILENO);
  options->color = !dumb && !variable("NO_COLOR");
  options->bars = shows_utf8() ? 1 : 2;
}
