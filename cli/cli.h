/* What the commands share: their table, options, findings, figures, tables and the progress line.
 *
 * stdout is the product, stderr the talk. This room is the only one that prints or ends the
 * program.
 */
#ifndef BACKSTORY_CLI_H
#define BACKSTORY_CLI_H

#include <jansson.h>
#include <popt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "backstory/diag.h"
#include "backstory/machine.h"
#include "backstory/mapping.h"
#include "backstory/run.h"
#include "backstory/warnings.h"

#define CLI_ARGUMENTS_MAX 8

#ifndef BACKSTORY_VERSION
#define BACKSTORY_VERSION "0.1.0"
#endif

typedef struct cli_command {
    const char *name;
    const char *arguments; /* as shown: "MACHINE [MAPPING]" */
    const char *summary;   /* one line, lower case, no period */
    const char *examples;  /* shown at the end of --help */
    int (*run)(const struct cli_command *command, int argc, const char **argv);
    bool warns;              /* understands -Wname and its kin */
    void (*more_help)(void); /* printed by --help before the examples; may be NULL */
} cli_command;

extern const cli_command cli_check, cli_compile, cli_plan, cli_migrate, cli_compare, cli_history,
    cli_diff, cli_import, cli_init, cli_learn, cli_replay_commands, cli_follow, cli_slots,
    cli_races, cli_status, cli_quarantine;

/* One call of a command: what every command understands, and where its findings gather. */
typedef struct cli_call {
    const cli_command *command;
    bool json, quiet;
    bst_diags *diags;
    size_t count;
    const char *argument[CLI_ARGUMENTS_MAX];
    /* The text of standard input when a file argument is "-", for the caret lines. */
    char *stdin_text;
    size_t stdin_len;
    bst_warnings warnings; /* what -W options say */
    poptContext popt;
    char *format;
    int quiet_flag;
} cli_call;

/* Reads the command line; `options` are the command's own, ended by POPT_TABLEEND. True: go on.
 * False: end with *ret_exit (help was asked for, or a mistake has been reported). */
bool cli_begin(cli_call *call, const cli_command *command, struct poptOption *options,
               size_t count_min, size_t count_max, int argc, const char **argv, int *ret_exit);
/* secrets.c. Blots the passwords out of what main() was given; options have been copied by now. */
void cli_hide_secrets(const cli_call *call, int argc, const char *const *argv);
/* warnings.c. Obeys the -W options among the `count` arguments and leaves the others, in their
 * order. */
bst_status cli_take_warnings(cli_call *call, const char **arguments, int *count);
/* -Werror after all, for --werror. */
void cli_warnings_are_errors(cli_call *call);
void cli_list_warnings(const cli_call *call);
/* BST_INVALID when `status` is fine but a finding is an error. */
bst_status cli_judge(const cli_call *call, bst_status status);
/* What each state does with each command, on stdout. */
bst_status cli_print_matrix(const cli_call *call, const bst_machine *machine);

/* memory.c. The end of a call for whose failure there is no memory to say more. */
_Noreturn void cli_out_of_memory(void);
/* To be called first. */
void cli_mind_memory(void);

/* print.c. As printf and fprintf, for people: texts among the arguments are shown and never obeyed
 * (backstory/shown.h), and stay in their line. The only way to print text here. */
void cli_printf(const char *format, ...) BST_PRINTF(1, 2);
void cli_fprintf(FILE *out, const char *format, ...) BST_PRINTF(2, 3);
/* JSON for programs: exact, and harmless on a terminal too. `flags` as in json_dumpf(). */
void cli_print_json(const json_t *value, size_t flags, FILE *out);

/* Prints what findings are left and frees everything. Returns the exit status that belongs to
 * `status`. */
int cli_end(cli_call *call, bst_status status);
/* A mistake in the command line: says it, points to --help; returns BST_USAGE. */
bst_status cli_usage(cli_call *call, const char *format, ...) BST_PRINTF(2, 3);

/* Prints the findings to `out` (errors, warnings, notes; as JSON when asked) and clears them. */
void cli_print_findings(cli_call *call, FILE *out);

/* files.c. The machine file, "-" being standard input. A mapping given for it is a mistake of
 * usage, and that alone is said. */
bst_status cli_load_machine(cli_call *call, const char *path, bst_machine **ret);
/* The same, also when its regions have to keep tables of their own. */
bst_status cli_load_regions(cli_call *call, const char *path, bst_machine **ret);

/* A mapping file, and the machine that it names. */
bst_status cli_load_mapping(cli_call *call, const char *path, bst_mapping **ret);

/* 1234567 as "1,234,567"; 0.1234 as "12.3 %". Values, so that several can stand in one call. */
typedef struct cli_text {
    char text[48];
} cli_text;
cli_text cli_number(uint64_t number);
cli_text cli_percent(uint64_t part, uint64_t whole);
cli_text cli_confidence(double confidence, bool certain);
cli_text cli_time(int64_t time);
cli_text cli_seconds(double seconds);

/* A name of an event without the machine's own name in front: "PaymentCaptured" -> "Captured". */
const char *cli_short_event(const bst_machine *machine, uint32_t event);

/* A table on a terminal: gather the cells, then print them in columns. */
typedef struct cli_table cli_table;
/* `columns`: one letter each, 'l' or 'r' for the side its cells keep to. */
cli_table *cli_table_new(const char *columns);
void cli_table_add(cli_table *table, const char *const *cells); /* copies; NULL cells are empty */
void cli_table_print(const cli_table *table, FILE *out);
cli_table *cli_table_free(cli_table *table);

#define CLI_CLEAR_LINE "\r\033[K" /* of a terminal */

/* The progress line on stderr: a bar on a terminal, a plain line every 10 seconds elsewhere,
 * nothing when quiet. */
typedef struct cli_progress {
    bool on, terminal, shown;
    const char *what;
    uint64_t before; /* rows that an earlier run has done */
    double start, last;
} cli_progress;
void cli_progress_begin(cli_progress *progress, const cli_call *call, const char *what);
/* `share` from 0 to 1, below 0 when not known. `extra` may be NULL. */
void cli_progress_show(cli_progress *progress, double share, uint64_t rows, const char *extra);
/* The line itself, where there is more to say; it may be cut. */
void cli_progress_line(cli_progress *progress, const bst_strbuf *line);
void cli_progress_end(cli_progress *progress);
double cli_progress_seconds(const cli_progress *progress);
/* As fast as it went: `spent` seconds for what is done, but for what was done before. Below 0: that
 * is too little to tell. */
double cli_seconds_left(double spent, double share, uint64_t rows, uint64_t before);
double cli_now(void); /* seconds of a clock that only goes forward */

/* Where quarantined rows of a run into `target` go unless the user says otherwise. The caller frees
 * it. */
char *cli_quarantine_path(const char *target, const bst_machine *machine);

#endif
