/* Sends one buffer to many sockets, and says which of them did not take it whole. */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL)

/* A socket that did not take it whole: its place in the list, and the bytes sent or a negative errno. */
struct rest {
    int32_t place;
    int32_t sent;
};

/* Plain form: one send() a socket. Returns how many rests there are. */
int uproar_send(const int32_t *sockets, int count, const void *data, int size, struct rest *rests)
{
    int rest = 0;
    for (int place = 0; place < count; place++) {
        if (sockets[place] < 0)
            continue;
        ssize_t sent = send(sockets[place], data, (size_t)size, FLAGS);
        if (sent != size)
            rests[rest++] = (struct rest){place, sent < 0 ? -errno : (int32_t)sent};
    }
    return rest;
}

/* io_uring form: many sends to one system call. All complete in it, since none of them may wait. */
struct ring {
    int fd;
    unsigned entries, sq_mask, cq_mask;
    _Atomic unsigned *sq_tail, *cq_head, *cq_tail;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    void *rings;
    size_t rings_bytes, sqes_bytes;
};

void uproar_ring_close(struct ring *ring)
{
    if (ring->sqes)
        munmap(ring->sqes, ring->sqes_bytes);
    if (ring->rings)
        munmap(ring->rings, ring->rings_bytes);
    if (ring->fd >= 0)
        close(ring->fd);
    free(ring);
}

static void *mapped(int fd, size_t bytes, uint64_t what)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)what);
    return at == MAP_FAILED ? NULL : at;
}

/* A ring for `entries` sends a call, or NULL with errno set where kernel or container forbid it. */
struct ring *uproar_ring_open(unsigned entries)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    struct ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return NULL;
    ring->fd = (int)syscall(SYS_io_uring_setup, entries, &params);
    if (ring->fd < 0)
        goto failed;
    if (!(params.features & IORING_FEAT_SINGLE_MMAP) || !(params.features & IORING_FEAT_CQE_SKIP)) {
        errno = ENOSYS;
        goto failed;
    }
    size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
    ring->sqes_bytes = params.sq_entries * sizeof(struct io_uring_sqe);
    ring->rings = mapped(ring->fd, ring->rings_bytes, IORING_OFF_SQ_RING);
    ring->sqes = mapped(ring->fd, ring->sqes_bytes, IORING_OFF_SQES);
    if (!ring->rings || !ring->sqes)
        goto failed;
    char *at = ring->rings;
    ring->entries = params.sq_entries;
    ring->sq_mask = params.sq_entries - 1;
    ring->cq_mask = params.cq_entries - 1;
    ring->sq_tail = (void *)(at + params.sq_off.tail);
    ring->cq_head = (void *)(at + params.cq_off.head);
    ring->cq_tail = (void *)(at + params.cq_off.tail);
    ring->cqes = (void *)(at + params.cq_off.cqes);
    unsigned *array = (void *)(at + params.sq_off.array);
    for (unsigned entry = 0; entry < params.sq_entries; entry++)
        array[entry] = entry;
    return ring;
failed:;
    int why = errno;
    uproar_ring_close(ring);
    errno = why;
    return NULL;
}

static int reap(struct ring *ring, int size, struct rest *rests)
{
    int rest = 0;
    unsigned head = atomic_load_explicit(ring->cq_head, memory_order_relaxed);
    unsigned tail = atomic_load_explicit(ring->cq_tail, memory_order_acquire);
    for (; head != tail; head++) {
        struct io_uring_cqe *done = &ring->cqes[head & ring->cq_mask];
        if (done->res != size)
            rests[rest++] = (struct rest){(int32_t)done->user_data, done->res};
    }
    atomic_store_explicit(ring->cq_head, head, memory_order_release);
    return rest;
}

/* Hands the queued sends to the kernel. Returns how many it did not take; errno says why. */
static unsigned submit(struct ring *ring, unsigned queued)
{
    while (queued) {
        long taken = syscall(SYS_io_uring_enter, ring->fd, queued, 0, IORING_ENTER_GETEVENTS, NULL, 0);
        if (taken < 0 && errno != EINTR)
            break;
        if (taken > 0)
            queued -= (unsigned)taken;
    }
    return queued;
}

/* Takes back the last sends of the queue: none of them was begun. */
static int take_back(struct ring *ring, unsigned tail, unsigned left, int why, struct rest *rests)
{
    for (unsigned at = 0; at < left; at++)
        rests[at] = (struct rest){(int32_t)ring->sqes[(tail - left + at) & ring->sq_mask].user_data, -why};
    atomic_store_explicit(ring->sq_tail, tail - left, memory_order_release);
    return (int)left;
}

/* As uproar_send; what the ring itself refuses is among the rests. */
int uproar_ring_send(struct ring *ring, const int32_t *sockets, int count, const void *data, int size,
                     struct rest *rests)
{
    int rest = 0;
    for (int place = 0; place < count;) {
        unsigned tail = atomic_load_explicit(ring->sq_tail, memory_order_relaxed), queued = 0;
        for (; place < count && queued < ring->entries; place++) {
            if (sockets[place] < 0)
                continue;
            struct io_uring_sqe *send = &ring->sqes[tail++ & ring->sq_mask];
            memset(send, 0, sizeof *send);
            send->opcode = IORING_OP_SEND;
            send->flags = IOSQE_CQE_SKIP_SUCCESS;
            send->fd = sockets[place];
            send->addr = (uintptr_t)data;
            send->len = (uint32_t)size;
            send->msg_flags = FLAGS | MSG_WAITALL; /* so that a short send counts as a failure and is told */
            send->user_data = (unsigned)place;
            queued++;
        }
        atomic_store_explicit(ring->sq_tail, tail, memory_order_release);
        unsigned left = submit(ring, queued);
        if (left)
            rest += take_back(ring, tail, left, errno, rests + rest);
        rest += reap(ring, size, rests + rest);
    }
    return rest;
}
