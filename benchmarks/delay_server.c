/* An HTTP/1.x server that answers every request after a fixed delay, and logs when.
 *
 * One thread, epoll, deadlines in a queue (the delay is the same for all, so it stays sorted),
 * waits with nanosecond grain. Loopback only. All times are CLOCK_MONOTONIC in nanoseconds, the
 * clock of the load generators, so a log of arrivals says when a request reached the wire.
 *
 * Prints its port, then obeys lines on stdin, each answered by one line on stdout:
 *   reset DELAY_US STALL_AFTER_MS STALL_MS   forget the log; once, STALL_AFTER_MS after the first
 *                                            request, do nothing at all for STALL_MS; -> ok
 *   log PATH                                 write pairs of int64 (arrived, answered; 0 if never)
 *                                            and forget them; -> how many
 * Ends when stdin does, so it never outlives who started it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 16384
#define MAX_REQUEST 8192
#define QUEUE (1u << 16) /* more than MAX_CONNECTIONS: one request in flight on each */
#define LOG_ENTRIES 4000000
#define NS_PER_S 1000000000LL
#define EVENTS_BETWEEN_ANSWERS 16 /* so that a crowd of arrivals delays no answer by much */

typedef struct {
    unsigned generation; /* of the descriptor: an answer never goes to its next owner */
    int length;
    char data[MAX_REQUEST + 1];
} connection;

typedef struct {
    int64_t due;
    int64_t entry;
    unsigned generation;
    int descriptor;
    int keep_alive;
} pending;

typedef struct {
    int64_t arrived;
    int64_t answered;
} entry;

static connection *connections[MAX_CONNECTIONS];
static pending queue[QUEUE];
static unsigned head, tail;
static entry *entries;
static int64_t entry_count, first_arrival;
static int64_t delay_ns = 20000000, stall_after_ns, stall_ns;
static int poller;
static char answer_keep[512], answer_close[512];
static int answer_keep_length, answer_close_length;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int fail(const char *what) {
    perror(what);
    return 1;
}

static void hang_up(int descriptor) {
    connections[descriptor]->generation++;
    close(descriptor);
}

static void answer_due(void) {
    int64_t now = now_ns();
    while (head != tail && queue[head % QUEUE].due <= now) {
        pending *next = &queue[head++ % QUEUE];
        if (connections[next->descriptor]->generation != next->generation) continue;
        const char *answer = next->keep_alive ? answer_keep : answer_close;
        int length = next->keep_alive ? answer_keep_length : answer_close_length;
        /* 200 bytes into an empty socket buffer: all or, after a reset, nothing. */
        if (send(next->descriptor, answer, length, MSG_NOSIGNAL) != length) continue;
        now = now_ns();
        if (next->entry < LOG_ENTRIES) entries[next->entry].answered = now;
        if (!next->keep_alive) shutdown(next->descriptor, SHUT_WR);
    }
}

static const char *header(const char *head_start, const char *head_end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = head_start; line < head_end;) {
        const char *end = memchr(line, '\n', head_end - line);
        if (!end) return NULL;
        line = end + 1;
        if ((size_t)(head_end - line) > length && line[length] == ':' &&
            !strncasecmp(line, name, length)) {
            line += length + 1;
            while (*line == ' ') line++;
            return line;
        }
    }
    return NULL;
}

static void request_arrived(int descriptor, const char *head_end) {
    connection *c = connections[descriptor];
    const char *line_end = memchr(c->data, '\r', head_end - c->data);
    int http_1_0 = line_end && line_end[-1] == '0';
    const char *wanted = header(c->data, head_end, "connection");
    int keep_alive = !http_1_0;
    if (wanted && !strncasecmp(wanted, "close", 5)) keep_alive = 0;
    if (wanted && !strncasecmp(wanted, "keep-alive", 10)) keep_alive = 1;
    int64_t now = now_ns();
    if (!first_arrival) first_arrival = now;
    if (entry_count < LOG_ENTRIES) entries[entry_count] = (entry){now, 0};
    queue[tail++ % QUEUE] =
        (pending){now + delay_ns, entry_count++, c->generation, descriptor, keep_alive};
}

static void take_in(int descriptor) {
    connection *c = connections[descriptor];
    ssize_t got = recv(descriptor, c->data + c->length, MAX_REQUEST - c->length, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) hang_up(descriptor);
        return;
    }
    c->length += got;
    c->data[c->length] = 0;
    for (;;) {
        char *head_end = memmem(c->data, c->length, "\r\n\r\n", 4);
        int whole = MAX_REQUEST + 1;
        if (head_end) {
            const char *body = header(c->data, head_end, "content-length");
            if (!header(c->data, head_end, "transfer-encoding")) /* none of the peers uses it */
                whole = head_end + 4 - c->data + (body ? atoi(body) : 0);
        } else if (c->length < MAX_REQUEST) {
            return;
        }
        if (whole > MAX_REQUEST || whole < 0) {
            hang_up(descriptor);
            return;
        }
        if (c->length < whole) return;
        request_arrived(descriptor, head_end);
        c->length -= whole;
        memmove(c->data, c->data + whole, c->length + 1);
        if (!c->length) return;
    }
}

static void welcome(int listener) {
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (descriptor >= MAX_CONNECTIONS) {
            close(descriptor);
            continue;
        }
        int one = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!connections[descriptor]) {
            connections[descriptor] = malloc(sizeof(connection));
            if (!connections[descriptor]) exit(fail("malloc"));
            connections[descriptor]->generation = 0;
        }
        connections[descriptor]->length = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
    }
}

static void forget(void) {
    /* The answers of an earlier load that are still due keep their deadline, not their entry. */
    for (unsigned i = head; i != tail; i++) queue[i % QUEUE].entry = LOG_ENTRIES;
    entry_count = first_arrival = 0;
}

static void obey(void) {
    char line[4096];
    long long delay_us, stall_after_ms, stall_ms;
    if (!fgets(line, sizeof line, stdin)) exit(0);
    line[strcspn(line, "\n")] = 0;
    if (sscanf(line, "reset %lld %lld %lld", &delay_us, &stall_after_ms, &stall_ms) == 3) {
        forget();
        delay_ns = delay_us * 1000;
        stall_after_ns = stall_after_ms * 1000000;
        stall_ns = stall_ms * 1000000;
        puts("ok");
    } else if (!strncmp(line, "log ", 4)) {
        FILE *file = fopen(line + 4, "wb");
        int64_t kept = entry_count < LOG_ENTRIES ? entry_count : LOG_ENTRIES;
        if (!file || fwrite(entries, sizeof(entry), kept, file) != (size_t)kept || fclose(file))
            exit(fail(line + 4));
        printf("%lld\n", (long long)entry_count);
        forget();
    } else {
        puts("what?");
    }
    fflush(stdout);
}

static struct timespec *until_next(struct timespec *timeout) {
    int64_t next = head != tail ? queue[head % QUEUE].due : INT64_MAX;
    if (stall_ns && first_arrival && first_arrival + stall_after_ns < next)
        next = first_arrival + stall_after_ns;
    if (next == INT64_MAX) return NULL;
    int64_t left = next - now_ns();
    if (left < 0) left = 0;
    *timeout = (struct timespec){left / NS_PER_S, left % NS_PER_S};
    return timeout;
}

static void stall_if_due(void) {
    if (!stall_ns || !first_arrival || now_ns() < first_arrival + stall_after_ns) return;
    struct timespec pause = {stall_ns / NS_PER_S, stall_ns % NS_PER_S};
    stall_ns = 0;
    nanosleep(&pause, NULL);
}

int main(void) {
    const char *body = "{\"status\":\"completed\",\"transaction_id\":\"0123456789abcdef\",\"ok\":true}";
    const char *format = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                         "Connection: %s\r\nContent-Length: %zu\r\n\r\n%s";
    answer_keep_length =
        snprintf(answer_keep, sizeof answer_keep, format, "keep-alive", strlen(body), body);
    answer_close_length =
        snprintf(answer_close, sizeof answer_close, format, "close", strlen(body), body);
    prctl(PR_SET_TIMERSLACK, 1);
    signal(SIGPIPE, SIG_IGN);
    entries = calloc(LOG_ENTRIES, sizeof(entry));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (!entries || bind(listener, (struct sockaddr *)&address, size) ||
        listen(listener, 4096) || getsockname(listener, (struct sockaddr *)&address, &size))
        return fail("delay_server");
    poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = STDIN_FILENO;
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event events[1024];
    for (;;) {
        struct timespec timeout;
        int count = epoll_pwait2(poller, events, 1024, until_next(&timeout), NULL);
        stall_if_due();
        for (int i = 0; i < count; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == listener) welcome(listener);
            else if (descriptor == STDIN_FILENO) obey();
            else take_in(descriptor);
            if (i % EVENTS_BETWEEN_ANSWERS == EVENTS_BETWEEN_ANSWERS - 1) answer_due();
        }
        answer_due();
    }
}
