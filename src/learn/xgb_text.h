/* xgb_text.h: from XGBoost's text of a tree to nodes. Private to learn/.
 *
 * XGBoost goes left where x < threshold, sloe_tree_node where x <= threshold: the threshold becomes
 * the float below it. Nodes are numbered anew, so that siblings stand side by side.
 */
#ifndef SLOE_LEARN_XGB_TEXT_H
#define SLOE_LEARN_XGB_TEXT_H

#include "learn/learn.h"

/* Fills kind and trees of *m, factor 1, base 0, from n texts, a tree each. Errors: FORMAT (not the
   text that is known), NOMEM. */
sloe_status sloe_xgb_read_trees(const char *const *text, size_t n, sloe_learned *m,
                                sloe_error *err);

#endif
