/* proxy LISTEN TARGET MODE BYTES COUNT: between a client and a server, over Unix sockets.
 *
 * Passes bytes on both ways, until a connection has carried BYTES bytes; then, for the first COUNT
 * connections that get so far, MODE decides:
 *
 *     cut      both ends are closed, in the middle of whatever it is
 *     freeze   nothing moves any more, and nothing is closed
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
static bool cuts;
static atomic_int *left; /* connections still to be spoilt; shared */

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

/* What has come on one side goes out on the other, half of it when this is where the connection
 * breaks. False: it has ended. */
static bool pass_on(int from, int to, unsigned long *carried) {
    char bytes[8192];
    ssize_t len = recv(from, bytes, sizeof bytes, 0);
    if (len <= 0)
        return false;
    *carried += (unsigned long)len;
    const bool spoil = *carried >= limit && atomic_fetch_sub(left, 1) > 0;
    if (spoil)
        len /= 2;
    const bool sent = send_all(to, bytes, (size_t)len);
    while (spoil && !cuts)
        pause();
    return sent && !spoil;
}

static void serve(int client, const char *target) {
    const struct sockaddr_un address = address_of(target);
    const int server = socket(AF_UNIX, SOCK_STREAM, 0);
    struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    unsigned long carried = 0;
    bool open = connect(server, (const struct sockaddr *)&address, sizeof address) == 0;
    while (open && poll(fds, 2, -1) >= 0) {
        if (fds[0].revents)
            open = pass_on(client, server, &carried);
        if (open && fds[1].revents)
            open = pass_on(server, client, &carried);
    }
    _exit(0);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("usage: proxy LISTEN TARGET cut|freeze BYTES COUNT\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    const struct sockaddr_un address = address_of(argv[1]);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    left = mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cuts = strcmp(argv[3], "cut") == 0;
    limit = strtoul(argv[4], NULL, 10);
    unlink(argv[1]);
    if (left == MAP_FAILED ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 20) != 0) {
        perror("proxy");
        return 1;
    }
    atomic_init(left, (int)strtol(argv[5], NULL, 10));
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
