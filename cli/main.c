/* backstory: one program, a table of commands, one file a command. */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "cli.h"

static const cli_command *const commands[] = {
    &cli_check,   &cli_compile, &cli_import,     &cli_init,    &cli_learn,           &cli_plan,
    &cli_migrate, &cli_status,  &cli_quarantine, &cli_compare, &cli_replay_commands, &cli_history,
    &cli_diff,    &cli_follow,  &cli_slots,      &cli_races,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_help(FILE *out) {
    fputs("Usage: backstory COMMAND [OPTION...]\n\n"
          "From state machines to event sourcing: compiles machines, gives legacy rows their\n"
          "histories, and holds the old against the new.\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        cli_fprintf(out, "  %-15s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`backstory COMMAND --help` says more of each, with examples.\n"
          "Exit status: 0 fine; 1 findings; 2 usage; 3 a file or database failed; 4 conflict, try\n"
          "again; 70 a bug of ours.\n",
          out);
}

static int unknown_command(const char *name) {
    const char *names[COMMAND_COUNT];

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    const char *nearest = bst_nearest_name(name, names, COMMAND_COUNT);
    cli_fprintf(stderr, "backstory: \"%s\" is not a command\n", name);
    if (nearest)
        cli_fprintf(stderr, "hint: Did you mean \"%s\"?\n", nearest);
    else
        fputs("hint: `backstory --help` lists the commands.\n", stderr);
    return bst_status_exit(BST_USAGE);
}

static int end_of_output(void) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    cli_fprintf(stderr, "backstory: could not write the result: %s\n", strerror(errno));
    return bst_status_exit(BST_IO);
}

int main(int argc, const char **argv) {
    cli_mind_memory();
    setlocale(LC_CTYPE, ""); /* for the width of what we print; numbers stay as they are in C */
    if (argc < 2) {
        print_help(stderr);
        return bst_status_exit(BST_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return end_of_output();
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("backstory " BACKSTORY_VERSION);
        return end_of_output();
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0)
            return commands[i]->run(commands[i], argc - 1, argv + 1);
    }
    return unknown_command(argv[1]);
}
