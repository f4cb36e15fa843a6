#include <string.h>

#include "base/error.h"
#include "report/report.h"

sloe_status sloe_format_parse(const char *text, sloe_format *out, sloe_error *err) {
  static const struct {
    const char *name;
    sloe_format format;
  } formats[] = {
      {"table", SLOE_FORMAT_TABLE}, {"json", SLOE_FORMAT_JSON}, {"csv", SLOE_FORMAT_CSV}};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    if (strcmp(text, formats[i].name)) continue;
    *out = formats[i].format;
    return SLOE_OK;
  }
  return sloe_fail(err, SLOE_USAGE, "format '%s' is none of table, json, csv", text);
}
