// The smallest honest HTTP/1.1 server: one thread, epoll, keep-alive. GET is answered with "ok", POST with its own body.
// What it costs is what the kernel and the loopback cost; the yardstick that no server in Python can pass.
//
// usage: floor PORT
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define FIRST_BUFFER 65536
#define ANSWER_HEAD 256

typedef struct {
    int fd;
    char *in, *out;
    size_t in_size, in_room, out_size, out_room, out_sent;
} connection;

static int poll_fd;

static void watch(connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(poll_fd, operation, c->fd, &event);
}

static void end(connection *c) {
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->in_room = FIRST_BUFFER;
        c->in = malloc(c->in_room);
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

// 1: all sent, 0: the rest later, -1: the peer is gone.
static int flush(connection *c) {
    while (c->out_sent < c->out_size) {
        ssize_t count = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN ? 0 : -1;
        c->out_sent += (size_t)count;
    }
    c->out_size = c->out_sent = 0;
    return 1;
}

// Moves one complete request from `in` to its answer in `out`; 0 when there is none yet.
static int answer(connection *c) {
    char *head_end = memmem(c->in, c->in_size, "\r\n\r\n", 4);
    if (!head_end) return 0;
    *head_end = 0;
    const char *field = strcasestr(c->in, "\r\ncontent-length:");
    size_t body_size = field ? strtoul(field + 17, NULL, 10) : 0, head_size = (size_t)(head_end + 4 - c->in);
    *head_end = '\r';
    size_t whole = head_size + body_size;
    if (c->in_size < whole) {
        if (c->in_room < whole) c->in = realloc(c->in, c->in_room = whole);
        return 0;
    }
    int is_get = c->in[0] == 'G';
    const char *body = is_get ? "ok" : c->in + head_size;
    size_t answer_size = is_get ? 2 : body_size;
    if (c->out_room < answer_size + ANSWER_HEAD) c->out = realloc(c->out, c->out_room = answer_size + ANSWER_HEAD);
    int head = snprintf(c->out, ANSWER_HEAD,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                        answer_size);
    memcpy(c->out + head, body, answer_size);
    c->out_size = (size_t)head + answer_size;
    memmove(c->in, c->in + whole, c->in_size - whole);
    c->in_size -= whole;
    return 1;
}

// 0 when the connection has ended.
static int serve(connection *c) {
    if (c->out_size) {
        int flushed = flush(c);
        if (flushed <= 0) return flushed == 0;
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    }
    for (;;) {
        if (c->in_size == c->in_room) c->in = realloc(c->in, c->in_room *= 2);
        size_t room = c->in_room - c->in_size;
        ssize_t count = recv(c->fd, c->in + c->in_size, room, 0);
        if (count == 0) return 0;
        if (count < 0) return errno == EAGAIN;
        c->in_size += (size_t)count;
        if (answer(c)) {
            int flushed = flush(c);
            if (flushed < 0) return 0;
            if (flushed == 0) {
                watch(c, EPOLL_CTL_MOD, EPOLLOUT);
                return 1;
            }
        }
        if ((size_t)count < room) return 1;
    }
}

int main(int count, char **arguments) {
    int port = count > 1 ? atoi(arguments[1]) : 8080, on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
        perror("floor");
        return 1;
    }
    poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            connection *c = events[i].data.ptr;
            if (!c) accept_all(listener);
            else if (!serve(c)) end(c);
        }
    }
}
