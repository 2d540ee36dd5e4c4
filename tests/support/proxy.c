/* proxy LISTEN TARGET MODE BYTES COUNT: between a client and a server, over Unix sockets.
 *
 * Passes bytes on both ways, until a connection has carried BYTES bytes; then, for the first COUNT
 * connections that get so far, MODE decides:
 *
 *     cut      both ends are closed, in the middle of whatever it is
 *     freeze   nothing moves any more, and nothing is closed
 *     lose     one message of a COPY is left out, and all goes on as if nothing had been
 *
 * With `undo` COUNT of all COMMITs, from number BYTES on, become ROLLBACK: the server undoes the
 * transaction, and says so without an error.
 *
 * A process a connection, so that one that waits holds up no other. All end with the parent.
 */
#define _DEFAULT_SOURCE /* prctl, MAP_ANONYMOUS */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static unsigned long limit;
static enum { CUT, FREEZE, LOSE, UNDO } mode;

/* What the processes of all connections share. */
typedef struct shared {
    atomic_int left; /* connections still to be spoilt */
    atomic_ulong commits;
} shared;
static shared *all;

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static bool send_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        const ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* One direction of a connection: messages of a type (the client's first has none), four bytes that
 * count themselves and what follows, and that. */
typedef struct stream {
    unsigned char head[5];
    unsigned head_len;
    size_t rest; /* of the message at hand */
    bool typed, lost;
} stream;

static bool head_is_whole(stream *s, unsigned char byte) {
    s->head[s->head_len++] = byte;
    return s->head_len == (s->typed ? 5 : 4);
}

/* Copies what is not lost to `out`, which has room for 4 bytes more. */
static size_t leave_out(stream *s, bool lose, const char *bytes, size_t len, char *out) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        if (s->rest > 0) {
            s->rest--;
            if (!s->lost)
                out[count++] = bytes[i];
        } else if (head_is_whole(s, (unsigned char)bytes[i])) {
            const unsigned char *const size = s->head + s->head_len - 4;
            s->rest =
                ((size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3]) -
                4;
            s->lost = lose && s->typed && s->head[0] == 'd' && atomic_fetch_sub(&all->left, 1) > 0;
            if (!s->lost) {
                memcpy(out + count, s->head, s->head_len);
                count += s->head_len;
            }
            s->head_len = 0;
            s->typed = true;
        }
    }
    return count;
}

/* Who sends it has waited for the answer to all before, so it comes whole and alone. */
static bool is_commit_to_undo(const char *bytes, size_t len) {
    static const char commit[] = "Q\0\0\0\013COMMIT"; /* and the zero that ends it */
    return len == sizeof commit && memcmp(bytes, commit, sizeof commit) == 0 &&
           atomic_fetch_add(&all->commits, 1) + 1 >= limit && atomic_fetch_sub(&all->left, 1) > 0;
}

/* What has come on one side goes out on the other, half of it when this is where the connection
 * breaks. False: it has ended. */
static bool pass_on(int from, int to, stream *s, unsigned long *carried) {
    char bytes[8192], kept[sizeof bytes + 4];
    ssize_t len = recv(from, bytes, sizeof bytes, 0);
    if (len <= 0)
        return false;
    *carried += (unsigned long)len;
    if (mode == LOSE)
        return send_all(to, kept, leave_out(s, *carried >= limit, bytes, (size_t)len, kept));
    if (mode == UNDO) {
        static const char rollback[] = "Q\0\0\0\015ROLLBACK";
        return is_commit_to_undo(bytes, (size_t)len) ? send_all(to, rollback, sizeof rollback)
                                                     : send_all(to, bytes, (size_t)len);
    }
    const bool spoil = *carried >= limit && atomic_fetch_sub(&all->left, 1) > 0;
    if (spoil)
        len /= 2;
    const bool sent = send_all(to, bytes, (size_t)len);
    while (spoil && mode == FREEZE)
        pause();
    return sent && !spoil;
}

static void serve(int client, const char *target) {
    const struct sockaddr_un address = address_of(target);
    const int server = socket(AF_UNIX, SOCK_STREAM, 0);
    struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    unsigned long carried = 0;
    stream to_server = {0}, to_client = {.typed = true};
    bool open = connect(server, (const struct sockaddr *)&address, sizeof address) == 0;
    while (open && poll(fds, 2, -1) >= 0) {
        if (fds[0].revents)
            open = pass_on(client, server, &to_server, &carried);
        if (open && fds[1].revents)
            open = pass_on(server, client, &to_client, &carried);
    }
    _exit(0);
}

static int mode_of(const char *name) {
    static const char *const names[] = {"cut", "freeze", "lose", "undo"};
    int at = 0;
    while (at < 3 && strcmp(names[at], name) != 0)
        at++;
    return at;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("usage: proxy LISTEN TARGET cut|freeze|lose|undo BYTES COUNT\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    const struct sockaddr_un address = address_of(argv[1]);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mode = mode_of(argv[3]);
    limit = strtoul(argv[4], NULL, 10);
    unlink(argv[1]);
    if (all == MAP_FAILED ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 20) != 0) {
        perror("proxy");
        return 1;
    }
    atomic_init(&all->left, (int)strtol(argv[5], NULL, 10));
    puts("ready");
    fflush(stdout);
    for (;;) {
        const int client = accept(listener, NULL, NULL);
        if (client >= 0 && fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(listener);
            serve(client, argv[2]);
        }
        close(client);
    }
}
