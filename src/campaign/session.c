/* session.c: opening a device for measuring; its card. */
#include "campaign/session.h"

#include <math.h>

#include "base/alloc.h"

enum { ARENA_LIMIT = 1 << 28 };

static sloe_status fill_card(sloe_session *s, sloe_error *err) {
  const sloe_device_info *info = sloe_device_describe(s->device);
  sloe_card *card = &s->card;
  *card = (sloe_card){.path = "",
                      .device = info->device,
                      .title = info->title,
                      .runtime = info->runtime,
                      .runtime_version = info->version,
                      .mode = info->mode,
                      .source = SLOE_SOURCE_MEASURED,
                      .gpu_mhz = NAN,
                      .peak_gflops = NAN,
                      .bandwidth_gbs = NAN,
                      .launch_us = NAN,
                      .memory_mb = info->memory_mb,
                      .memory_reserved_mb = NAN,
                      .power_cap_w = NAN,
                      .validated_mape = NAN,
                      .validated_on = ""};
  SLOE_TRY(sloe_precision_parse(info->precision, &card->precision, err));
  card->name = sloe_arena_printf(&s->arena, "%s-%s-%s%s%s", info->device, info->runtime,
                                 info->precision, *info->mode ? "-" : "", info->mode);
  card->notes = sloe_arena_printf(&s->arena, "measured with %s", sloe_device_backend(s->device));
  if (card->name && card->notes) return SLOE_OK;
  return sloe_fail(err, SLOE_NOMEM, "out of memory opening a session");
}

sloe_status sloe_session_open(const char *backend, sloe_session **out, sloe_error *err) {
  *out = NULL;
  sloe_session *s = sloe_alloc(1, sizeof *s);
  if (!s) return sloe_fail(err, SLOE_NOMEM, "out of memory opening a session");
  *s = (sloe_session){0};
  sloe_arena_init(&s->arena, ARENA_LIMIT);
  sloe_status status = sloe_device_open(backend, NULL, &s->device, err);
  if (status == SLOE_OK) status = fill_card(s, err);
  if (status == SLOE_OK)
    *out = s;
  else
    sloe_session_close(s);
  return status;
}

void sloe_session_close(sloe_session *session) {
  if (!session) return;
  sloe_device_close(session->device);
  sloe_arena_fini(&session->arena);
  sloe_dealloc(session);
}

const sloe_card *sloe_session_card(const sloe_session *session) {
  return &session->card;
}

const sloe_fusion *sloe_session_fusion(const sloe_session *session) {
  return &sloe_device_describe(session->device)->fusion;
}

int64_t sloe_session_batch(const sloe_session *session) {
  const int64_t batch = sloe_device_describe(session->device)->batch;
  return batch > 0 ? batch : 1;
}
