// The floor of fan-out: one ready frame goes to every viewer by a bare send() loop, so many times a second.
//
// usage: floor PORT VIEWERS BYTES RATE SECONDS
//
// It listens on 127.0.0.1 (port 0: a free one, told on stderr), answers each upgrade without reading it, and begins half
// a second after the last of VIEWERS came. A frame is a batch of the protocol, with a position and a time stamp, so that
// `load` checks and times it like any server's. The one line of JSON tells the CPU time that a frame to one viewer took
// and how long a round lasted, from the frame ready to the last viewer's write. It ends when its viewers have left.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

enum { LEAST_BYTES = 126, MOST_BYTES = 65535, HEADER_BYTES = 4, PATIENCE_MS = 10000, EVENTS = 256 };

static const char SWITCHING[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";  // of load's one key

struct viewer {
    int fd;  // -1: gone
    bool waits;
    size_t left;  // of this round's frame
};

static struct viewer *viewers;
static unsigned count, waiting, gone;
static char frame[HEADER_BYTES + MOST_BYTES + 1];
static size_t frame_bytes;
static int poller;
static uint64_t frames, short_writes;

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) fail("cannot listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    return listener;
}

static int greet(int listener) {
    char request[8192];
    size_t got = 0;
    int fd = accept(listener, NULL, NULL), on = 1;
    if (fd < 0) fail("cannot accept");
    while (!memmem(request, got, "\r\n\r\n", 4)) {
        ssize_t more = recv(fd, request + got, sizeof request - got, 0);
        if (more <= 0) stop("a viewer left before it came");
        got += (size_t)more;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (send(fd, SWITCHING, sizeof SWITCHING - 1, MSG_NOSIGNAL) < 0) fail("cannot answer a viewer");
    return fd;
}

static void fill(size_t bytes) {
    memset(frame, 'x', sizeof frame);
    frame[0] = (char)0x81;  // a whole text message
    frame[1] = 126;
    frame[2] = (char)(bytes >> 8);
    frame[3] = (char)bytes;
    frame_bytes = HEADER_BYTES + bytes;
    memcpy(frame + frame_bytes - 4, "\"}]}", 4);
}

static void stamp(uint64_t number) {
    char head[LEAST_BYTES];
    int size = snprintf(head, sizeof head, "{\"type\":\"batch\",\"position\":\"floor.%010llu\",\"comments\":[{\"text\":\"t=%lld;",
                        (unsigned long long)number, (long long)now_ns());
    memcpy(frame + HEADER_BYTES, head, (size_t)size);
}

static void await(struct viewer *viewer, bool waits) {
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = viewer};
    if (viewer->waits == waits) return;
    viewer->waits = waits;
    waiting += waits ? 1 : -1u;
    epoll_ctl(poller, waits ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, viewer->fd, &event);
}

static void lose(struct viewer *viewer) {
    await(viewer, false);
    close(viewer->fd);
    viewer->fd = -1;
    gone++;
}

// HOT: one send a viewer and round, as long as viewers read.
static void write_to(struct viewer *viewer) {
    ssize_t sent = send(viewer->fd, frame + frame_bytes - viewer->left, viewer->left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return lose(viewer);
    if (sent > 0) viewer->left -= (size_t)sent;
    if (viewer->left) short_writes++;
    else frames++;
    await(viewer, viewer->left > 0);
}

static void finish_round(void) {
    struct epoll_event events[EVENTS];
    while (waiting) {
        int ready = epoll_wait(poller, events, EVENTS, PATIENCE_MS);
        if (ready == 0) stop("a viewer did not read for 10 s");
        for (int at = 0; at < ready; at++) write_to(events[at].data.ptr);
    }
}

static void run_round(uint64_t number) {
    stamp(number);
    for (unsigned at = 0; at < count; at++) {
        if (viewers[at].fd < 0) continue;
        viewers[at].left = frame_bytes;
        write_to(&viewers[at]);
    }
    finish_round();
}

static void sleep_until(int64_t ns) {
    struct timespec due = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
}

// The connections stay until the viewers end them, so that none counts a close.
static void await_leaving(void) {
    char words[512];
    for (unsigned at = 0; at < count; at++)
        while (viewers[at].fd >= 0 && recv(viewers[at].fd, words, sizeof words, 0) > 0) continue;
}

int main(int given, char **words) {
    static struct times rounds;
    if (given != 6) stop("usage: floor PORT VIEWERS BYTES RATE SECONDS");
    count = (unsigned)atoi(words[2]);
    size_t bytes = (size_t)atoi(words[3]);
    double rate = atof(words[4]), seconds = atof(words[5]);
    if (bytes < LEAST_BYTES || bytes > MOST_BYTES) stop("BYTES is from 126 to 65535");
    if (!count || rate <= 0 || seconds <= 0) stop("VIEWERS, RATE and SECONDS are above 0");

    open_many();
    fill(bytes);
    poller = epoll_create1(0);
    viewers = calloc(count, sizeof *viewers);
    int listener = listen_on(atoi(words[1]));
    for (unsigned at = 0; at < count; at++) viewers[at].fd = greet(listener);

    int64_t began = now_ns() + NS_PER_S / 2;
    double before = cpu_s();
    sleep_until(began);
    uint64_t total = (uint64_t)(rate * seconds);
    for (uint64_t number = 1; number <= total; number++) {
        int64_t ready = now_ns();
        run_round(number);
        note_time(&rounds, now_ns() - ready);
        sleep_until(began + (int64_t)((double)number / rate * NS_PER_S));
    }
    double cpu = cpu_s() - before, took = (double)(now_ns() - began) / NS_PER_S;
    printf("{\"viewers\":%u,\"frame_bytes\":%zu,\"frames\":%llu,\"seconds\":%.3f,\"frames_per_s\":%.0f,"
           "\"cpu_us_per_frame\":%.3f,\"short_writes\":%llu,\"gone\":%u",
           count, bytes, (unsigned long long)frames, took, (double)frames / took, cpu / (double)frames * 1e6,
           (unsigned long long)short_writes, gone);
    tell_times("round_ms", &rounds);
    printf("}\n");
    fflush(stdout);
    await_leaving();
    return 0;
}
