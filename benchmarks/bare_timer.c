/* How late this machine wakes a program that does nothing but wait for evenly spaced moments.
 *
 *   bare_timer RATE SECONDS   prints the 99th percentile of lateness in nanoseconds
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define NS_PER_S 1000000000LL

static int ascending(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    long long rate = atoll(words[1]), total = rate * atoll(words[2]);
    if (rate < 1 || total < 1) return 2;
    long long *late = calloc((size_t)total, sizeof *late);
    if (late == NULL) return 1;
    prctl(PR_SET_TIMERSLACK, 1);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long begin = now.tv_sec * NS_PER_S + now.tv_nsec;
    for (long long i = 0; i < total; i++) {
        long long due = begin + (i + 1) * NS_PER_S / rate;
        struct timespec until = {.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
        late[i] = now.tv_sec * NS_PER_S + now.tv_nsec - due;
    }
    qsort(late, (size_t)total, sizeof *late, ascending);
    printf("%lld\n", late[total * 99 / 100]);
    free(late);
    return 0;
}
