/* Rows of numbers as CSV in, a prediction a row out: a thread for each connection, one request on each. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define MODEL "/opt/ml/model/weights.txt"
#define FEATURES 4
#define HEAD_LIMIT 65536
#define BODY_LIMIT (128L * 1024 * 1024)

static double weights[FEATURES], intercept;
static volatile sig_atomic_t stopping;
static int listener, at_work;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;

static void on_sigterm(int number)
{
    (void)number;
    stopping = 1;
    shutdown(listener, SHUT_RDWR);
}

static void send_all(int peer, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(peer, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        length -= sent;
    }
}

static void answer(int peer, const char *status, const char *type, const char *body, size_t length)
{
    char head[256];
    int written = snprintf(head, sizeof head,
                           "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                           status, type, length);
    send_all(peer, head, written);
    send_all(peer, body, length);
}

static void refuse(int peer, const char *status, const char *why)
{
    answer(peer, status, "text/plain", why, strlen(why));
}

/* The value of a header field, up to the end of its line; NULL when there is none. */
static char *field(char *head, const char *name)
{
    size_t length = strlen(name);
    for (char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return NULL;
}

static int is_csv(const char *type)
{
    return type == NULL || (strncasecmp(type, "text/csv", 8) == 0 && strchr("; \t\r", type[8]) != NULL);
}

static void predict(int peer, char *body, size_t length)
{
    char *out = malloc(length * 4 + 64), *end = out, *next = body;
    if (strlen(body) != length)
        next = body + length, *next = 'x'; /* a zero byte is no CSV */
    while (out != NULL && *next != '\0') {
        double sum = intercept;
        for (int i = 0; i < FEATURES; i++) {
            char *after;
            sum += weights[i] * strtod(next, &after);
            char expected = i < FEATURES - 1 ? ',' : '\n';
            if (after == next || (*after != expected && (*after != '\0' || expected != '\n'))) {
                free(out);
                refuse(peer, "400 Bad Request", "want rows of four numbers\n");
                return;
            }
            next = *after == '\0' ? after : after + 1;
        }
        end += sprintf(end, "%.6g\n", sum);
    }
    if (out == NULL)
        refuse(peer, "503 Service Unavailable", "no memory\n");
    else if (end == out)
        refuse(peer, "400 Bad Request", "no rows\n");
    else
        answer(peer, "200 OK", "text/csv", out, end - out);
    free(out);
}

/* Reads the body after what came with the head, and answers. */
static void invoke(int peer, char *head, char *rest, size_t there)
{
    char *length_field = field(head, "Content-Length"), *expectation = field(head, "Expect");
    if (length_field == NULL) {
        refuse(peer, "411 Length Required", "no Content-Length\n");
        return;
    }
    long length = strtol(length_field, NULL, 10);
    if (length < 0 || length > BODY_LIMIT) {
        refuse(peer, "413 Content Too Large", "too long\n");
        return;
    }
    if (expectation != NULL)
        send_all(peer, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    char *body = malloc(length + 1);
    if (body == NULL) {
        refuse(peer, "503 Service Unavailable", "no memory\n");
        return;
    }
    size_t read = there < (size_t)length ? there : (size_t)length;
    memcpy(body, rest, read);
    while (read < (size_t)length) {
        ssize_t more = recv(peer, body + read, length - read, 0);
        if (more <= 0) {
            free(body);
            return;
        }
        read += more;
    }
    body[length] = '\0';
    if (is_csv(field(head, "Content-Type")))
        predict(peer, body, length);
    else
        refuse(peer, "415 Unsupported Media Type", "want text/csv\n");
    free(body);
}

static void *serve(void *argument)
{
    int peer = (int)(long)argument;
    char head[HEAD_LIMIT + 1], *end = NULL;
    size_t length = 0;
    while (end == NULL && length < HEAD_LIMIT) {
        ssize_t more = recv(peer, head + length, HEAD_LIMIT - length, 0);
        if (more <= 0)
            break;
        length += more;
        head[length] = '\0';
        end = strstr(head, "\r\n\r\n");
    }
    if (end != NULL) {
        end[2] = '\0';
        if (strncmp(head, "GET /ping ", 10) == 0)
            answer(peer, "200 OK", "text/plain", "", 0);
        else if (strncmp(head, "POST /invocations ", 18) == 0)
            invoke(peer, head, end + 4, length - (end + 4 - head));
        else
            refuse(peer, "404 Not Found", "no such path\n");
    } else if (length > 0) {
        refuse(peer, "400 Bad Request", "no HTTP\n");
    }
    shutdown(peer, SHUT_WR);
    close(peer);
    pthread_mutex_lock(&lock);
    at_work--;
    pthread_cond_signal(&finished);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void load(void)
{
    FILE *file = fopen(MODEL, "r");
    if (file == NULL || fscanf(file, "%lf", &intercept) != 1) {
        fprintf(stderr, "cannot read " MODEL ": %s\n", strerror(errno));
        exit(1);
    }
    for (int i = 0; i < FEATURES; i++)
        if (fscanf(file, "%lf", &weights[i]) != 1)
            exit(1);
    fclose(file);
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
    struct sigaction action = {.sa_handler = on_sigterm};
    int on = 1;
    load();
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sigaction(SIGTERM, &action, NULL);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0) {
        perror("port 8080");
        return 1;
    }
    while (!stopping) {
        int peer = accept(listener, NULL, NULL);
        pthread_t thread;
        if (peer < 0)
            continue;
        pthread_mutex_lock(&lock);
        at_work++;
        pthread_mutex_unlock(&lock);
        if (pthread_create(&thread, NULL, serve, (void *)(long)peer) == 0) {
            pthread_detach(thread);
        } else {
            close(peer);
            pthread_mutex_lock(&lock);
            at_work--;
            pthread_mutex_unlock(&lock);
        }
    }
    pthread_mutex_lock(&lock);
    while (at_work > 0)
        pthread_cond_wait(&finished, &lock);
    pthread_mutex_unlock(&lock);
    return 0;
}
