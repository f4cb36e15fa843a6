/* clones.h: a function compiled also for processors that came after the first x86-64, the widest
 * that is there taken when the library is loaded. Elsewhere, and under sanitizers (which are not
 * ready that early), it is compiled once.
 */
#ifndef SLOE_BASE_CLONES_H
#define SLOE_BASE_CLONES_H

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define SLOE_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOE_SANITIZED
#endif

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(SLOE_SANITIZED)
#define SLOE_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SLOE_CLONES
#endif

/* What such a function calls must become part of it: alone it is compiled once. */
#ifdef __GNUC__
#define SLOE_PART_OF_CLONES __attribute__((always_inline)) static inline
#else
#define SLOE_PART_OF_CLONES static inline
#endif

#endif
