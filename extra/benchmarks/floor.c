/* The raw limit that the server is measured against: a terminal or pipes, a socket, and nothing between.
 *
 *   floor relay PORT        takes one connection after the other on 127.0.0.1:PORT. Its first line is "pty" or "pipe" and a
 *                           command line for sh; what the program prints then goes to the socket, what comes to the program.
 *   floor spawn COUNT WIDTH starts /bin/true COUNT times, WIDTH at a time; prints the seconds that took
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void check(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

/* Writes all of it; false where the reader is gone. */
static int pass(int to, const char *bytes, ssize_t count)
{
    while (count > 0) {
        ssize_t n = write(to, bytes, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        bytes += n;
        count -= n;
    }
    return 1;
}

static pid_t start(const char *kind, const char *command, int *in, int *out)
{
    pid_t pid;
    if (strcmp(kind, "pty") == 0) {
        pid = forkpty(in, NULL, NULL, NULL);
        *out = *in;
    } else {
        int input[2], output[2];
        check(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0, "pipe2");
        pid = fork();
        if (pid == 0) {
            dup2(input[0], 0);
            dup2(output[1], 1);
            dup2(output[1], 2);
        } else {
            close(input[0]);
            close(output[1]);
        }
        *in = input[1];
        *out = output[0];
    }
    check(pid >= 0, "fork");
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    return pid;
}

static void serve(int client)
{
    static char buffer[65536];
    char line[4096];
    size_t length = 0;
    while (length < sizeof line - 1 && read(client, line + length, 1) == 1 && line[length] != '\n')
        length++;
    line[length] = 0;
    char *command = strchr(line, ' ');
    if (command == NULL)
        return;
    *command++ = 0;

    int in, out;
    pid_t pid = start(line, command, &in, &out);
    struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.fd = out, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents) {
            ssize_t n = read(out, buffer, sizeof buffer);
            if (n <= 0 || !pass(client, buffer, n))
                break;
        }
        if (fds[0].revents) {
            ssize_t n = read(client, buffer, sizeof buffer);
            if (n <= 0 || !pass(in, buffer, n))
                break;
        }
    }
    kill(pid, SIGKILL);
    close(out);
    if (in != out)
        close(in);
    waitpid(pid, NULL, 0);
}

static void relay(int port)
{
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    check(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 16) == 0, "listen");
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(client);
        close(client);
    }
}

static void spawn(int count, int width)
{
    char *arguments[] = {"/bin/true", NULL};
    struct timespec from, to;
    int running = 0;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int started = 0; started < count || running > 0;) {
        if (started < count && running < width) {
            pid_t pid;
            check(posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ) == 0, "posix_spawn");
            started++;
            running++;
        } else {
            check(wait(NULL) > 0, "wait");
            running--;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.9f\n", (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9);
}

int main(int count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    if (count == 3 && strcmp(arguments[1], "relay") == 0)
        relay(atoi(arguments[2]));
    else if (count == 4 && strcmp(arguments[1], "spawn") == 0)
        spawn(atoi(arguments[2]), atoi(arguments[3]));
    else
        fprintf(stderr, "floor relay PORT, or floor spawn COUNT WIDTH\n");
    return 2 * (count < 3);
}
