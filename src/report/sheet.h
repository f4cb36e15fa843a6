/* sheet.h: an answer spread out for the writers of tables. Private to report/. */
#ifndef SLOE_REPORT_SHEET_H
#define SLOE_REPORT_SHEET_H

#include "report/report.h"

typedef struct sloe_sheet {
  sloe_text *text;
  const sloe_report_options *options;
  const sloe_net *net;
  const sloe_net_info *info;
  const sloe_card *card;
  const sloe_result *result;
  const sloe_measured_extra *extra; /* NULL: none */
} sloe_sheet;

sloe_sheet sloe_sheet_of(sloe_text *text, const sloe_report_options *options,
                         const sloe_answer *answer);

/* A row for each layer (layer_table.c). */
void sloe_sheet_layers(const sloe_sheet *page);
/* A row for each answer, of one at least (compare.c). */
void sloe_compare_answers(const sloe_answer *answers, size_t n, const sloe_report_options *options,
                          sloe_text *text);

#endif
