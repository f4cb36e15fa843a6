/* The kernel keeps a peak of the whole resident set (VmHWM) and none of its anonymous part, which
 * is what a process costs a machine: file pages are shared and can be dropped. But anonymous memory
 * shrinks only in a system call (munmap, brk, madvise, exit), so a tracer that reads RssAnon at the
 * entry of every system call sees each local maximum. Exact but for the kernel's per-thread batches
 * of 64 pages.
 */
#include "peak.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static long rss_anon_kb(pid_t pid) {
  char path[64], line[256];
  long kb = -1;
  snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
  FILE *status = fopen(path, "r");
  if (!status) return -1;
  while (kb < 0 && fgets(line, sizeof line, status)) {
    if (strncmp(line, "RssAnon:", 8) == 0 && sscanf(line + 8, "%ld", &kb) != 1) kb = -1;
  }
  fclose(status);
  return kb;
}

static void become(char *const argv[]) {
  int null = open("/dev/null", O_WRONLY);
  if (null >= 0) dup2(null, STDOUT_FILENO);
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) execvp(argv[0], argv);
  _exit(127);
}

long bench_peak_anon_kb(char *const argv[]) {
  long peak = -1;
  int status;
  pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) become(argv);
  while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
    int signal = WSTOPSIG(status);
    long now = rss_anon_kb(pid);
    if (now > peak) peak = now;
    if (signal == SIGTRAP) signal = 0;
    if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) != 0) break;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? peak : -1;
}
