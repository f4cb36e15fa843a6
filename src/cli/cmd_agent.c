#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* The protocol keeps stdout for itself; what a runtime's library prints there goes to stderr. */
static int take_stdout(void) {
  const int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (out >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) return out;
  if (out >= 0) close(out);
  return -1;
}

static sloe_exit run(const sloe_args *args) {
  const char *backend = sloe_args_value(args, SLOE_OPT_BACKEND);
  const sloe_lab *lab;
  sloe_error err = {0};
  sloe_exit code = sloe_args_needs(args, SLOE_OPT_BACKEND, SLOE_BACKEND_HINT);
  if (!code) code = sloe_cli_lab(&lab);
  if (code) return code;
  const int out = take_stdout();
  if (out < 0) {
    sloe_cli_say(stderr, "sloe: stdout cannot be used: %s", strerror(errno));
    return SLOE_EXIT_INPUT;
  }
  signal(SIGPIPE, SIG_IGN);
  const sloe_status status = lab->serve(backend, STDIN_FILENO, out, &err);
  close(out);
  return status == SLOE_OK ? SLOE_EXIT_YES : sloe_cli_failed(backend, status, &err);
}

const sloe_command sloe_cmd_agent = {
    .name = "agent",
    .operands = "-b BACKEND",
    .summary = "serves a backend on stdin and stdout, for a sloe elsewhere",
    .details =
        "A JSON object a line, docs/agent.md says which; ends with its input. The other end starts "
        "it, as in\n'sloe profile -b \"agent:ssh HOST sloe agent -b BACKEND\" -o P.sloe': all "
        "behind 'agent:' is the command,\nwhich is run without a shell.\n",
    .options = SLOE_OPTION_BIT(BACKEND),
    .min_operands = 0,
    .max_operands = 0,
    .run = run,
};
