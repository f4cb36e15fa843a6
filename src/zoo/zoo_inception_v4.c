/* zoo_inception_v4.c: as timm has it; the blocks as in the paper's figures 3 to 9. */
#include "zoo/zoo_inception.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

static map conv(builder *b, map x, int64_t k, int64_t kernel) {
  return sloe_zoo_add_cbr(b, x, k, kernel);
}

static map row(builder *b, map x, int64_t k, int64_t size) {
  return sloe_zoo_add_cbr_of(b, x, k, 1, size);
}

static map column(builder *b, map x, int64_t k, int64_t size) {
  return sloe_zoo_add_cbr_of(b, x, k, size, 1);
}

static map pooled(builder *b, map x, int64_t k) {
  return conv(b, sloe_zoo_add_pool(b, x, SLOE_OP_AVERAGE_POOL, 3, 1, 1), k, 1);
}

static map stem(builder *b, map x) {
  x = sloe_zoo_add_cbr_inside(b, x, 32, 2);
  x = sloe_zoo_add_cbr_inside(b, x, 32, 1);
  x = conv(b, x, 64, 3);
  const map pool = sloe_zoo_add_pool_inside(b, x);
  x = sloe_zoo_add_concat(b, (map[]){pool, sloe_zoo_add_cbr_inside(b, x, 96, 2)}, 2);
  const map three = sloe_zoo_add_cbr_inside(b, conv(b, x, 64, 1), 96, 1);
  const map seven = column(b, row(b, conv(b, x, 64, 1), 64, 7), 64, 7);
  x = sloe_zoo_add_concat(b, (map[]){three, sloe_zoo_add_cbr_inside(b, seven, 96, 1)}, 2);
  const map halved = sloe_zoo_add_cbr_inside(b, x, 192, 2);
  return sloe_zoo_add_concat(b, (map[]){halved, sloe_zoo_add_pool_inside(b, x)}, 2);
}

static map block_a(builder *b, map x) {
  const map one = conv(b, x, 96, 1);
  const map three = conv(b, conv(b, x, 64, 1), 96, 3);
  const map twice = conv(b, conv(b, conv(b, x, 64, 1), 96, 3), 96, 3);
  return sloe_zoo_add_concat(b, (map[]){one, three, twice, pooled(b, x, 96)}, 4);
}

static map reduction_a(builder *b, map x) {
  const map three = sloe_zoo_add_cbr_inside(b, x, 384, 2);
  const map twice = sloe_zoo_add_cbr_inside(b, conv(b, conv(b, x, 192, 1), 224, 3), 256, 2);
  return sloe_zoo_add_concat(b, (map[]){three, twice, sloe_zoo_add_pool_inside(b, x)}, 3);
}

static map block_b(builder *b, map x) {
  const map one = conv(b, x, 384, 1);
  const map seven = column(b, row(b, conv(b, x, 192, 1), 224, 7), 256, 7);
  map twice = row(b, column(b, conv(b, x, 192, 1), 192, 7), 224, 7);
  twice = row(b, column(b, twice, 224, 7), 256, 7);
  return sloe_zoo_add_concat(b, (map[]){one, seven, twice, pooled(b, x, 128)}, 4);
}

static map reduction_b(builder *b, map x) {
  const map three = sloe_zoo_add_cbr_inside(b, conv(b, x, 192, 1), 192, 2);
  const map seven = column(b, row(b, conv(b, x, 256, 1), 256, 7), 320, 7);
  const map halved = sloe_zoo_add_cbr_inside(b, seven, 320, 2);
  return sloe_zoo_add_concat(b, (map[]){three, halved, sloe_zoo_add_pool_inside(b, x)}, 3);
}

/* A row and a column of the same map. */
static void cross(builder *b, map x, map out[2]) {
  out[0] = row(b, x, 256, 3);
  out[1] = column(b, x, 256, 3);
}

static map block_c(builder *b, map x) {
  map parts[6];
  parts[0] = conv(b, x, 256, 1);
  cross(b, conv(b, x, 384, 1), parts + 1);
  cross(b, row(b, column(b, conv(b, x, 384, 1), 448, 3), 512, 3), parts + 3);
  parts[5] = pooled(b, x, 256);
  return sloe_zoo_add_concat(b, parts, 6);
}

sloe_status sloe_zoo_put_inception_v4(builder *b, map x, int64_t classes) {
  x = stem(b, x);
  for (int i = 0; i < 4; i++) x = block_a(b, x);
  x = reduction_a(b, x);
  for (int i = 0; i < 7; i++) x = block_b(b, x);
  x = reduction_b(b, x);
  for (int i = 0; i < 3; i++) x = block_c(b, x);
  return sloe_zoo_end_mean_fc(b, x, classes);
}
