/* trt_parts.h: what the files that read trtexec's output share. Private to device/trtexec/. */
#ifndef SLOE_DEVICE_TRTEXEC_TRT_PARTS_H
#define SLOE_DEVICE_TRTEXEC_TRT_PARTS_H

#include "base/arena.h"
#include "device/trtexec/trtexec_log.h"

/* A piece of the file. Takes: reads what stands at its begin and moves behind it, 0 and as before
   where something else stands there. */
typedef struct sloe_trt_span {
  const char *p, *end;
} sloe_trt_span;

sloe_trt_span sloe_trt_trim(sloe_trt_span s); /* without blanks at both ends */
int sloe_trt_take(sloe_trt_span *s, const char *word);
int sloe_trt_take_blank(sloe_trt_span *s); /* always 1 */
/* A number as C++ prints them, nan and inf too. */
int sloe_trt_take_number(sloe_trt_span *s, double *out);
int sloe_trt_take_int(sloe_trt_span *s, int64_t *out); /* digits, or -digits */
/* "1x3x224x224", "1,3,224,224" by `between`. */
int sloe_trt_take_shape(sloe_trt_span *s, char between, sloe_shape *out);
/* Where `word` begins in it; NULL: nowhere. */
const char *sloe_trt_find(sloe_trt_span s, const char *word);
int sloe_trt_is(sloe_trt_span s, const char *word); /* the whole of it */

/* What is read belongs to it; `failed` is looked at once, at the end. */
typedef struct sloe_trt_reader {
  sloe_trt_file file; /* first: a sloe_trt_file is freed as its reader */
  sloe_arena arena;
  int failed; /* the arena is full */
} sloe_trt_reader;

/* A copy with blanks trimmed; "" and `failed` when it cannot. NUL bytes are left out. */
const char *sloe_trt_keep(sloe_trt_reader *r, sloe_trt_span s);
/* Room for another element in a vector of the arena; 0 and `failed` when it cannot. */
int sloe_trt_room(sloe_trt_reader *r, void *data_ptr, size_t n, size_t *cap, size_t size);

/* A run that is being read. */
typedef enum sloe_trt_section { /* where lines of 7.x and tables belong to */
                                SLOE_TRT_IN_NONE,
                                SLOE_TRT_IN_HOST,
                                SLOE_TRT_IN_ENQUEUE,
                                SLOE_TRT_IN_GPU,
                                SLOE_TRT_IN_TABLE,      /* names first */
                                SLOE_TRT_IN_TABLE_LAST, /* names last */
                                SLOE_TRT_IN_OLD_TABLE,  /* of 5.x and 6.0 */
                                SLOE_TRT_IN_GPU_LIST,   /* 7.x: the next line lists the layers */
                                SLOE_TRT_IN_DLA_LIST
} sloe_trt_section;

typedef struct sloe_trt_open_run {
  sloe_trt_run run;
  sloe_trt_section section;
  int old_averages;                                /* of 5.x and 6.0: the only figures there are */
  int has_blocks, has_enqueue, has_transfers_line; /* by which 7.0, 7.1 and 7.2 are told apart */
  int has_place; /* it says where or how it ran: a frame, an option, a device, a trace */
  int asked_export, asked_separate;
  int table_numbers; /* behind or before a name in a table */
  sloe_trt_profile profile;
  sloe_trt_layer_time *rows;
  size_t cap_rows, cap_bindings, cap_averages, cap_warnings, cap_errors, cap_gpu, cap_dla;
  sloe_trt_binding *bindings;
  sloe_trt_average *averages;
  const char **warnings, **errors, **gpu_layers, **dla_layers;
} sloe_trt_open_run;

/* Each looks at a line without its prefix and returns 1 where it is one of its own. */
int sloe_trt_read_option(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line);
int sloe_trt_read_build(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line);
int sloe_trt_read_summary(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line);
int sloe_trt_read_table(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line);

/* "trtexec --onnx=... --fp16" */
void sloe_trt_read_command(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span command);
/* The lowest that its options allow, "fp16"; "" where none is said. */
const char *sloe_trt_asked_precision(sloe_trt_span command);
void sloe_trt_figures_forget(sloe_trt_figures *f);

/* The whole of a log, or of JSON, into r->file. Errors: FORMAT, NOMEM. */
sloe_status sloe_trt_read_log(sloe_trt_reader *r, sloe_trt_span bytes, sloe_error *err);
sloe_status sloe_trt_read_json(sloe_trt_reader *r, sloe_trt_span bytes, sloe_error *err);

#endif
