/* zoo_inception_v3.c: as torchvision has it, without the auxiliary classifier. The blocks' letters
 * are torchvision's. */
#include "zoo/zoo_inception.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

static map conv(builder *b, map x, int64_t k, int64_t kernel) {
  return sloe_zoo_add_cbr(b, x, k, kernel);
}

static map row7(builder *b, map x, int64_t k) {
  return sloe_zoo_add_cbr_of(b, x, k, 1, 7);
}

static map column7(builder *b, map x, int64_t k) {
  return sloe_zoo_add_cbr_of(b, x, k, 7, 1);
}

static map pooled(builder *b, map x, int64_t k) {
  return conv(b, sloe_zoo_add_pool(b, x, SLOE_OP_AVERAGE_POOL, 3, 1, 1), k, 1);
}

static map stem(builder *b, map x) {
  x = sloe_zoo_add_cbr_inside(b, x, 32, 2);
  x = sloe_zoo_add_cbr_inside(b, x, 32, 1);
  x = sloe_zoo_add_pool_inside(b, conv(b, x, 64, 3));
  x = sloe_zoo_add_cbr_inside(b, conv(b, x, 80, 1), 192, 1);
  return sloe_zoo_add_pool_inside(b, x);
}

static map block_a(builder *b, map x, int64_t behind_pool) {
  const map one = conv(b, x, 64, 1);
  const map five = conv(b, conv(b, x, 48, 1), 64, 5);
  const map three = conv(b, conv(b, conv(b, x, 64, 1), 96, 3), 96, 3);
  return sloe_zoo_add_concat(b, (map[]){one, five, three, pooled(b, x, behind_pool)}, 4);
}

static map block_b(builder *b, map x) {
  const map three = sloe_zoo_add_cbr_inside(b, x, 384, 2);
  const map twice = sloe_zoo_add_cbr_inside(b, conv(b, conv(b, x, 64, 1), 96, 3), 96, 2);
  return sloe_zoo_add_concat(b, (map[]){three, twice, sloe_zoo_add_pool_inside(b, x)}, 3);
}

static map block_c(builder *b, map x, int64_t k) {
  const map one = conv(b, x, 192, 1);
  const map seven = column7(b, row7(b, conv(b, x, k, 1), k), 192);
  map twice = row7(b, column7(b, conv(b, x, k, 1), k), k);
  twice = row7(b, column7(b, twice, k), 192);
  return sloe_zoo_add_concat(b, (map[]){one, seven, twice, pooled(b, x, 192)}, 4);
}

static map block_d(builder *b, map x) {
  const map three = sloe_zoo_add_cbr_inside(b, conv(b, x, 192, 1), 320, 2);
  map seven = column7(b, row7(b, conv(b, x, 192, 1), 192), 192);
  seven = sloe_zoo_add_cbr_inside(b, seven, 192, 2);
  return sloe_zoo_add_concat(b, (map[]){three, seven, sloe_zoo_add_pool_inside(b, x)}, 3);
}

/* A row and a column of the same map. */
static void cross(builder *b, map x, map out[2]) {
  out[0] = sloe_zoo_add_cbr_of(b, x, 384, 1, 3);
  out[1] = sloe_zoo_add_cbr_of(b, x, 384, 3, 1);
}

static map block_e(builder *b, map x) {
  map parts[6];
  parts[0] = conv(b, x, 320, 1);
  cross(b, conv(b, x, 384, 1), parts + 1);
  cross(b, conv(b, conv(b, x, 448, 1), 384, 3), parts + 3);
  parts[5] = pooled(b, x, 192);
  return sloe_zoo_add_concat(b, parts, 6);
}

sloe_status sloe_zoo_put_inception_v3(builder *b, map x, int64_t classes) {
  static const int64_t behind_pool[] = {32, 64, 64}, sevens[] = {128, 160, 160, 192};
  x = stem(b, x);
  for (int i = 0; i < 3; i++) x = block_a(b, x, behind_pool[i]);
  x = block_b(b, x);
  for (int i = 0; i < 4; i++) x = block_c(b, x, sevens[i]);
  x = block_d(b, x);
  x = block_e(b, block_e(b, x));
  return sloe_zoo_end_mean_fc(b, x, classes);
}
