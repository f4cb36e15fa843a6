/* tegrastats_line.c: the fields of a line. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "device/tegrastats/tegrastats.h"

static const double MOST_MW = 1e6, MOST_C = 300;

typedef struct word {
  const char *s;
  size_t len;
} word;

typedef struct reader {
  const char *at, *end;
  sloe_tegrastats_line *out;
} reader;

/* ---- words ---- */

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static word peek(const reader *r) {
  word w = {r->at, 0};
  while (w.s < r->end && is_blank(*w.s)) w.s++;
  while (w.s + w.len < r->end && !is_blank(w.s[w.len])) w.len++;
  return w;
}

static word take(reader *r) {
  const word w = peek(r);
  r->at = w.s + w.len;
  return w;
}

static int is(word w, const char *text) {
  return w.len == strlen(text) && memcmp(w.s, text, w.len) == 0;
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Digits from the front, with a point and a sign where `real`. 0: there are none. */
static int cut_number(word *w, int real, double *out) {
  size_t n = real && w->len && *w->s == '-';
  while (n < w->len && (is_digit(w->s[n]) || (real && w->s[n] == '.'))) n++;
  if (!n || n > 30 || !sloe_parse_double(w->s, n, out)) return 0;
  w->s += n;
  w->len -= n;
  return 1;
}

static int cut_text(word *w, const char *text) {
  const size_t n = strlen(text);
  if (w->len < n || memcmp(w->s, text, n) != 0) return 0;
  w->s += n;
  w->len -= n;
  return 1;
}

static void keep_name(char name[SLOE_TEGRASTATS_NAME], word w) {
  size_t n = w.len < SLOE_TEGRASTATS_NAME - 1 ? w.len : SLOE_TEGRASTATS_NAME - 1;
  for (size_t i = 0; i < n; i++) name[i] = w.s[i] > ' ' && w.s[i] < 0x7f ? w.s[i] : '?';
  name[n] = 0;
}

static void skip_unknown(reader *r, word w) {
  if (!r->out->n_unknown++) keep_name(r->out->unknown, w);
}

static void add(sloe_tegrastats_named *list, size_t *n, size_t most, word name, double value) {
  if (*n == most) return;
  keep_name(list[*n].name, name);
  list[(*n)++].value = value;
}

/* ---- date ---- */

/* "05-13-2026" or "14:22:48" */
static int cut_three(word w, char between, size_t last_len, int out[3]) {
  for (int i = 0; i < 3; i++) {
    const size_t len = i == 2 ? last_len : 2;
    if (w.len < len) return 0;
    out[i] = 0;
    for (size_t k = 0; k < len; k++) {
      if (!is_digit(w.s[k])) return 0;
      out[i] = 10 * out[i] + w.s[k] - '0';
    }
    w = (word){w.s + len, w.len - len};
    if (i < 2 && !cut_text(&w, (const char[]){between, 0})) return 0;
  }
  return w.len == 0;
}

/* Days since 1970 of a date in the Gregorian calendar (Hinnant, "chrono-compatible low-level date
   algorithms"). */
static double days_of(int year, int month, int day) {
  const int y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
  const int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097.0 + (yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static void read_date(reader *r) {
  int date[3], time[3];
  reader ahead = *r;
  if (!cut_three(take(&ahead), '-', 4, date) || !cut_three(take(&ahead), ':', 2, time)) return;
  r->at = ahead.at;
  if (date[0] < 1 || date[0] > 12 || date[1] < 1 || date[1] > 31) return;
  r->out->at_s =
      days_of(date[2], date[0], date[1]) * 86400 + time[0] * 3600 + time[1] * 60 + time[2];
}

/* ---- memory ---- */

/* "1883/3964MB" into units of 2^20 bytes. */
static int read_pair(word w, double *used, double *total) {
  double u, t, unit = 1;
  if (!cut_number(&w, 0, &u) || !cut_text(&w, "/") || !cut_number(&w, 0, &t)) return 0;
  if (cut_text(&w, "kB"))
    unit = 1.0 / 1024;
  else if (!cut_text(&w, "MB"))
    return 0;
  if (w.len && *w.s != '(') return 0;
  *used = u * unit;
  *total = t * unit;
  return 1;
}

/* "(lfb 73x4MB)", "kB(lfb 252kB)": to the closing one. */
static void skip_brackets(reader *r, word behind) {
  if (!memchr(behind.s, '(', behind.len)) {
    const word next = peek(r);
    if (!next.len || *next.s != '(') return;
    behind = take(r);
  }
  while (behind.len && behind.s[behind.len - 1] != ')') behind = take(r);
}

static int read_memory(reader *r, word name) {
  sloe_tegrastats_line *out = r->out;
  double used, total;
  if (!is(name, "RAM") && !is(name, "SWAP") && !is(name, "IRAM")) return 0;
  const word value = peek(r);
  if (!read_pair(value, &used, &total)) return 0;
  take(r);
  skip_brackets(r, value);
  if (is(name, "RAM")) {
    out->ram_mib = used;
    out->ram_total_mib = total;
  } else if (is(name, "SWAP")) {
    out->swap_mib = used;
  }
  return 1;
}

/* ---- processors ---- */

/* "47%@1420", "5%", "off" */
static int cut_core(word *w, sloe_tegrastats_line *out) {
  double load, mhz = NAN;
  if (cut_text(w, "off")) {
    out->cpus++;
    return 1;
  }
  if (!cut_number(w, 0, &load) || !cut_text(w, "%")) return 0;
  if (cut_text(w, "@") && !cut_number(w, 0, &mhz)) return 0;
  out->cpu_load = (isnan(out->cpu_load) ? 0 : out->cpu_load) + load / 100;
  out->cpu_mhz_max = fmax(out->cpu_mhz_max, mhz);
  out->cpus++;
  out->cpus_online++;
  return 1;
}

static int read_cpus(reader *r, word name) {
  sloe_tegrastats_line *out = r->out;
  word w = peek(r);
  double mhz;
  if ((!is(name, "CPU") && !is(name, "cpu")) || out->cpus || !cut_text(&w, "[")) return 0;
  do
    if (!cut_core(&w, out)) break;
  while (cut_text(&w, ","));
  if (out->cpus_online) out->cpu_load /= out->cpus_online;
  if (!cut_text(&w, "]")) skip_unknown(r, peek(r)); /* what was read until there stands */
  if (cut_text(&w, "@") && cut_number(&w, 0, &mhz)) out->cpu_mhz_max = mhz;
  take(r);
  return 1;
}

/* "114", "[305]", "[1574,1574,1574]": the fastest */
static int cut_clocks(word *w, double *mhz) {
  if (!cut_text(w, "[")) return cut_number(w, 0, mhz);
  double one;
  *mhz = NAN;
  do {
    if (!cut_number(w, 0, &one)) return 0;
    *mhz = fmax(*mhz, one);
  } while (cut_text(w, ","));
  return cut_text(w, "]");
}

/* "0%@[114]", "99%", "@4266", "off", "716" */
static int read_load(word w, double *load, double *mhz) {
  double number;
  *load = *mhz = NAN;
  if (is(w, "off")) return 1;
  if (cut_text(&w, "@")) return cut_clocks(&w, mhz) && !w.len;
  if (!cut_number(&w, 0, &number)) return 0;
  if (!w.len) {
    *mhz = number;
    return 1;
  }
  if (!cut_text(&w, "%")) return 0;
  *load = number / 100;
  return !w.len || (cut_text(&w, "@") && cut_clocks(&w, mhz) && !w.len);
}

/* The GPU, the memory, and engines that nothing is kept of. */
static int read_engine(reader *r, word name) {
  sloe_tegrastats_line *out = r->out;
  double load, mhz;
  if (!read_load(peek(r), &load, &mhz)) return 0;
  take(r);
  if (is(name, "GR3D_FREQ") || is(name, "GR3D")) {
    out->gpu_load = load;
    out->gpu_mhz = fmax(out->gpu_mhz, mhz);
  } else if (is(name, "GR3D2_FREQ")) {
    out->gpu_mhz = fmax(out->gpu_mhz, mhz);
  } else if (is(name, "EMC_FREQ") || is(name, "EMC")) {
    out->emc_load = load;
    out->emc_mhz = mhz;
  }
  return 1;
}

static int read_mts(reader *r, word name) {
  if (!is(name, "MTS") || !is(peek(r), "fg")) return 0;
  for (int i = 0; i < 4 && peek(r).len; i++) take(r);
  return 1;
}

/* ---- temperatures and rails ---- */

/* "cpu@58.25C/61.75C" */
static int read_sensor(reader *r, word w) {
  const char *sign = memchr(w.s, '@', w.len);
  double now, since;
  if (!sign || sign == w.s) return 0;
  const word name = {w.s, (size_t)(sign - w.s)};
  word rest = {sign + 1, w.len - name.len - 1};
  if (!cut_number(&rest, 1, &now) || !cut_text(&rest, "C")) return 0;
  if (cut_text(&rest, "/") && (!cut_number(&rest, 1, &since) || !cut_text(&rest, "C"))) return 0;
  if (rest.len || fabs(now) > MOST_C) return 0;
  add(r->out->sensor, &r->out->n_sensors, SLOE_TEGRASTATS_SENSORS, name, now);
  return 1;
}

static int cut_mw(word *w, double *mw) {
  if (!cut_number(w, 0, mw)) return 0;
  cut_text(w, "mW");
  return 1;
}

/* "6235/6235", "4361mW/4361mW/4361mW" */
static int read_rail(reader *r, word name) {
  word w = peek(r);
  double now, mean, peak;
  if (!cut_mw(&w, &now) || !cut_text(&w, "/") || !cut_mw(&w, &mean)) return 0;
  if (cut_text(&w, "/") && !cut_mw(&w, &peak)) return 0;
  if (w.len || now > MOST_MW) return 0;
  take(r);
  add(r->out->rail, &r->out->n_rails, SLOE_TEGRASTATS_RAILS, name, now / 1e3);
  return 1;
}

/* ---- lines ---- */

static void read_field(reader *r) {
  const word name = take(r);
  if (read_memory(r, name) || read_cpus(r, name) || read_mts(r, name) || read_sensor(r, name))
    return;
  if (read_rail(r, name) || read_engine(r, name)) return;
  /* without root some versions leave load and clock out altogether */
  if (!is(name, "EMC_FREQ") && !is(name, "GR3D_FREQ") && !is(name, "EMC") && !is(name, "GR3D"))
    skip_unknown(r, name);
}

int sloe_tegrastats_parse(const char *text, size_t len, sloe_tegrastats_line *out) {
  reader r = {text, text + len, out};
  *out = (sloe_tegrastats_line){.at_s = NAN,
                                .ram_mib = NAN,
                                .ram_total_mib = NAN,
                                .swap_mib = NAN,
                                .cpu_load = NAN,
                                .cpu_mhz_max = NAN,
                                .emc_load = NAN,
                                .emc_mhz = NAN,
                                .gpu_load = NAN,
                                .gpu_mhz = NAN};
  read_date(&r);
  while (peek(&r).len) read_field(&r);
  return !isnan(out->ram_mib) && out->ram_total_mib > 0 && out->cpus > 0;
}
