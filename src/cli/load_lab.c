/* libsloe-lab is loaded where measuring begins: a program that only answers never needs it. It is
 * looked for beside the command, where a build leaves both, then where libraries are (RPATH, the
 * loader's own folders). It stays loaded.
 */
#ifndef SLOE_ALONE
#include <dlfcn.h>
#endif
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#ifdef SLOE_ALONE /* it is in here */

static const sloe_lab *load(char *why, size_t size) {
  (void)why;
  (void)size;
  return sloe_lab_open();
}

#else

#define LAB_FILE "libsloe-lab.so.0"

/* The library beside the command; "": there is none. */
static void find_beside(char path[PATH_MAX + sizeof LAB_FILE + 1]) {
  ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
  path[n > 0 ? n : 0] = 0;
  char *slash = strrchr(path, '/');
  if (slash) memcpy(slash + 1, LAB_FILE, sizeof LAB_FILE);
  if (!slash || access(path, R_OK) != 0) *path = 0;
}

static const sloe_lab *load(char *why, size_t size) {
  char path[PATH_MAX + sizeof LAB_FILE + 1];
  sloe_lab_fn open;
  find_beside(path);
  void *library = dlopen(*path ? path : LAB_FILE, RTLD_NOW | RTLD_LOCAL);
  void *symbol = library ? dlsym(library, SLOE_LAB_SYMBOL) : NULL;
  if (!symbol) {
    const char *said = dlerror();
    snprintf(why, size, "%s", said ? said : LAB_FILE ": no " SLOE_LAB_SYMBOL);
    return NULL;
  }
  memcpy(&open, &symbol, sizeof open); /* ISO C has no cast for it */
  const sloe_lab *lab = open();
  if (!strcmp(lab->version, sloe_version())) return lab;
  snprintf(why, size, "%s is of version %.32s, this is %s: install both from one build",
           *path ? path : LAB_FILE, lab->version, sloe_version());
  return NULL;
}

#endif

const sloe_lab *sloe_cli_find_lab(const char **why) {
  static const sloe_lab *lab;
  static char reason[PATH_MAX + 256];
  if (!lab && !*reason) lab = load(reason, sizeof reason);
  if (why) *why = reason;
  return lab;
}

sloe_exit sloe_cli_lab(const sloe_lab **out) {
  const char *why;
  *out = sloe_cli_find_lab(&why);
  if (*out) return SLOE_EXIT_YES;
  sloe_cli_say(stderr, "sloe: the measuring library cannot be loaded: %s", why);
  return SLOE_EXIT_INPUT;
}

static void print_backend(void *context, const char *name, const char *doc, const char *why) {
  sloe_cli_say(context, "  %-10s %s%s", name, why ? "not here: " : doc, why ? why : "");
}

int sloe_cli_print_backends(FILE *to, const char *title) {
  const sloe_lab *lab = sloe_cli_find_lab(NULL);
  if (!lab) return 0;
  fputs(title, to);
  lab->each_backend(print_backend, to);
  return 1;
}
