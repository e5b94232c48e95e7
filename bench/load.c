// Thousands of WebSocket viewers in one epoll loop that watch, lag, stop reading, are cut and come back: what did each get?
//
// usage: load HOST:PORT PATH [--OPTION VALUE]...
//
//   --viewers N          how many (1)              --rate N      how many come a second (2000)
//   --seconds S          how long they watch, from when all are up (10); SIGTERM ends it sooner
//   --progress           tell the figures every second and when all are up, not only at the end
//   --header 'NAME: V'   one more header of the handshake, up to 8 KiB of them
//   --position E.N       resume from there         --history N   ask for so many comments
//   --deflate            offer permessage-deflate  --inflate K   and inflate and check what one in K viewers gets
//   --slow N             the first N read at most  --slow-bytes B  bytes a second each (1000)
//   --stopped N          the next N stop reading   --stop-at S   after so long (0), and go on  --read-at S  (never)
//   --receive-buffer B   of the slow and the stopped, so that the server notices sooner
//   --storm S            cut all after so long; they come back with their positions  --spread S  within so long (1)
//   --backoff-cap S      the longest wait of a viewer whom nobody told when to come back (30)
//
// and for a server that speaks a protocol of its own around the batches:
//   --hello TEXT         what a viewer says once it is up   --lines  every line of a message is a message
//   --answer HEARD=SAID  what it says to a message that begins so (up to 8)
//   --prefix TEXT        what stands before each batch, as in `42["batch",`
//
// A viewer answers pings, comes back when it was refused or closed as the protocol wants it (unless told not to), and
// checks that the positions of its batches go up by one. A poster that writes `t=NS;` (CLOCK_MONOTONIC) at the beginning
// of a comment has the time from publishing to each viewer measured; `spread_ms` is from a batch's first viewer to its
// last. Slow and stopped viewers are left out of both and of the fewest and most batches. Without posts this is the idle
// crowd. Deflated frames are counted unread, but for --inflate.
#define _GNU_SOURCE
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef WITH_ZLIB
#include <zlib.h>
#endif

#include "measure.h"

#define U(value) ((unsigned long long)(value))  // as printf wants it

enum { KEPT = 512, EPOCH = 65, HEADERS = 8192, REQUEST = HEADERS + 2048, READ = 1 << 17, EVENTS = 1024 };
enum { SAID = 1024, ANSWERS = 8, PASSING = 4096 };
enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum { FIN = 0x80, DEFLATED = 0x40, MASKED = 0x80, LEAST_FINAL_CODE = 4500 };

static const int64_t NEVER = INT64_MAX, GRANT_NS = NS_PER_S / 10, ALL_UP_WITHIN_NS = 60 * NS_PER_S;
static const double BACKOFF_S = 0.5;

enum state { AWAY, CONNECTING, ASKING, WATCHING, LEFT };  // LEFT: told not to come back

struct viewer {
    int fd;
    enum state state;
    int tries;          // since it last watched
    int64_t up_ns;      // since when it watches
    int64_t retry_ns;   // what `bye` told; -1: nothing
    bool listens, cut;  // in the poller; on its way back from the storm
    int64_t allowance;  // bytes that a slow one may still read
    // the frame and message that it is reading
    unsigned char header[10];
    int header_size, first;  // `first`: the first byte of the message's first frame
    uint64_t left;           // of the frame's payload
    int kept, control_size;
    char text[KEPT];  // the beginning of the answer to its handshake, then of each message
    char last;        // the message's last byte
    uint64_t size;    // how much of the message came so far
    unsigned char control[125];
    // its place in the chain
    char epoch[EPOCH];  // empty: none yet
    uint64_t number, batches;
#ifdef WITH_ZLIB
    z_stream *inflater;
#endif
};

static struct {
    char *host, *path, *position;
    const char *port, *hello, *prefix;
    char headers[HEADERS];
    struct answer {
        const char *heard, *said;
    } answers[ANSWERS];
    int viewers, history, inflate, slow, slow_bytes, stopped, receive_buffer;
    double rate, seconds, stop_at, read_at, storm, spread, backoff_cap;
    bool deflate, progress, lines;
} wish = {.prefix = "", .viewers = 1, .history = -1, .slow_bytes = 1000, .rate = 2000, .seconds = 10, .spread = 1,
          .backoff_cap = 30};

// What is told; `seen` begins anew when all are up.
static struct {
    uint64_t bytes, reads, frames, batches, batch_bytes, deflated, inflated, inflated_bytes, pings;
    struct times latency, spread;
} seen;
static struct {
    uint64_t holes, repeats, skipped, damaged, recovered, anew;
    struct tally closes, refusals;
    struct times back;
} chain;

// A batch on its way: when the first viewer had it, and the last one so far.
static struct passing {
    uint64_t number;
    int64_t first_ns, last_ns;
} passing[PASSING];

static struct viewer *viewers;
static int64_t *due_ns;  // when each that is away comes (back)
static int away, up, left_for_good, poller;
static int64_t began_ns, started_ns, cut_ns;
static struct addrinfo *server;
static volatile sig_atomic_t told_to_end;

// -- the chain, and what a message tells

static bool begins(const struct viewer *viewer, const char *with) {
    size_t size = strlen(with);
    return (size_t)viewer->kept >= size && !memcmp(viewer->text, with, size);
}

static bool is_batch(const struct viewer *viewer) {
    static const char batch[] = "{\"type\":\"batch\"";
    return begins(viewer, wish.prefix) && !strncmp(viewer->text + strlen(wish.prefix), batch, sizeof batch - 1);
}

static const char *behind(const struct viewer *viewer, const char *key) {
    const char *found = memmem(viewer->text, (size_t)viewer->kept, key, strlen(key));
    return found ? found + strlen(key) : NULL;
}

static bool is_healthy(const struct viewer *viewer) { return viewer - viewers >= wish.slow + wish.stopped; }

// EPOCH.NUMBER up to a quote or the end of the text.
static bool read_position(const char *text, char *epoch, uint64_t *number) {
    const char *dot = strpbrk(text, ".\"");
    if (!dot || *dot != '.' || dot - text >= EPOCH) return false;
    memcpy(epoch, text, (size_t)(dot - text));
    epoch[dot - text] = 0;
    *number = strtoull(dot + 1, NULL, 10);
    return true;
}

static bool position_of(struct viewer *viewer, char *epoch, uint64_t *number) {
    const char *position = behind(viewer, "\"position\":\"");
    return position && read_position(position, epoch, number);
}

static void move_to(struct viewer *viewer, const char *epoch, uint64_t number) {
    memmove(viewer->epoch, epoch, strlen(epoch) + 1);
    viewer->number = number;
}

static void follow(struct viewer *viewer, const char *epoch, uint64_t number) {
    if (!viewer->epoch[0]) return move_to(viewer, epoch, number);
    if (strcmp(viewer->epoch, epoch)) chain.holes++;  // another chain, and nobody said so
    else if (number <= viewer->number) return (void)chain.repeats++;
    else chain.holes += number - viewer->number - 1;
    return move_to(viewer, epoch, number);
}

// How long ago the first stamped comment of the message was posted; what it missed while it was away is not late.
static void note_latency(struct viewer *viewer) {
    const char *stamp = behind(viewer, "\"t=");
    int64_t posted_ns = stamp ? strtoll(stamp, NULL, 10) : 0;
    if (posted_ns >= viewer->up_ns && is_healthy(viewer)) note_time(&seen.latency, now_ns() - posted_ns);
}

static void settle(struct passing *batch) {
    if (batch->number) note_time(&seen.spread, batch->last_ns - batch->first_ns);
    batch->number = 0;
}

// From the first viewer to the last, of each batch that is no repetition for who comes back.
static void note_passing(const struct viewer *viewer, uint64_t number) {
    struct passing *batch = &passing[number % PASSING];
    if (!is_healthy(viewer) || number < batch->number) return;
    int64_t now = now_ns();
    if (number > batch->number) {
        settle(batch);
        *batch = (struct passing){number, now, now};
    }
    batch->last_ns = now;
}

static void hear_batch(struct viewer *viewer) {
    char epoch[EPOCH];
    uint64_t number;
    seen.batches++;
    seen.batch_bytes += viewer->size;
    viewer->batches++;
    note_latency(viewer);
    if (!position_of(viewer, epoch, &number)) return (void)chain.damaged++;
    note_passing(viewer, number);
    follow(viewer, epoch, number);
}

static void hear_joined(struct viewer *viewer) {
    char epoch[EPOCH];
    uint64_t number;
    bool recovered = behind(viewer, "\"recovered\":true") != NULL;
    if (!position_of(viewer, epoch, &number)) return (void)chain.damaged++;
    if (recovered) chain.recovered++;
    else if (viewer->epoch[0]) chain.anew++;
    if (viewer->cut) note_time(&chain.back, now_ns() - cut_ns);
    viewer->cut = false;
    if (!recovered) move_to(viewer, epoch, number);
    else if (number != viewer->number || strcmp(epoch, viewer->epoch)) chain.holes++;
}

static void hear_skipped(struct viewer *viewer) {
    char epoch[EPOCH];
    uint64_t number;
    chain.skipped++;
    if (position_of(viewer, epoch, &number)) move_to(viewer, epoch, number);
    else chain.damaged++;
}

static void hear_bye(struct viewer *viewer) {
    const char *wait_ms = behind(viewer, "\"retry_after_ms\":");
    if (wait_ms) viewer->retry_ns = strtoll(wait_ms, NULL, 10) * (NS_PER_S / 1000);
}

static void hear(struct viewer *viewer) {
    viewer->text[viewer->kept] = 0;
    if (is_batch(viewer)) hear_batch(viewer);
    else if (begins(viewer, "{\"type\":\"joined\"")) hear_joined(viewer);
    else if (begins(viewer, "{\"type\":\"skipped\"")) hear_skipped(viewer);
    else if (begins(viewer, "{\"type\":\"bye\"")) hear_bye(viewer);
}

// -- coming, going and coming back

static void listen_to(struct viewer *viewer, bool listens) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
    if (viewer->listens == listens) return;
    viewer->listens = listens;
    epoll_ctl(poller, listens ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, viewer->fd, &event);
}

static void hang_up(struct viewer *viewer) {
    if (viewer->state == WATCHING) up--;
    close(viewer->fd);
    viewer->listens = false;
}

static void leave_for_good(struct viewer *viewer) {
    hang_up(viewer);
    viewer->state = LEFT;
    left_for_good++;
}

static void go_away(struct viewer *viewer, int64_t wait_ns) {
    hang_up(viewer);
    viewer->state = AWAY;
    due_ns[viewer - viewers] = now_ns() + wait_ns;
    away++;
}

// When it was told when to come back it does as it was told, else it waits a random time up to a cap that doubles.
static void retry(struct viewer *viewer) {
    double cap_s = BACKOFF_S * (double)(1 << (viewer->tries < 16 ? viewer->tries : 16));
    if (cap_s > wish.backoff_cap) cap_s = wish.backoff_cap;
    viewer->tries++;
    int64_t wait_ns = viewer->retry_ns >= 0 ? viewer->retry_ns : (int64_t)(drand48() * cap_s * NS_PER_S);
    viewer->retry_ns = -1;
    go_away(viewer, wait_ns);
}

static void refused(struct viewer *viewer, int status) {
    count_code(&chain.refusals, status);
    if (status >= 400 && status < 500 && status != 429) leave_for_good(viewer);
    else retry(viewer);
}

static void closed(struct viewer *viewer, int code) {
    if (viewer->state != WATCHING) return refused(viewer, 0);
    count_code(&chain.closes, code);
    if (code >= LEAST_FINAL_CODE && code < 5000) leave_for_good(viewer);
    else retry(viewer);
}

static void come(struct viewer *viewer) {
    int on = 1;
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = viewer};
    due_ns[viewer - viewers] = NEVER;
    away--;
    viewer->fd = socket(server->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (viewer->fd < 0) fail("cannot have so many viewers");
    viewer->state = CONNECTING;
    setsockopt(viewer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (wish.receive_buffer && !is_healthy(viewer))
        setsockopt(viewer->fd, SOL_SOCKET, SO_RCVBUF, &wish.receive_buffer, sizeof wish.receive_buffer);
    if (connect(viewer->fd, server->ai_addr, server->ai_addrlen) && errno != EINPROGRESS) return refused(viewer, 0);
    epoll_ctl(poller, EPOLL_CTL_ADD, viewer->fd, &event);
    viewer->listens = true;
}

static int write_request(const struct viewer *viewer, char *request) {
    char query[EPOCH + 64] = "";
    if (viewer->epoch[0])
        snprintf(query, sizeof query, "position=%s.%llu", viewer->epoch, (unsigned long long)viewer->number);
    else if (wish.history >= 0) snprintf(query, sizeof query, "history=%d", wish.history);
    const char *mark = !query[0] ? "" : strchr(wish.path, '?') ? "&" : "?";
    return snprintf(request, REQUEST,
                    "GET %s%s%s HTTP/1.1\r\nHost: %s:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s\r\n",
                    wish.path, mark, query, wish.host, wish.port,
                    wish.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "", wish.headers);
}

static void ask(struct viewer *viewer) {
    char request[REQUEST];
    int fault = 0, size = write_request(viewer, request);
    socklen_t fault_size = sizeof fault;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
    getsockopt(viewer->fd, SOL_SOCKET, SO_ERROR, &fault, &fault_size);
    if (fault || send(viewer->fd, request, (size_t)size, MSG_NOSIGNAL) != size) return refused(viewer, 0);
    epoll_ctl(poller, EPOLL_CTL_MOD, viewer->fd, &event);
    viewer->state = ASKING;
    viewer->kept = viewer->header_size = 0;
    viewer->left = 0;
}

// -- what it says

static void say(struct viewer *viewer, int op, const void *text, size_t size) {
    static unsigned char frame[8 + SAID];  // under a mask of zeros
    size_t head = size < 126 ? 6 : 8;
    memset(frame, 0, head);
    frame[0] = (unsigned char)(FIN | op);
    frame[1] = (unsigned char)(MASKED | (size < 126 ? size : 126));
    if (size >= 126) frame[2] = (unsigned char)(size >> 8), frame[3] = (unsigned char)size;
    memcpy(frame + head, text, size);
    if (send(viewer->fd, frame, head + size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) closed(viewer, 0);
}

static bool answer(struct viewer *viewer) {
    for (const struct answer *answer = wish.answers; answer < wish.answers + ANSWERS && answer->heard; answer++) {
        if (!begins(viewer, answer->heard)) continue;
        if (viewer->state == WATCHING) say(viewer, TEXT, answer->said, strlen(answer->said));
        return true;
    }
    return false;
}

// -- deflated messages

#ifdef WITH_ZLIB
static bool inflates(const struct viewer *viewer) { return viewer->inflater != NULL; }

static void begin_inflating(struct viewer *viewer) {
    if (!wish.inflate || (viewer - viewers) % wish.inflate) return;
    if (viewer->inflater) return (void)inflateReset(viewer->inflater);
    viewer->inflater = calloc(1, sizeof *viewer->inflater);
    if (!viewer->inflater || inflateInit2(viewer->inflater, -15) != Z_OK) fail("cannot inflate");
}
#else
static bool inflates(const struct viewer *viewer) { return (void)viewer, false; }

static void begin_inflating(struct viewer *viewer) { (void)viewer; }
#endif

// The beginning is kept; of the rest its size and last byte.
static void keep(struct viewer *viewer, const unsigned char *data, size_t size) {
    size_t room = (size_t)(KEPT - 1 - viewer->kept), take = size < room ? size : room;
    memcpy(viewer->text + viewer->kept, data, take);
    viewer->kept += (int)take;
    viewer->size += size;
    if (size) viewer->last = (char)data[size - 1];
}

static void end_message(struct viewer *viewer) {
    if (!answer(viewer)) hear(viewer);
    viewer->kept = 0;
    viewer->size = 0;
}

static void keep_message(struct viewer *viewer, const unsigned char *data, size_t size) {
    const unsigned char *end;
    while (wish.lines && (end = memchr(data, '\n', size))) {
        keep(viewer, data, (size_t)(end - data));
        end_message(viewer);
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    keep(viewer, data, size);
}

static void keep_control(struct viewer *viewer, const unsigned char *data, size_t size) {
    size_t room = sizeof viewer->control - (size_t)viewer->control_size, take = size < room ? size : room;
    memcpy(viewer->control + viewer->control_size, data, take);
    viewer->control_size += (int)take;
}

#ifdef WITH_ZLIB
static void inflate_part(struct viewer *viewer, const unsigned char *data, size_t size) {
    static unsigned char plain[1 << 16];
    z_stream *stream = viewer->inflater;
    stream->next_in = (unsigned char *)data;
    stream->avail_in = (unsigned)size;
    do {
        stream->next_out = plain;
        stream->avail_out = sizeof plain;
        int how = inflate(stream, Z_SYNC_FLUSH);
        if (how != Z_OK && how != Z_BUF_ERROR) return (void)chain.damaged++;
        keep(viewer, plain, sizeof plain - stream->avail_out);
        seen.inflated_bytes += sizeof plain - stream->avail_out;
    } while (!stream->avail_out);
}
#else
static void inflate_part(struct viewer *viewer, const unsigned char *data, size_t size) {
    (void)viewer, (void)data, (void)size;
}
#endif

static void end_deflated(struct viewer *viewer) {
    static const unsigned char sync[] = {0, 0, 0xff, 0xff};  // what RFC 7692, 7.2.1, left out
    seen.deflated++;
    if (!inflates(viewer)) return (void)viewer->batches++;  // nothing else is worth deflating
    inflate_part(viewer, sync, sizeof sync);
    seen.inflated++;
    if (!begins(viewer, "{\"type\":\"") || viewer->last != '}') chain.damaged++;
    else hear(viewer);
}

// -- frames

static int op_of(const struct viewer *viewer) { return viewer->header[0] & 15; }

static void end_control(struct viewer *viewer) {
    size_t size = (size_t)viewer->control_size;
    if (op_of(viewer) == PING) {
        seen.pings++;
        say(viewer, PONG, viewer->control, size);
    } else if (op_of(viewer) == CLOSE) {
        int code = size >= 2 ? viewer->control[0] << 8 | viewer->control[1] : 1005;
        say(viewer, CLOSE, viewer->control, size < 2 ? 0 : 2);
        if (viewer->state == WATCHING) closed(viewer, code);
    }
}

static void end_frame(struct viewer *viewer) {
    viewer->header_size = 0;
    if (op_of(viewer) >= CLOSE) return end_control(viewer);
    seen.frames++;
    if (!(viewer->header[0] & FIN)) return;
    if (viewer->first & DEFLATED) return end_deflated(viewer);
    return end_message(viewer);
}

static size_t take_payload(struct viewer *viewer, const unsigned char *data, size_t size) {
    size_t take = size < viewer->left ? size : (size_t)viewer->left;
    viewer->left -= take;
    if (op_of(viewer) >= CLOSE) keep_control(viewer, data, take);
    else if (!(viewer->first & DEFLATED)) keep_message(viewer, data, take);
    else if (inflates(viewer)) inflate_part(viewer, data, take);
    return take;
}

static int header_wants(const struct viewer *viewer) {
    int length = viewer->header_size < 2 ? 0 : viewer->header[1] & 127;
    return length == 127 ? 10 : length == 126 ? 4 : 2;
}

static void begin_frame(struct viewer *viewer) {
    int size = header_wants(viewer), op = op_of(viewer);
    viewer->left = size == 2 ? viewer->header[1] & 127 : 0;
    for (int at = 2; at < size; at++) viewer->left = viewer->left << 8 | viewer->header[at];
    if (op >= CLOSE) viewer->control_size = 0;
    if (op != TEXT && op != BINARY) return;
    viewer->first = viewer->header[0];
    viewer->kept = 0;
    viewer->size = 0;
}

static size_t take_header(struct viewer *viewer, const unsigned char *data) {
    viewer->header[viewer->header_size++] = *data;
    if (viewer->header_size == header_wants(viewer)) begin_frame(viewer);
    return 1;
}

static void take_frames(struct viewer *viewer, const unsigned char *data, size_t size) {
    while (size && viewer->state == WATCHING) {
        size_t taken = viewer->left ? take_payload(viewer, data, size) : take_header(viewer, data);
        if (!viewer->left && viewer->header_size == header_wants(viewer)) end_frame(viewer);
        data += taken;
        size -= taken;
    }
}

// -- what the sockets bring

static bool is_stopped(const struct viewer *viewer) {
    int64_t at = viewer - viewers, since_ns = now_ns() - started_ns;
    if (!started_ns || at < wish.slow || at >= wish.slow + wish.stopped) return false;
    return since_ns >= (int64_t)(wish.stop_at * NS_PER_S) &&
           (!wish.read_at || since_ns < (int64_t)(wish.read_at * NS_PER_S));
}

static void watch(struct viewer *viewer) {
    viewer->state = WATCHING;
    viewer->up_ns = now_ns();
    viewer->tries = 0;
    up++;
    begin_inflating(viewer);
    listen_to(viewer, !is_stopped(viewer));
    if (wish.hello) say(viewer, TEXT, wish.hello, strlen(wish.hello));
}

// The head of the answer is kept like a message; frames may come right behind it.
static void take_answer(struct viewer *viewer, const unsigned char *data, size_t size) {
    int before = viewer->kept, status;
    keep(viewer, data, size);
    viewer->text[viewer->kept] = 0;
    const char *end = behind(viewer, "\r\n\r\n");
    if (!end && viewer->kept < KEPT - 1) return;
    if (sscanf(viewer->text, "HTTP/1.1 %d", &status) != 1) status = 0;
    if (!end || status != 101) return refused(viewer, status);
    size_t head = (size_t)(end - viewer->text - before);
    watch(viewer);
    take_frames(viewer, data + head, size - head);
}

static void read_from(struct viewer *viewer) {
    static unsigned char data[READ];
    bool is_slow = viewer - viewers < wish.slow && viewer->state == WATCHING;
    size_t most = is_slow && viewer->allowance < READ ? (size_t)viewer->allowance : READ;
    ssize_t size = recv(viewer->fd, data, most, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return closed(viewer, 0);
    seen.bytes += (uint64_t)size;
    seen.reads++;
    viewer->allowance -= is_slow ? size : 0;
    if (viewer->state == ASKING) take_answer(viewer, data, (size_t)size);
    else take_frames(viewer, data, (size_t)size);
    if (is_slow && viewer->allowance <= 0 && viewer->state == WATCHING) listen_to(viewer, false);
}

// -- what the clock brings

static void come_if_due(void) {
    int64_t now = now_ns();
    for (int at = 0; at < wish.viewers; at++)
        if (due_ns[at] <= now) come(&viewers[at]);
}

static void grant(void) {
    for (int at = 0; at < wish.slow; at++) {
        viewers[at].allowance = wish.slow_bytes * GRANT_NS / NS_PER_S + 1;
        if (viewers[at].state == WATCHING) listen_to(&viewers[at], true);
    }
}

static void stop_or_read(void) {
    for (int at = wish.slow; at < wish.slow + wish.stopped; at++)
        if (viewers[at].state == WATCHING) listen_to(&viewers[at], !is_stopped(&viewers[at]));
}

// All are cut as by a lost network: a reset, not a word of farewell.
static void cut_all(void) {
    struct linger abruptly = {.l_onoff = 1};
    cut_ns = now_ns();
    for (int at = 0; at < wish.viewers; at++) {
        if (viewers[at].state != WATCHING) continue;
        setsockopt(viewers[at].fd, SOL_SOCKET, SO_LINGER, &abruptly, sizeof abruptly);
        viewers[at].cut = true;
        go_away(&viewers[at], (int64_t)(drand48() * wish.spread * NS_PER_S));
    }
}

static void report(void) {
    uint64_t least = UINT64_MAX, most = 0;
    double seconds = started_ns ? (double)(now_ns() - started_ns) / NS_PER_S : 0;
    for (int at = wish.slow + wish.stopped; at < wish.viewers; at++) {
        if (viewers[at].batches < least) least = viewers[at].batches;
        if (viewers[at].batches > most) most = viewers[at].batches;
    }
    printf("{\"viewers\":%d,\"up\":%d,\"up_s\":%.3f,\"seconds\":%.3f", wish.viewers, up,
           started_ns ? (double)(started_ns - began_ns) / NS_PER_S : 0, seconds);
    printf(",\"frames\":%llu,\"batches\":%llu,\"bytes\":%llu,\"reads\":%llu,\"batch_bytes\":%llu,\"least_batches\":%llu"
           ",\"most_batches\":%llu,\"deflated\":%llu,\"inflated\":%llu,\"inflated_bytes\":%llu,\"pings\":%llu",
           U(seen.frames), U(seen.batches), U(seen.bytes), U(seen.reads), U(seen.batch_bytes),
           U(least > most ? most : least), U(most), U(seen.deflated), U(seen.inflated), U(seen.inflated_bytes), U(seen.pings));
    printf(",\"holes\":%llu,\"repeats\":%llu,\"skipped\":%llu,\"damaged\":%llu,\"recovered\":%llu,\"anew\":%llu",
           U(chain.holes), U(chain.repeats), U(chain.skipped), U(chain.damaged), U(chain.recovered), U(chain.anew));
    tell_tally("closes", &chain.closes);
    tell_tally("refusals", &chain.refusals);
    tell_times("latency_ms", &seen.latency);
    tell_times("spread_ms", &seen.spread);
    tell_times("back_ms", &chain.back);
    printf(",\"cpu_s\":%.2f}\n", cpu_s());
}

// All are up, or will never be: from now on everything counts.
static void start(void) {
    started_ns = now_ns();
    memset(&seen, 0, sizeof seen);
    memset(passing, 0, sizeof passing);
    for (int at = 0; at < wish.viewers; at++) viewers[at].batches = 0;
    stop_or_read();
    if (wish.progress) report();
}

static bool passed(double s) { return started_ns && now_ns() - started_ns >= (int64_t)(s * NS_PER_S); }

static bool is_over(void) {
    if (told_to_end || passed(wish.seconds)) return true;
    double coming_s = wish.viewers / wish.rate;
    return !started_ns && now_ns() - began_ns > ALL_UP_WITHIN_NS + (int64_t)(coming_s * NS_PER_S);
}

static bool every(int64_t span_ns, int64_t *next_ns) {
    if (now_ns() < *next_ns) return false;
    *next_ns = now_ns() + span_ns;
    return true;
}

static void keep_time(void) {
    static int64_t next_grant_ns, next_report_ns;
    if (away) come_if_due();
    if (!started_ns && up + left_for_good == wish.viewers) start();
    if (every(GRANT_NS, &next_grant_ns)) grant(), stop_or_read();
    if (wish.storm && !cut_ns && passed(wish.storm)) cut_all();
    if (wish.progress && every(NS_PER_S, &next_report_ns)) report();
}

static void run(void) {
    struct epoll_event events[EVENTS];
    while (!is_over()) {
        keep_time();
        int ready = epoll_wait(poller, events, EVENTS, away ? 1 : 10);
        for (int at = 0; at < ready; at++) {
            struct viewer *viewer = events[at].data.ptr;
            if (viewer->state == CONNECTING) ask(viewer);
            else read_from(viewer);
        }
    }
}

// -- the command line

static void add_header(const char *header) {
    size_t used = strlen(wish.headers);
    if (used + strlen(header) + 3 > sizeof wish.headers) stop("these are too many headers");
    snprintf(wish.headers + used, sizeof wish.headers - used, "%s\r\n", header);
}

static const char *what_is_said(const char *text) {
    if (strlen(text) > SAID) stop("a viewer says at most 1,024 bytes");
    return text;
}

static void add_answer(char *words) {
    int at = 0;
    char *mark = strchr(words, '=');
    if (!mark) stop("--answer is HEARD=SAID");
    while (at < ANSWERS && wish.answers[at].heard) at++;
    if (at == ANSWERS) stop("these are too many answers");
    *mark = 0;
    wish.answers[at] = (struct answer){words, what_is_said(mark + 1)};
}

// The other options are numbers, each with the place that it is kept in.
static const struct number {
    const char *name;
    int *whole;
    double *real;
} NUMBERS[] = {
    {"viewers", &wish.viewers, NULL},        {"history", &wish.history, NULL},
    {"inflate", &wish.inflate, NULL},        {"slow", &wish.slow, NULL},
    {"slow-bytes", &wish.slow_bytes, NULL},  {"stopped", &wish.stopped, NULL},
    {"receive-buffer", &wish.receive_buffer, NULL},
    {"rate", NULL, &wish.rate},              {"seconds", NULL, &wish.seconds},
    {"stop-at", NULL, &wish.stop_at},        {"read-at", NULL, &wish.read_at},
    {"storm", NULL, &wish.storm},            {"spread", NULL, &wish.spread},
    {"backoff-cap", NULL, &wish.backoff_cap},
};

static void set_number(const char *name, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || value < 0) stop("an option's value is a number, 0 or above");
    for (size_t at = 0; at < sizeof NUMBERS / sizeof *NUMBERS; at++) {
        if (strcmp(NUMBERS[at].name, name)) continue;
        if (NUMBERS[at].whole) *NUMBERS[at].whole = (int)value;
        else *NUMBERS[at].real = value;
        return;
    }
    fprintf(stderr, "there is no option --%s\n", name);
    exit(2);
}

static int set_option(const char *name, char *value) {
    if (!strcmp(name, "deflate")) return wish.deflate = true, 1;
    if (!strcmp(name, "progress")) return wish.progress = true, 1;
    if (!strcmp(name, "lines")) return wish.lines = true, 1;
    if (!value) stop("an option needs its value");
    if (!strcmp(name, "header")) add_header(value);
    else if (!strcmp(name, "position")) wish.position = value;
    else if (!strcmp(name, "hello")) wish.hello = what_is_said(value);
    else if (!strcmp(name, "answer")) add_answer(value);
    else if (!strcmp(name, "prefix")) wish.prefix = value;
    else set_number(name, value);
    return 2;
}

static void read_options(int given, char **words) {
    for (int at = 3; at < given;) {
        if (strncmp(words[at], "--", 2)) stop("an option begins with --");
        at += set_option(words[at] + 2, at + 1 < given ? words[at + 1] : NULL);
    }
#ifndef WITH_ZLIB
    if (wish.inflate) stop("--inflate needs zlib, and there was none when this was compiled");
#endif
    if (wish.inflate) wish.deflate = true;
    if (wish.viewers < 1 || wish.rate <= 0) stop("--viewers and --rate are above 0");
    if (wish.slow + wish.stopped > wish.viewers) stop("there are more slow and stopped viewers than --viewers");
}

static void read_place(char *place, char *path) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char *colon = strrchr(place, ':');
    if (!colon) stop("the server is HOST:PORT");
    *colon = 0;
    wish.host = place;
    wish.port = colon + 1;
    wish.path = path;
    if (strlen(path) > REQUEST - HEADERS - 1024) stop("the path is too long");
    if (getaddrinfo(wish.host, wish.port, &hints, &server)) stop("there is no such server");
}

static void end(int signal) {
    (void)signal;
    told_to_end = 1;
}

static void make_viewers(void) {
    viewers = calloc((size_t)wish.viewers, sizeof *viewers);
    due_ns = calloc((size_t)wish.viewers, sizeof *due_ns);
    if (!viewers || !due_ns) fail("cannot have so many viewers");
    for (int at = 0; at < wish.viewers; at++) {
        due_ns[at] = began_ns + (int64_t)(at / wish.rate * NS_PER_S);
        viewers[at].retry_ns = -1;
        if (wish.position && !read_position(wish.position, viewers[at].epoch, &viewers[at].number))
            stop("--position is EPOCH.NUMBER");
    }
    away = wish.viewers;
}

int main(int given, char **words) {
    if (given < 3) stop("usage: load HOST:PORT PATH [--OPTION VALUE]...");
    setlinebuf(stdout);
    read_place(words[1], words[2]);
    read_options(given, words);
    signal(SIGTERM, end);
    signal(SIGINT, end);
    open_many();
    poller = epoll_create1(0);
    began_ns = now_ns();
    make_viewers();
    run();
    for (int at = 0; at < PASSING; at++) settle(&passing[at]);
    report();
    return started_ns && !left_for_good ? 0 : 1;
}
