/* agent_server.h: the serving end: one request, one answer. Private to agent/.
 */
#ifndef SLOE_DEVICE_AGENT_SERVER_H
#define SLOE_DEVICE_AGENT_SERVER_H

#include "device/agent/agent_wire.h"

enum { SLOE_AGENT_JOBS_MOST = 1024 };

typedef struct sloe_agent_server_job { /* `job` NULL: free */
  sloe_job *job;
  sloe_net *net;
  sloe_layers *layers;
} sloe_agent_server_job;

typedef struct sloe_agent_server {
  sloe_device *device;
  size_t net_limit;            /* bytes that a network may claim; 0: 1 GiB */
  sloe_agent_server_job *jobs; /* job N is jobs[N - 1] */
  size_t n_jobs, cap_jobs;
  sloe_device_sensor told; /* of the last `power` */
} sloe_agent_server;

/* Takes `device` over. */
void sloe_agent_server_init(sloe_agent_server *server, sloe_device *device);
void sloe_agent_server_fini(sloe_agent_server *server);

/* The id of a request, for heartbeats before its answer; 0: it has none, or is none. *request is
   NULL then. json_decref. */
int64_t sloe_agent_read_request(const char *line, size_t len, json_t **request, sloe_error *err);

/* Carry it out and add the line of its answer to `out`. Fails with NOMEM only: what goes wrong
   becomes the answer. */
sloe_status sloe_agent_answer(sloe_agent_server *server, const json_t *request, int64_t id,
                              sloe_text *out, sloe_error *err);

/* The line that says what `err` holds of request `id`. */
sloe_status sloe_agent_refuse(int64_t id, const sloe_error *why, sloe_text *out, sloe_error *err);

#endif
