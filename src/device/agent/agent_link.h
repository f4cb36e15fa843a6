/* agent_link.h: this end of the pipe: asking an agent, and what to do when it does not answer.
 * Private to agent/.
 *
 * Whatever the other end does, a request ends within its limit, with an answer or a status: what
 * the agent refuses with, or DEVICE where it died, hung, said something else or too much. After
 * DEVICE of that kind the process is ended and reaped.
 *
 * The next request starts it again, at most RESTARTS times in the life of a device. So does, once,
 * a request that finds it gone: one that ends without a byte of answer may have died before it was
 * asked. What was loaded is loaded anew by those who need it: `generation` says whether theirs is
 * still there. An agent that comes back as another device is DEVICE for good.
 */
#ifndef SLOE_DEVICE_AGENT_LINK_H
#define SLOE_DEVICE_AGENT_LINK_H

#include "device/agent/agent_child.h"
#include "device/agent/agent_wire.h"

enum { SLOE_AGENT_RESTARTS = 3 };

typedef struct sloe_agent_limits { /* seconds; 0: the default */
  double hello;                    /* from the start to the first answer: 120 */
  double silence;                  /* between two lines of a long answer, heartbeats included: 30 */
  double load;                     /* a layer or a network, choosing its algorithms: 1800 */
  double run;                      /* 90 */
  double other;                    /* 60 */
  double close;                    /* to end by itself: 3 */
} sloe_agent_limits;

typedef struct sloe_agent_link {
  sloe_arena arena; /* of the words */
  char **words;
  sloe_agent_limits limits;
  sloe_agent_child child;
  sloe_agent_lines lines;
  sloe_agent_hello hello; /* the first one's */
  int is_up, has_hello;
  int64_t last_id;
  unsigned generation, restarts;
  double counted_mj; /* by an agent that tells energy since the last time; NAN: none yet */
} sloe_agent_link;

/* Starts COMMAND and hears who it is. `limits` may be NULL. sloe_agent_link_close in any case. */
sloe_status sloe_agent_link_open(const char *command, const sloe_agent_limits *limits,
                                 sloe_agent_link *out, sloe_error *err);
void sloe_agent_link_close(sloe_agent_link *link);

/* Something to load: NULL, or the request that loads it, and what came of it. */
typedef struct sloe_agent_loaded {
  json_t *request;
  int64_t job;         /* the agent's number of it */
  unsigned generation; /* of the agent that gave it */
} sloe_agent_loaded;

/* Ask; takes `request` over (NULL is NOMEM). With `loaded`, its job's number is put into the
   request, after it was loaded again where it must be. json_decref *answer. */
sloe_status sloe_agent_ask(sloe_agent_link *link, sloe_agent_loaded *loaded, json_t *request,
                           double limit_s, json_t **answer, sloe_error *err);
/* Load it now; *answer may be NULL. */
sloe_status sloe_agent_load(sloe_agent_link *link, sloe_agent_loaded *loaded, json_t **answer,
                            sloe_error *err);

#endif
