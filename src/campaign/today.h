/* today.h: the day, as files have it. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_TODAY_H
#define SLOE_CAMPAIGN_TODAY_H

/* "2026-11-25", UTC. */
const char *sloe_today(char out[32]);

#endif
