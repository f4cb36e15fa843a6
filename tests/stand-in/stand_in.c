/* stand_in HOW: an agent that misbehaves, for the tests of the other end. It answers as an agent
 * would until the request that HOW names, then does what it names. Without HOW it behaves.
 *
 *   die OP, exit OP      killed, exits with 3, when asked for OP, without a byte of answer
 *   half OP              dies in the middle of the answer to OP
 *   after OP             dies when OP is answered
 *   hang OP              never answers OP; deaf OP: and does not end when asked to
 *   busy OP              says for ever that it is still at OP
 *   rubbish OP, flood OP, number OP     what is no JSON; megabytes without a newline; 17
 *   other OP, old OP, anonymous OP      answers another request, an earlier one, none
 *   mute OP              closes stdout and stays
 *   empty OP             an answer without anything in it
 *   refuse OP            status device; odd OP: a status that there is none
 *   lie OP               times that run backwards; many OP: one more time than there are layers
 *   future hello, other-device FILE     another protocol; another device from the second start on
 *   once FILE HOW OP     misbehaves only where FILE is not there, and makes it
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long request_id(const char *line) {
  const char *at = strstr(line, "\"id\":");
  return at ? strtol(at + 5, NULL, 10) : 0;
}

static int asks_for(const char *line, const char *op) {
  char text[64];
  snprintf(text, sizeof text, "\"op\":\"%s\"", op);
  return strstr(line, text) != NULL;
}

static void hello(long id, const char *device, int protocol) {
  printf(
      "{\"id\":%ld,\"protocol\":%d,\"sloe\":\"x\",\"device\":\"%s\",\"title\":\"Stand-in\","
      "\"runtime\":\"none\",\"version\":\"1\",\"precision\":\"fp32\",\"mode\":\"\",\"batch\":1,"
      "\"threads\":1,\"memory_mb\":null,\"fusion\":{\"runtime\":\"none\",\"version\":0,"
      "\"precision\":\"fp32\",\"compute_capability\":0},\"can\":{\"networks\":true,"
      "\"layers\":true,\"settle\":true,\"memory\":true,\"power\":true},\"later\":[1]}\n",
      id, protocol, device);
}

/* Two layers in whatever network. */
static void behave(const char *line, const char *device) {
  const long id = request_id(line);
  if (asks_for(line, "hello"))
    hello(id, device, 1);
  else if (asks_for(line, "load_layer") || asks_for(line, "load_network"))
    printf("{\"id\":%ld,\"job\":1,\"layers\":2}\n", id);
  else if (asks_for(line, "run"))
    printf("{\"id\":%ld,\"device_ns\":%d,\"host_ns\":2000}\n", id,
           strstr(line, "\"settle\":true") ? 1500 : 1000);
  else if (asks_for(line, "run_layers"))
    printf("{\"id\":%ld,\"layer_ns\":[400,600]}\n", id);
  else if (asks_for(line, "memory"))
    printf("{\"id\":%ld,\"total_mb\":1.5,\"weights_mb\":null,\"kind\":\"process\"}\n", id);
  else if (asks_for(line, "power"))
    printf("{\"id\":%ld,\"power_w\":2.5,\"energy_mj\":3,\"rail\":\"gpu\"}\n", id);
  else
    printf("{\"id\":%ld}\n", id);
}

static void flood(void) {
  char piece[4096];
  memset(piece, 'x', sizeof piece);
  while (fwrite(piece, sizeof piece, 1, stdout) == 1) continue;
  exit(0);
}

static void stay(void) {
  for (;;) pause();
}

static void stay_busy(long id) {
  for (;; nanosleep(&(struct timespec){0, 10000000}, NULL)) {
    printf("{\"id\":%ld,\"busy\":1}\n", id);
    if (fflush(stdout) != 0) exit(0);
  }
}

static void misbehave(const char *how, const char *line, const char *device) {
  const long id = request_id(line);
  if (!strcmp(how, "die")) raise(SIGKILL);
  if (!strcmp(how, "exit")) exit(3);
  if (!strcmp(how, "hang")) stay();
  if (!strcmp(how, "busy")) stay_busy(id);
  if (!strcmp(how, "flood")) flood();
  if (!strcmp(how, "deaf")) {
    signal(SIGTERM, SIG_IGN);
    stay();
  }
  if (!strcmp(how, "mute")) {
    fclose(stdout);
    stay();
  }
  if (!strcmp(how, "after")) behave(line, device);
  if (!strcmp(how, "half")) printf("{\"id\":%ld,\"device", id);
  if (!strcmp(how, "rubbish")) printf("Welcome to\033[1m this machine\n");
  if (!strcmp(how, "number")) printf("17\n");
  if (!strcmp(how, "other")) printf("{\"id\":%ld}\n", id + 7);
  if (!strcmp(how, "old")) printf("{\"id\":%ld,\"device_ns\":1}\n", id - 1);
  if (!strcmp(how, "anonymous")) printf("{\"device_ns\":1}\n");
  if (!strcmp(how, "empty")) printf("{\"id\":%ld}\n", id);
  if (!strcmp(how, "future")) printf("{\"id\":%ld,\"protocol\":2}\n", id);
  if (!strcmp(how, "refuse"))
    printf("{\"id\":%ld,\"status\":\"device\",\"message\":\"the fan\\nstopped\"}\n", id);
  if (!strcmp(how, "odd")) printf("{\"id\":%ld,\"status\":\"sulking\"}\n", id);
  if (!strcmp(how, "lie")) printf("{\"id\":%ld,\"device_ns\":-5,\"host_ns\":7}\n", id);
  if (!strcmp(how, "many")) printf("{\"id\":%ld,\"layer_ns\":[1,2,3]}\n", id);
  fflush(stdout);
  if (!strcmp(how, "after") || !strcmp(how, "half")) exit(0);
}

/* 1 where FILE was there; it is from now on. */
static int was_there(const char *file) {
  if (access(file, F_OK) == 0) return 1;
  FILE *f = fopen(file, "w");
  if (f) fclose(f);
  return 0;
}

int main(int argc, char **argv) {
  static char line[1 << 22];
  const char *how = argc > 1 ? argv[1] : "", *op = argc > 2 ? argv[2] : "", *device = "stand-in";
  if (!strcmp(how, "once") && argc > 4) {
    how = was_there(argv[2]) ? "" : argv[3];
    op = argv[4];
  }
  if (!strcmp(how, "other-device")) {
    if (was_there(op)) device = "another";
    how = device[0] == 'a' ? "" : "after";
    op = "load_layer";
  }
  while (fgets(line, sizeof line, stdin)) {
    if (*how && asks_for(line, op))
      misbehave(how, line, device);
    else
      behave(line, device);
    fflush(stdout);
  }
  return 0;
}
