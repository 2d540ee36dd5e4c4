/* Printing for people: what printf does, with texts that are shown and never obeyed.
 *
 * Nearly every line that a command prints holds something of a user's table: keys, names, values,
 * messages of a server. So texts are made harmless here, once, and not at each place that might
 * forget it; a test keeps printf out of this room. The format is ours and is printed as it is. It
 * is walked directive by directive; a number is left to snprintf, a text is shown as
 * backstory/shown.h says, and padded by the columns that it takes.
 */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "backstory/shown.h"

#include "cli.h"

/* "%-20.5s": what stands between the percent sign and the letter that ends it. */
typedef struct directive {
    char text[24]; /* all of it */
    bool left;
    int width, precision; /* precision < 0: none */
    char size;            /* 0, 'l', 'L' for ll, 'z' */
    char letter;
} directive;

static const char *take_number(const char *at, int *ret, va_list *args) {
    if (*at == '*') {
        *ret = va_arg(*args, int);
        return at + 1;
    }
    *ret = 0;
    while (isdigit((unsigned char)*at))
        *ret = *ret * 10 + (*at++ - '0');
    return at;
}

/* `format` stands behind the percent sign. */
static const char *take_directive(const char *format, directive *d, va_list *args) {
    const char *const start = format;

    *d = (directive){.precision = -1};
    for (; *format && strchr("-+ #0", *format); format++)
        d->left = d->left || *format == '-';
    const size_t flags = (size_t)(format - start);
    format = take_number(format, &d->width, args);
    if (*format == '.')
        format = take_number(format + 1, &d->precision, args);
    if (*format == 'z' || *format == 'l')
        d->size = *format++;
    if (d->size == 'l' && *format == 'l') {
        d->size = 'L';
        format++;
    }
    d->letter = *format;
    const char *const size = d->size == 'L' ? "ll" : d->size == 'l' ? "l" : d->size ? "z" : "";
    if (d->precision >= 0)
        snprintf(d->text, sizeof d->text, "%%%.*s%d.%d%s%c", (int)flags, start, d->width,
                 d->precision, size, d->letter);
    else if (d->width > 0)
        snprintf(d->text, sizeof d->text, "%%%.*s%d%s%c", (int)flags, start, d->width, size,
                 d->letter);
    else
        snprintf(d->text, sizeof d->text, "%%%.*s%s%c", (int)flags, start, size, d->letter);
    return format + 1;
}

static void add_string(bst_strbuf *out, const directive *d, const char *text) {
    const size_t len = d->precision < 0 ? strlen(text) : strnlen(text, (size_t)d->precision);
    bst_strbuf shown = BST_STRBUF_INIT;

    const size_t width = bst_strbuf_add_shown(&shown, text, len);
    const size_t pad = d->width > 0 && (size_t)d->width > width ? (size_t)d->width - width : 0;
    if (!d->left)
        bst_strbuf_add_spaces(out, pad);
    bst_strbuf_add(out, shown.text, shown.len);
    if (d->left)
        bst_strbuf_add_spaces(out, pad);
    out->failed = out->failed || shown.failed;
    bst_strbuf_release(&shown);
}

/* The directive's text is made of parts of a format that the compiler has checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void add_integer(bst_strbuf *out, const directive *d, va_list *args) {
    if (d->size == 'L')
        bst_strbuf_addf(out, d->text, va_arg(*args, long long));
    else if (d->size == 'l')
        bst_strbuf_addf(out, d->text, va_arg(*args, long));
    else if (d->size == 'z')
        bst_strbuf_addf(out, d->text, va_arg(*args, size_t));
    else
        bst_strbuf_addf(out, d->text, va_arg(*args, int));
}

static void add_directive(bst_strbuf *out, const directive *d, va_list *args) {
    switch (d->letter) {
    case 's':
        add_string(out, d, va_arg(*args, const char *));
        break;
    case 'd':
    case 'i':
    case 'u':
    case 'x':
        add_integer(out, d, args);
        break;
    case 'f':
    case 'g':
        bst_strbuf_addf(out, d->text, va_arg(*args, double));
        break;
    case '%':
        bst_strbuf_addc(out, '%');
        break;
    default:
        assert(!"a directive that is not known here");
    }
}

#pragma GCC diagnostic pop

static void print(FILE *out, const char *format, va_list *args) {
    bst_strbuf text = BST_STRBUF_INIT;
    directive d;

    while (*format) {
        const size_t plain = strcspn(format, "%");
        bst_strbuf_add(&text, format, plain);
        format += plain;
        if (*format == '%') {
            format = take_directive(format + 1, &d, args);
            add_directive(&text, &d, args);
        }
    }
    if (text.failed)
        cli_out_of_memory();
    fwrite(text.text, 1, text.len, out);
    bst_strbuf_release(&text);
}

void cli_printf(const char *format, ...) {
    va_list args;

    va_start(args, format);
    print(stdout, format, &args);
    va_end(args);
}

void cli_fprintf(FILE *out, const char *format, ...) {
    va_list args;

    va_start(args, format);
    print(out, format, &args);
    va_end(args);
}

static int write_json(const char *json, size_t len, void *out) {
    bst_strbuf text = BST_STRBUF_INIT;

    bst_strbuf_add_shown_json(&text, json, len);
    if (text.failed)
        cli_out_of_memory();
    const bool good = fwrite(text.text, 1, text.len, out) == text.len;
    bst_strbuf_release(&text);
    return good ? 0 : -1;
}

void cli_print_json(const json_t *value, size_t flags, FILE *out) {
    json_dump_callback(value, write_json, out, flags);
}
