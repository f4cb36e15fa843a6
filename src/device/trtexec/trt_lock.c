/* trt_lock.c: clocks and power mode, changed where that was asked for, and given back.
 *
 * jetson_clocks holds all clocks at the most that the power mode allows; what was before it writes
 * into a file. A guard, a shell of a line, waits for the end of a pipe that only this process
 * holds, and then gives back both: after a proper close, an interrupt, a kill, a crash alike.
 * Clocks come first, since a least one that is held keeps a mode from lowering the most; and once
 * more behind the mode, which sets limits of its own.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device/trtexec/trtexec.h"

enum { RESTORE_S = 60 };

static const char script[] =
    "trap '' INT TERM HUP\n"
    "read -r line\n"
    "exec >/dev/null 2>&1 </dev/null\n"
    "if [ -n \"$4\" ]; then\n"
    "  if [ -n \"$2\" ]; then \"$1\" --restore \"$2\"; fi\n"
    "  \"$3\" -m \"$4\"\n"
    "fi\n"
    "if [ -n \"$2\" ]; then \"$1\" --restore \"$2\" && rm -f \"$2\"; fi\n";

static char *command_path(sloe_trtexec *t, const char *name, sloe_error *err) {
  char *path = sloe_arena_printf(&t->arena, "%s/usr/%s/%s", t->set.sysroot,
                                 strcmp(name, "nvpmodel") == 0 ? "sbin" : "bin", name);
  if (!path) sloe_fail(err, SLOE_NOMEM, "out of memory locking clocks");
  return path;
}

/* `words` end with NULL. */
static sloe_status command(sloe_trtexec *t, const char *what, char *const *words, sloe_error *err) {
  const sloe_trtexec_order order = {.what = what, .words = words, .limit_s = RESTORE_S};
  return sloe_trtexec_carry_out(t, &order, err);
}

/* From now on both come back; "" where one is not to be changed. */
static sloe_status start_guard(sloe_trtexec *t, char *clocks, char *file, char *nvpmodel,
                               char *mode, sloe_error *err) {
  char sh[] = "/bin/sh", flag[] = "-c", name[] = "guard", text[sizeof script];
  memcpy(text, script, sizeof script);
  char *words[] = {sh, flag, text, name, clocks, file, nvpmodel, mode, NULL};
  SLOE_TRY(sloe_agent_start(words, &t->guard.child, err));
  t->guard.is_up = 1;
  return SLOE_OK;
}

static sloe_status change_mode(sloe_trtexec *t, char *nvpmodel, sloe_error *err) {
  char mode[24], flag[] = "-m";
  char *words[] = {nvpmodel, flag, mode, NULL};
  if (t->set.mode < 0) return SLOE_OK;
  snprintf(mode, sizeof mode, "%lld", (long long)t->set.mode);
  return command(t, "setting the power mode", words, err);
}

static sloe_status lock_clocks(sloe_trtexec *t, char *clocks, sloe_error *err) {
  char *words[] = {clocks, NULL};
  return t->set.lock ? command(t, "locking the clocks", words, err) : SLOE_OK;
}

/* What jetson_clocks is to restore. Empty where nothing is to be locked. */
static sloe_status store_clocks(sloe_trtexec *t, char *clocks, char **file, sloe_error *err) {
  char flag[] = "--store", none[] = "";
  *file = t->set.lock ? sloe_arena_printf(&t->arena, "%s/clocks", t->work)
                      : sloe_arena_strn(&t->arena, none, 0);
  if (!*file) return sloe_fail(err, SLOE_NOMEM, "out of memory locking clocks");
  if (!t->set.lock) return SLOE_OK;
  char *words[] = {clocks, flag, *file, NULL};
  unlink(*file); /* over one that is there it asks */
  return command(t, "storing the clocks", words, err);
}

sloe_status sloe_trtexec_lock(sloe_trtexec *t, sloe_error *err) {
  char before[24] = "", *file;
  const int mode_before = sloe_jetson_describe(t->board)->mode_id;
  if (!t->set.lock && t->set.mode < 0) return SLOE_OK;
  char *clocks = command_path(t, "jetson_clocks", err);
  char *nvpmodel = clocks ? command_path(t, "nvpmodel", err) : NULL;
  if (!nvpmodel) return SLOE_NOMEM;
  if (t->set.mode >= 0 && mode_before < 0)
    return sloe_fail(err, SLOE_DEVICE,
                     "mode: which one the board is in cannot be read, so it could "
                     "not be given back");
  if (t->set.mode >= 0) snprintf(before, sizeof before, "%d", mode_before);
  SLOE_TRY(store_clocks(t, clocks, &file, err));
  SLOE_TRY(start_guard(t, clocks, file, nvpmodel, before, err));
  SLOE_TRY(change_mode(t, nvpmodel, err));
  return lock_clocks(t, clocks, err);
}

void sloe_trtexec_unlock(sloe_trtexec *t) {
  if (!t->guard.is_up) return;
  sloe_trtexec_log(t, "# clocks and power mode are given back");
  sloe_agent_stop(&t->guard.child, RESTORE_S);
  t->guard.is_up = 0;
}
