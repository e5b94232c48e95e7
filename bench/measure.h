// What the bench's C programs share: clocks, a histogram of times, tallies by code, and how they are told as JSON.
#ifndef MEASURE_H
#define MEASURE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S 1000000000LL

enum { SUB_BITS = 6, SUB = 1 << SUB_BITS, BUCKETS = (64 - SUB_BITS) * SUB, CODES = 16 };

// Counts of times in µs: a bucket is at most 1/64 of its value wide.
struct times {
    uint64_t count, most_us;
    uint64_t buckets[BUCKETS];
};

// How often each code came; beyond CODES different ones, the rest is counted under -1.
struct tally {
    int codes[CODES];
    uint64_t counts[CODES];
    int used;
};

static inline _Noreturn void stop(const char *sentence) {
    fprintf(stderr, "%s\n", sentence);
    exit(1);
}

static inline _Noreturn void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static inline double cpu_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

// As many descriptors as the system lets us have.
static inline void open_many(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static inline unsigned bucket_of(uint64_t us) {
    if (us < SUB) return (unsigned)us;
    unsigned shift = 63u - (unsigned)__builtin_clzll(us) - SUB_BITS;
    return (shift << SUB_BITS) + (unsigned)(us >> shift);
}

static inline uint64_t middle_of(unsigned bucket) {
    if (bucket < 2 * SUB) return bucket;
    unsigned shift = (bucket >> SUB_BITS) - 1;
    uint64_t least = ((uint64_t)(bucket & (SUB - 1)) | SUB) << shift;
    return least + (1ULL << shift) / 2;
}

static inline void note_time(struct times *times, int64_t ns) {
    uint64_t us = ns < 0 ? 0 : (uint64_t)ns / 1000;
    times->count++;
    times->buckets[bucket_of(us)]++;
    if (us > times->most_us) times->most_us = us;
}

// The time in ms below which `share` of them lie.
static inline double percentile_ms(const struct times *times, double share) {
    uint64_t rank = (uint64_t)((double)times->count * share), below = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        below += times->buckets[bucket];
        if (below > rank) {
            uint64_t us = middle_of(bucket);
            return (double)(us < times->most_us ? us : times->most_us) / 1e3;
        }
    }
    return (double)times->most_us / 1e3;
}

static inline void tell_times(const char *name, const struct times *times) {
    printf(",\"%s\":{\"count\":%llu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f}", name,
           (unsigned long long)times->count, percentile_ms(times, 0.5), percentile_ms(times, 0.9),
           percentile_ms(times, 0.99), (double)times->most_us / 1e3);
}

static inline void count_code(struct tally *tally, int code) {
    int at = 0;
    while (at < tally->used && tally->codes[at] != code) at++;
    if (at == tally->used) {
        if (tally->used < CODES) tally->used++;
        else at--, code = -1;
        tally->codes[at] = code;
    }
    tally->counts[at]++;
}

static inline void tell_tally(const char *name, const struct tally *tally) {
    printf(",\"%s\":{", name);
    for (int at = 0; at < tally->used; at++)
        printf("%s\"%d\":%llu", at ? "," : "", tally->codes[at], (unsigned long long)tally->counts[at]);
    printf("}");
}

#endif
