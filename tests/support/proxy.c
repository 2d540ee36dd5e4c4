/* proxy LISTEN TARGET MODE BYTES COUNT: between a client and a server, over Unix sockets.
 *
 * Passes bytes on both ways, until a connection has carried BYTES bytes; then, for the first COUNT
 * connections that get so far, MODE decides:
 *
 *     cut      both ends are closed, in the middle of whatever it is
 *     freeze   nothing moves any more, and nothing is closed
 *
 * Ends with its parent.
 */
#define _DEFAULT_SOURCE /* prctl */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAIRS_MAX 100

typedef struct pair {
    int client, server; /* -1: free */
    unsigned long carried;
    bool frozen;
} pair;

static pair pairs[PAIRS_MAX];
static unsigned long limit;
static int left; /* connections still to be spoilt */
static bool cuts;

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int dial(const char *path) {
    const struct sockaddr_un address = address_of(path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void drop(pair *l) {
    close(l->client);
    close(l->server);
    *l = (pair){.client = -1, .server = -1};
}

static void accept_one(int listener, const char *target) {
    const int client = accept(listener, NULL, NULL);
    for (int i = 0; client >= 0 && i < PAIRS_MAX; i++) {
        if (pairs[i].client < 0) {
            pairs[i] = (pair){.client = client, .server = dial(target)};
            if (pairs[i].server < 0)
                drop(&pairs[i]);
            return;
        }
    }
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

/* What has come on one side goes out on the other, half of it when this is where the connection
 * breaks. */
static void pass_on(pair *l, int from, int to) {
    char bytes[8192];
    ssize_t len = recv(from, bytes, sizeof bytes, 0);
    if (len <= 0) {
        drop(l);
        return;
    }
    l->carried += (unsigned long)len;
    const bool spoil = left > 0 && l->carried >= limit;
    if (spoil)
        len /= 2;
    if (!send_all(to, bytes, (size_t)len) || (spoil && cuts))
        drop(l);
    else
        l->frozen = spoil;
    left -= spoil;
}

static void serve(int listener, const char *target) {
    struct pollfd fds[1 + 2 * PAIRS_MAX];
    for (;;) {
        fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        for (int i = 0; i < PAIRS_MAX; i++) {
            const bool on = pairs[i].client >= 0 && !pairs[i].frozen;
            fds[1 + 2 * i] = (struct pollfd){.fd = on ? pairs[i].client : -1, .events = POLLIN};
            fds[2 + 2 * i] = (struct pollfd){.fd = on ? pairs[i].server : -1, .events = POLLIN};
        }
        if (poll(fds, sizeof fds / sizeof *fds, -1) < 0)
            continue;
        for (int i = 0; i < PAIRS_MAX; i++) {
            if (fds[1 + 2 * i].revents)
                pass_on(&pairs[i], pairs[i].client, pairs[i].server);
            if (fds[2 + 2 * i].revents && pairs[i].client >= 0 && !pairs[i].frozen)
                pass_on(&pairs[i], pairs[i].server, pairs[i].client);
        }
        if (fds[0].revents)
            accept_one(listener, target);
    }
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("usage: proxy LISTEN TARGET cut|freeze BYTES COUNT\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const struct sockaddr_un address = address_of(argv[1]);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cuts = strcmp(argv[3], "cut") == 0;
    limit = strtoul(argv[4], NULL, 10);
    left = (int)strtol(argv[5], NULL, 10);
    for (int i = 0; i < PAIRS_MAX; i++)
        pairs[i].client = pairs[i].server = -1;
    unlink(argv[1]);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 20) != 0) {
        perror("proxy");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    serve(listener, argv[2]);
}
