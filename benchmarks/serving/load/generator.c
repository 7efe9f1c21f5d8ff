// An HTTP/1.1 load on 127.0.0.1: one thread, epoll, keep-alive; prints one line of JSON.
//
// Closed loop (no -r): each connection sends its next request when it has its answer.
// Open loop (-r RATE): requests start at a constant pace and their time counts from when they should have started, so a
// server that stalls is charged for everybody who waited.
//
// usage: generator -p PORT [-c CONNECTIONS] [-s SECONDS] [-w WARM_UP_SECONDS] [-m METHOD] [-u PATH] [-t CONTENT_TYPE]
//                  [-a ACCEPT] [-b BODY_FILE] [-l ANSWER_BYTES] [-r RATE] [-n] [-T TIMEOUT_SECONDS]
//   -l  an answer of another length is broken   -n  a new connection for each request
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

#define HEAD_LIMIT 16384
#define EVENTS 512
#define LOOK_ROUND_NS 50000000 // at the latest after this, overdue answers and the end are looked for

// ---- times: microseconds in a histogram with 64 steps for each power of two, so no figure is off by more than 1.6 %

#define BUCKETS 3072
typedef struct {
    uint64_t count, sum, worst, buckets[BUCKETS];
} histogram;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void record(histogram *h, uint64_t ns) {
    uint64_t us = ns / 1000, bucket = us;
    if (us >= 64) {
        int power = 63 - __builtin_clzll(us);
        bucket = (uint64_t)(power - 5) * 64 + ((us >> (power - 6)) & 63);
    }
    h->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    h->count++;
    h->sum += us;
    if (us > h->worst) h->worst = us;
}

static double quantile_ms(const histogram *h, double share) {
    uint64_t wanted = (uint64_t)ceil((double)h->count * share), seen = 0;
    for (uint64_t i = 0; i < BUCKETS && h->count; i++) {
        seen += h->buckets[i];
        if (seen < wanted || !seen) continue;
        if (i < 64) return (double)i / 1000;
        uint64_t step = 1ull << (i / 64 - 1);
        double middle = (double)((64 + i % 64) * step) + (double)step / 2;
        return (middle < (double)h->worst ? middle : (double)h->worst) / 1000;
    }
    return 0;
}

// ---- what is asked and what came back

static const char *method = "GET", *path = "/ping", *content_type = "application/octet-stream", *accepted, *body_file;
static int port, connections = 1, fresh_connections;
static double seconds = 1, warm_up_s = 0.25, rate, timeout_s = 30;
static long long expected = -1;

static char *request;
static size_t request_size;
static histogram latency, first_byte;
static uint64_t good, not_200, broken, timeouts, chunks, answered_bytes;
static uint64_t measure_from, measure_until, next_start;

// ---- connections

enum state { RESTING, CONNECTING, SENDING, HEAD, SIZED_BODY, CHUNKED_BODY };
enum chunk_state { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_BYTES, CHUNK_END, TRAILER };
typedef struct {
    int fd, status, closes;
    enum state state;
    enum chunk_state chunk_state;
    size_t sent, head_size;
    long long left, body_size, line;
    uint64_t started, first;
    char head[HEAD_LIMIT];
} connection;

static int poll_fd;
static connection **resting;
static int resting_count;

static void begin(connection *c, uint64_t at);

static void watch(connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(poll_fd, operation, c->fd, &event);
}

static void hang_up(connection *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static void rest(connection *c) {
    c->state = RESTING;
    resting[resting_count++] = c;
}

static void proceed(connection *c) {
    uint64_t t = now();
    if (rate <= 0 && t < measure_until) {
        begin(c, t);
    } else if (rate > 0 && next_start <= t && next_start < measure_until) {
        uint64_t due = next_start;
        next_start += (uint64_t)(1e9 / rate);
        begin(c, due);
    } else {
        rest(c);
    }
}

static int is_measured(const connection *c) {
    uint64_t t = now();
    return rate > 0 ? c->started >= measure_from && c->started < measure_until : t >= measure_from && t < measure_until;
}

static void fail(connection *c, uint64_t *counter) {
    hang_up(c);
    if (c->state == RESTING) return;
    if (is_measured(c)) ++*counter;
    if (rate <= 0) usleep(1000); // a server that refuses is asked again, not hammered
    proceed(c);
}

static void complete(connection *c) {
    if (expected >= 0 && c->status == 200 && c->body_size != expected) {
        fail(c, &broken);
        return;
    }
    if (is_measured(c)) {
        if (c->status == 200) {
            good++;
            record(&latency, now() - c->started);
            record(&first_byte, c->first - c->started);
        } else {
            not_200++;
        }
    }
    if (c->closes || fresh_connections) hang_up(c);
    proceed(c);
}

static void send_rest(connection *c) {
    while (c->sent < request_size) {
        ssize_t count = send(c->fd, request + c->sent, request_size - c->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLOUT | EPOLLIN);
            return;
        }
        if (count < 0) {
            fail(c, &broken);
            return;
        }
        c->sent += (size_t)count;
    }
    c->state = HEAD;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void begin(connection *c, uint64_t at) {
    c->started = at;
    c->first = c->sent = c->head_size = 0;
    c->body_size = 0;
    c->closes = 0;
    if (c->fd >= 0) {
        c->state = SENDING;
        send_rest(c);
        return;
    }
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->state = CONNECTING;
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        if (is_measured(c)) broken++;
        hang_up(c);
        rest(c);
        return;
    }
    watch(c, EPOLL_CTL_ADD, EPOLLOUT | EPOLLIN);
}

// 1 when the last chunk and its trailer were read.
static int read_chunks(connection *c, const char *bytes, size_t size) {
    for (size_t i = 0; i < size;) {
        char byte = bytes[i];
        if (c->chunk_state == CHUNK_BYTES) {
            long long count = (long long)(size - i) < c->left ? (long long)(size - i) : c->left;
            i += (size_t)count;
            c->left -= count;
            c->body_size += count;
            if (!c->left) c->chunk_state = CHUNK_END;
            continue;
        }
        i++;
        int is_end = byte == '\n';
        if (c->chunk_state == CHUNK_SIZE || c->chunk_state == CHUNK_EXTENSION) {
            int low = byte | 32;
            int digit = byte >= '0' && byte <= '9' ? byte - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
            if (is_end) {
                c->line = 0;
                c->chunk_state = c->left ? CHUNK_BYTES : TRAILER;
                if (c->left && is_measured(c)) chunks++;
            } else if (c->chunk_state == CHUNK_SIZE && digit >= 0) {
                c->left = c->left * 16 + digit;
            } else {
                c->chunk_state = CHUNK_EXTENSION;
            }
        } else if (c->chunk_state == CHUNK_END && is_end) {
            c->chunk_state = CHUNK_SIZE;
            c->left = 0;
        } else if (c->chunk_state == TRAILER && is_end) {
            if (!c->line) return 1;
            c->line = 0;
        } else if (c->chunk_state == TRAILER && byte != '\r') {
            c->line++;
        }
    }
    return 0;
}

// The bytes of the head among these; -1 when there is no end of a head in sight of the limit.
static ssize_t read_head(connection *c, const char *bytes, size_t size) {
    size_t room = HEAD_LIMIT - 1 - c->head_size, taken = size < room ? size : room, before = c->head_size;
    memcpy(c->head + before, bytes, taken);
    c->head_size += taken;
    c->head[c->head_size] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return taken < size ? -1 : (ssize_t)size;
    *end = 0;
    c->status = c->head_size > 12 ? atoi(c->head + 9) : 0;
    c->closes = strcasestr(c->head, "\r\nconnection: close") != NULL;
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    if (strcasestr(c->head, "\r\ntransfer-encoding: chunked")) {
        c->state = CHUNKED_BODY;
        c->chunk_state = CHUNK_SIZE;
        c->left = 0;
    } else {
        c->state = SIZED_BODY;
        c->left = length ? atoll(length + 17) : 0;
    }
    return end + 4 - c->head - (ssize_t)before;
}

// 1 when the answer is complete, -1 when it is broken.
static int take(connection *c, const char *bytes, size_t size) {
    if (c->state == HEAD) {
        ssize_t used = read_head(c, bytes, size);
        if (used < 0) return -1;
        bytes += used;
        size -= (size_t)used;
    }
    if (c->state == SIZED_BODY) {
        long long count = (long long)size < c->left ? (long long)size : c->left;
        c->left -= count;
        c->body_size += count;
        return c->left == 0;
    }
    return c->state == CHUNKED_BODY && size ? read_chunks(c, bytes, size) : 0;
}

static void receive(connection *c) {
    static char buffer[1 << 18];
    for (;;) {
        ssize_t count = recv(c->fd, buffer, sizeof buffer, 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0 || c->state < HEAD) {
            fail(c, &broken); // closed, or an answer before the request was sent
            return;
        }
        if (!c->first) c->first = now();
        if (is_measured(c)) answered_bytes += (uint64_t)count;
        int done = take(c, buffer, (size_t)count);
        if (done) {
            if (done > 0) complete(c);
            else fail(c, &broken);
            return;
        }
        if ((size_t)count < sizeof buffer) return;
    }
}

static void on_event(connection *c, uint32_t events) {
    if (c->fd < 0) return;
    if (c->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP)) {
            fail(c, &broken);
            return;
        }
        c->state = SENDING;
    }
    if (c->state == SENDING && (events & EPOLLOUT)) send_rest(c);
    else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) receive(c);
}

// ---- the run

static void build_request(void) {
    char *body = NULL;
    size_t body_size = 0;
    if (body_file) {
        FILE *file = fopen(body_file, "rb");
        if (!file) {
            perror(body_file);
            exit(2);
        }
        fseek(file, 0, SEEK_END);
        body_size = (size_t)ftell(file);
        rewind(file);
        body = malloc(body_size + 1);
        if (fread(body, 1, body_size, file) != body_size) exit(2);
        fclose(file);
    }
    request = malloc(body_size + HEAD_LIMIT);
    int size = snprintf(request, HEAD_LIMIT, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", method, path, port);
    if (accepted) size += snprintf(request + size, HEAD_LIMIT - (size_t)size, "Accept: %s\r\n", accepted);
    if (fresh_connections) size += snprintf(request + size, HEAD_LIMIT - (size_t)size, "Connection: close\r\n");
    if (body_file)
        size += snprintf(request + size, HEAD_LIMIT - (size_t)size, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                         content_type, body_size);
    size += snprintf(request + size, HEAD_LIMIT - (size_t)size, "\r\n");
    if (body_size) memcpy(request + size, body, body_size);
    request_size = (size_t)size + body_size;
    free(body);
}

static void end_overdue(connection *all) {
    uint64_t t = now();
    for (int i = 0; i < connections; i++) {
        connection *c = &all[i];
        if (c->state != RESTING && t > c->started && (double)(t - c->started) > timeout_s * 1e9) fail(c, &timeouts);
    }
}

static void run(connection *all) {
    struct epoll_event events[EVENTS];
    uint64_t checked = now(), hard_end = measure_until + (uint64_t)((rate > 0 ? timeout_s : 5) * 1e9);
    for (;;) {
        uint64_t t = now();
        if (t >= hard_end || (t >= measure_until && (resting_count >= connections || rate <= 0))) return;
        uint64_t wait = LOOK_ROUND_NS;
        if (rate > 0 && resting_count && t < measure_until && next_start < t + wait) {
            wait = next_start > t ? next_start - t : 0;
        }
        struct timespec longest = {.tv_nsec = (long)wait};
        int count = epoll_pwait2(poll_fd, events, EVENTS, &longest, NULL);
        for (int i = 0; i < count; i++) on_event(events[i].data.ptr, events[i].events);
        t = now();
        while (resting_count && t < measure_until && (rate <= 0 || next_start <= t)) proceed(resting[--resting_count]);
        if (t - checked > 200000000) {
            checked = t;
            end_overdue(all);
        }
    }
}

static void print_result(void) {
    double mean = latency.count ? (double)latency.sum / (double)latency.count / 1000 : 0;
    printf("{\"requests_per_s\": %.1f, \"mean_ms\": %.4f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"p999_ms\": %.4f, "
           "\"worst_ms\": %.3f, \"first_byte_p50_ms\": %.4f, \"first_byte_p99_ms\": %.4f, \"chunks_per_answer\": %.2f, "
           "\"megabytes_per_s\": %.3f, \"good\": %llu, \"not_200\": %llu, \"broken\": %llu, \"timeouts\": %llu}\n",
           (double)good / seconds, mean, quantile_ms(&latency, .5), quantile_ms(&latency, .99),
           quantile_ms(&latency, .999), (double)latency.worst / 1000, quantile_ms(&first_byte, .5),
           quantile_ms(&first_byte, .99), good ? (double)chunks / (double)good : 0,
           (double)answered_bytes / seconds / 1e6, (unsigned long long)good, (unsigned long long)not_200,
           (unsigned long long)broken, (unsigned long long)timeouts);
}

static void read_arguments(int count, char **arguments) {
    int option;
    while ((option = getopt(count, arguments, "p:c:s:w:m:u:t:a:b:l:r:nT:")) != -1) switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'c': connections = atoi(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'w': warm_up_s = atof(optarg); break;
        case 'm': method = optarg; break;
        case 'u': path = optarg; break;
        case 't': content_type = optarg; break;
        case 'a': accepted = optarg; break;
        case 'b': body_file = optarg; break;
        case 'l': expected = atoll(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 'n': fresh_connections = 1; break;
        case 'T': timeout_s = atof(optarg); break;
        default: exit(2);
        }
    if (port <= 0 || connections <= 0 || seconds <= 0 || seconds > 600) exit(2);
}

int main(int count, char **arguments) {
    read_arguments(count, arguments);
    build_request();
    poll_fd = epoll_create1(0);
    connection *all = calloc((size_t)connections, sizeof *all);
    resting = calloc((size_t)connections, sizeof *resting);
    measure_from = now() + (uint64_t)(warm_up_s * 1e9);
    measure_until = measure_from + (uint64_t)(seconds * 1e9);
    next_start = now();
    prctl(PR_SET_TIMERSLACK, 1); // an open loop starts its requests to the microsecond
    for (int i = 0; i < connections; i++) {
        all[i].fd = -1;
        rest(&all[i]);
    }
    run(all);
    print_result();
    return 0;
}
