/* Expressions: what is refused, where, and with which words. One mistake, one finding. */
#include "expr_fixture.h"

#include <stdio.h>

#include "backstory/json_source.h"

/* A line a finding: "column code: message | hint". */
static const struct {
    const char *text, *want, *findings;
} cases[] = {
    /* clang-format off */
    {"captured * rate", "decimal(12,2)",
     "10 would-round: decimal(18,6) would have to be rounded to be decimal(12,2) | Give the "
     "field 6 digits after the point."},
    {"fine * fine", NULL, "6 limit: product has 36 digits after the point, 18 is the limit"},
    {"fine * 0.1", NULL, "6 limit: product has 19 digits after the point, 18 is the limit"},
    {"status in [\"open\", \"closd\"]", NULL,
     "20 unknown-name: \"closd\" is not a member of enum(open,closed) | Did you mean "
     "\"closed\"?"},
    {"status == \"opened\"", NULL,
     "11 unknown-name: \"opened\" is not a member of enum(open,closed) | Did you mean "
     "\"open\"?"},
    {"status == note", NULL,
     "8 type-mismatch: enum(open,closed) does not compare with text | An enum goes with "
     "texts written in place and with enums of the same members."},
    {"flag ? \"open\" : \"closd\"", "enum(open,closed)",
     "17 unknown-name: \"closd\" is not a member of enum(open,closed) | Did you mean "
     "\"closed\"?"},
    {"bonus + 1", NULL,
     "1 may-be-null: \"bonus\" may be absent, but \"+\" needs a value | Ask first: "
     "has(bonus) && ..., or has(bonus) ? ... : ..."},
    {"bonus + 1 + bonus", NULL,
     "1 may-be-null: \"bonus\" may be absent, but \"+\" needs a value | Ask first: "
     "has(bonus) && ..., or has(bonus) ? ... : ..."},
    {"bonus > 1 && tip > 1", NULL,
     "1 may-be-null: \"bonus\" may be absent, but \">\" needs a value | Ask first: "
     "has(bonus) && ..., or has(bonus) ? ... : ..."},
    {"reason", "text",
     "1 may-be-null: \"reason\" may be absent, but the result needs a value | Ask first: "
     "has(reason) && ..., or has(reason) ? ... : ..."},
    {"null", "text",
     "1 may-be-null: null cannot stand for text | Only an optional field (text?) can be "
     "absent."},
    {"null", NULL, "1 type-mismatch: null alone has no type"},
    {"null == null", NULL, "6 type-mismatch: null does not compare with null"},
    {"tip + null", NULL,
     "1 may-be-null: \"tip\" may be absent, but \"+\" needs a value | Ask first: has(tip) "
     "&& ..., or has(tip) ? ... : ...\n"
     "7 type-mismatch: null cannot be used with \"+\" | null is compared with == and !=, "
     "and nothing else."},
    {"timestamp(\"2021-03-01T00:00:00\")", NULL,
     "11 expr-syntax: \"2021-03-01T00:00:00\" has no time zone, as it must in a timestamp | "
     "Write timestamp(\"2021-01-31T08:00:00Z\")."},
    {"timestamp(note)", NULL,
     "11 not-in-language: timestamp() takes a text written in place | A field can have the "
     "type timestamptz itself."},
    {"duration(\"P1M\")", NULL,
     "10 expr-syntax: \"P1M\" does not have the form of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"date(\"2021-02-30\")", NULL,
     "6 expr-syntax: \"2021-02-30\" is out of range of a date | Write date(\"2021-01-31\")."},
    {"day < created_at", NULL,
     "5 type-mismatch: date does not compare with timestamptz | Where a day starts depends "
     "on a time zone."},
    {"created_at < \"2021-01-01\"", NULL,
     "12 type-mismatch: timestamptz does not compare with text | Write "
     "timestamp(\"2021-01-31T08:00:00Z\")."},
    {"id == \"x\"", NULL, "7 type-mismatch: \"x\" does not have the form of a uuid"},
    {"id < id", NULL, "4 type-mismatch: uuid has no order | Only == and != compare it."},
    {"note + \"x\"", NULL,
     "6 not-in-language: \"+\" on texts is not part of the language | Texts are compared, "
     "never made."},
    {"amount / 2", NULL,
     "8 not-in-language: \"/\" is not part of the language | A quotient would have to be "
     "rounded, and a divisor may be 0; here every value is exact."},
    {"amount % 2 + foo", NULL,
     "8 not-in-language: \"%\" is not part of the language | A quotient would have to be "
     "rounded, and a divisor may be 0; here every value is exact.\n"
     "14 unknown-name: field \"foo\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"count == \"7\"", NULL,
     "7 type-mismatch: int4 does not compare with text | Numbers are written without quotes."},
    {"note == 7", NULL,
     "6 type-mismatch: text does not compare with int8 | Texts are written in quotes."},
    {"flag == 1", NULL,
     "6 type-mismatch: bool does not compare with int8 | A bool is true or false, and "
     "nothing else counts as one."},
    {"flag > true", NULL, "6 type-mismatch: bool has no order | Only == and != compare it."},
    {"1 < 2 < 3", NULL, "7 type-mismatch: comparisons do not chain | Write a < b && b < c."},
    {"foo", NULL,
     "1 unknown-name: field \"foo\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"amout", NULL, "1 unknown-name: field \"amout\" is not declared | Did you mean \"amount\"?"},
    {"comand.amount", NULL,
     "1 unknown-name: \"comand\" cannot be read here | Did you mean \"command.amount\"? "
     "Here an expression reads fields of the entity by name, and command.x."},
    {"command.amout", NULL,
     "1 unknown-name: command field \"amout\" is not declared | Did you mean "
     "\"command.amount\"?"},
    {"event.amount", NULL,
     "1 unknown-name: \"event\" cannot be read here | Did you mean \"command.amount\"? Here "
     "an expression reads fields of the entity by name, and command.x."},
    {"event.foo", NULL,
     "1 unknown-name: \"event\" cannot be read here | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"note.foo", NULL,
     "1 not-in-language: field \"note\" has no parts to select | Fields are read whole: by "
     "name, command.x or event.x."},
    {"note.foo.bar", NULL,
     "9 not-in-language: a value has no parts to select | Fields are read whole: by name, "
     "command.x or event.x."},
    {"a = b", NULL,
     "3 expr-syntax: \"=\" is not an operator | Write \"==\".\n"
     "1 unknown-name: field \"a\" is not declared | Here an expression reads fields of the "
     "entity by name, and command.x.\n"
     "5 unknown-name: field \"b\" is not declared | Here an expression reads fields of the "
     "entity by name, and command.x."},
    {"count = 7 and flag", NULL,
     "7 expr-syntax: \"=\" is not an operator | Write \"==\".\n"
     "11 expr-syntax: \"and\" is not an operator | Write \"&&\"."},
    {"count <> 7 or not flag", NULL,
     "7 expr-syntax: \"<>\" is not an operator | Write \"!=\".\n"
     "12 expr-syntax: \"or\" is not an operator | Write \"||\".\n"
     "19 expr-syntax: expected an operator, not \"flag\" | Write !x."},
    {"count is null", NULL,
     "7 expr-syntax: expected an operator, not \"is\" | Write x == null or x != null."},
    {"note like \"x\"", NULL,
     "6 expr-syntax: expected an operator, not \"like\" | Write x.startsWith(\"...\"), "
     "x.endsWith(\"...\") or x.contains(\"...\")."},
    {"count between 1 and 2", NULL,
     "7 expr-syntax: expected an operator, not \"between\" | Write x >= 1 && x <= 9."},
    {"1e5", NULL,
     "1 not-in-language: number \"1e5\" has a form that is not part of the language | "
     "Numbers are written 12 or 12.50: no exponent, no suffix, no hexadecimal digits."},
    {"0x1F", NULL,
     "1 not-in-language: number \"0x1F\" has a form that is not part of the language | "
     "Numbers are written 12 or 12.50: no exponent, no suffix, no hexadecimal digits."},
    {"5u", NULL,
     "1 not-in-language: number \"5u\" has a form that is not part of the language | "
     "Numbers are written 12 or 12.50: no exponent, no suffix, no hexadecimal digits."},
    {"r\"abc\"", NULL,
     "1 not-in-language: prefix \"r\" of a text is not part of the language | Texts are "
     "written \"...\" or '...'."},
    {"\"abc", NULL,
     "1 expr-syntax: text is not closed | End it with \"; a line feed inside a text is "
     "written \\n."},
    {"\"a\\qb\"", NULL,
     "3 expr-syntax: text has an unknown escape | The escapes are \\n \\r \\t \\\\ \\\" \\' "
     "and \\uXXXX (a character other than U+0000 and surrogates)."},
    {"99999999999999999999", NULL,
     "1 limit: integer is out of the range of int8 | The range is -9223372036854775808 to "
     "9223372036854775807."},
    {"9223372036854775808", NULL,
     "1 limit: integer is out of the range of int8 | The range is -9223372036854775808 to "
     "9223372036854775807."},
    {"1234567890.1234567890", NULL, "1 limit: decimal has more than 18 digits"},
    {"matches(note, \"x\")", NULL,
     "1 not-in-language: matches() is not part of the language | The cost of a pattern has "
     "no bound; there are startsWith, endsWith, contains and in."},
    {"note.matches(\"x\")", NULL,
     "6 not-in-language: matches() is not part of the language | The cost of a pattern has "
     "no bound; there are startsWith, endsWith, contains and in."},
    {"startswith(note, \"x\")", NULL,
     "1 unknown-name: function \"startswith\" is not known | Did you mean \"startsWith\"?"},
    {"now()", NULL,
     "1 not-in-language: now() is not part of the language | The same input must always "
     "give the same result; take it from the command."},
    {"coalesce(tip, 0)", NULL,
     "1 not-in-language: coalesce() is not part of the language | Write has(x) ? x : y."},
    {"has(1)", NULL, "5 expr-syntax: has() takes the name of a field"},
    {"has()", NULL, "1 expr-syntax: has() takes 1 argument, not 0"},
    {"size(1)", NULL, "6 type-mismatch: \"size\" takes texts, not int8"},
    {"size(note, note)", NULL, "1 expr-syntax: size() takes 1 argument, not 2"},
    {"tip.has()", NULL, "5 expr-syntax: has() is not called on a value | Write has(x)."},
    {"[1,2]", NULL,
     "1 not-in-language: a list is not a value of the language | A list stands only after "
     "in: x in [1, 2]."},
    {"{1:2}", NULL, "1 not-in-language: a map or message is not a value of the language"},
    {"count in []", NULL, "7 expr-syntax: the list after in is empty"},
    {"count in 5", NULL,
     "10 expr-syntax: expected \"[\" after in, not \"5\" | Write x in [1, 2, 3]."},
    {"count in [1, \"x\", 2.5, foo]", NULL,
     "24 unknown-name: field \"foo\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x.\n"
     "14 type-mismatch: int4 does not compare with text | Numbers are written without "
     "quotes."},
    {"note[0]", NULL,
     "5 not-in-language: a value has no parts to select | Fields are read whole: by name, "
     "command.x or event.x."},
    {"( 1", NULL,
     "4 expr-syntax: expected \")\" after the bracketed expression, not the end of the "
     "expression"},
    {"1 )", NULL, "3 expr-syntax: expected an operator, not \")\""},
    {"1 +", NULL, "4 expr-syntax: expected a value, not the end of the expression"},
    {"+1", NULL, "1 expr-syntax: expected a value, not \"+\""},
    {".5", NULL, "1 expr-syntax: expected a value, not \".\" | Write 0.5, not .5."},
    {"#", NULL, "1 expr-syntax: character \"#\" has no meaning here"},
    {"gr\303\266\303\237e", NULL,
     "3 expr-syntax: character \"\303\266\" has no meaning here | A name with other "
     "characters than a-z, A-Z, 0-9 and _ is written in backticks: `gr\303\266\303\237e`."},
    {"in", NULL, "1 expr-syntax: expected a value, not \"in\""},
    {"count in [in]", NULL, "11 expr-syntax: expected a value, not \"in\""},
    {"70000", "int2", "1 type-mismatch: 70000 does not fit int2"},
    {"amount", "decimal(12,1)",
     "1 would-round: decimal(12,2) would have to be rounded to be decimal(12,1) | Give the "
     "field 2 digits after the point."},
    {"1.55", "decimal(12,1)", "1 would-round: 1.55 would have to be rounded to be decimal(12,1)"},
    {"amount", "int4",
     "1 would-round: decimal(12,2) would have to be rounded to be int4 | Give the field 2 "
     "digits after the point."},
    {"\"abcd\"", "varchar(3)", "1 type-mismatch: \"abcd\" does not fit varchar(3)"},
    {"flag", "int4",
     "1 type-mismatch: expected int4, not bool | A bool is true or false, and nothing else "
     "counts as one."},
    {"count", "bool",
     "1 type-mismatch: expected bool, not int4 | A bool is true or false, and nothing else "
     "counts as one."},
    {"amount + 1", "bool",
     "8 type-mismatch: expected bool, not decimal(18,2) | A bool is true or false, and "
     "nothing else counts as one."},
    {"flag ? amount : note", NULL,
     "6 type-mismatch: branches of \"?:\" are decimal(12,2) and text"},
    {"flag ? null : null", NULL, "6 type-mismatch: both branches of \"?:\" are null"},
    {"(flag ? amount : tip) + 1", NULL,
     "7 may-be-null: value may be absent, but \"+\" needs one | Give a value for that case "
     "too."},
    {"extra == extra", NULL,
     "7 type-mismatch: json does not compare with json | Of a json value an expression can "
     "only ask has(x)."},
    {"raw < raw", NULL, "5 type-mismatch: bytea has no order | Only == and != compare it."},
    {"-note", NULL, "1 type-mismatch: \"-\" does not take text | It takes a number."},
    {"!count", NULL, "2 type-mismatch: \"!\" takes bool, not int4"},
    {"a && b", NULL,
     "1 unknown-name: field \"a\" is not declared | Here an expression reads fields of the "
     "entity by name, and command.x.\n"
     "6 unknown-name: field \"b\" is not declared | Here an expression reads fields of the "
     "entity by name, and command.x."},
    {"foo && foo", NULL,
     "1 unknown-name: field \"foo\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"flag && foo && bar", NULL,
     "9 unknown-name: field \"foo\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x.\n"
     "16 unknown-name: field \"bar\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"(has(tip) && foo > 1) && tip > 1", NULL,
     "14 unknown-name: field \"foo\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"flag ? flag ? 1 : 2 : 3", NULL,
     "13 expr-syntax: expected \":\" after \"?\" and its value, not \"?\""},
    {"command.size + size(command.note)", NULL,
     "21 may-be-null: \"command.note\" may be absent, but \"size\" needs a value | Ask "
     "first: has(command.note) && ..., or has(command.note) ? ... : ..."},
    {"note.startsWith(1)", NULL, "17 type-mismatch: \"startsWith\" takes texts, not int8"},
    {"created_at - paid_at", NULL,
     "14 may-be-null: \"paid_at\" may be absent, but \"-\" needs a value | Ask first: "
     "has(paid_at) && ..., or has(paid_at) ? ... : ..."},
    {"duration(\"9223372036854775807us\") + duration(\"1us\")", NULL,
     "10 expr-syntax: \"9223372036854775807us\" is out of range of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"-9223372036854775807us\") - duration(\"2us\")", NULL,
     "10 expr-syntax: \"-9223372036854775807us\" is out of range of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"0.5us\")", NULL,
     "10 expr-syntax: \"0.5us\" has more digits than microseconds in a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"1h \")", NULL,
     "10 expr-syntax: \"1h \" does not have the form of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"\")", NULL,
     "10 expr-syntax: \"\" does not have the form of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"0.000000001 * 0.0000000001", NULL,
     "13 limit: product has 19 digits after the point, 18 is the limit"},
    {"total > 9223372036854775806.9", NULL, "9 limit: decimal has more than 18 digits"},
    {"stage in [\"open\"]", NULL,
     "1 may-be-null: \"stage\" may be absent, but \"in\" needs a value | Ask first: "
     "has(stage) && ..., or has(stage) ? ... : ..."},
    {"status < \"open\"", NULL,
     "8 type-mismatch: enum(open,closed) has no order | Write x in [\"a\", \"b\"]."},
    {"\"open\" in [status]", NULL,
     "1 type-mismatch: left side of in is a text, but the list has enum(open,closed)"},
    {"null in [1]", NULL,
     "1 type-mismatch: null cannot be used with \"in\" | null is compared with == and !=, "
     "and nothing else."},
    {"count in [null]", NULL,
     "11 type-mismatch: null cannot be used with \"in\" | null is compared with == and !=, "
     "and nothing else."},
    {"retries in [1]", NULL,
     "1 may-be-null: \"retries\" may be absent, but \"in\" needs a value | Ask first: "
     "has(retries) && ..., or has(retries) ? ... : ..."},
    {"count in [retries]", NULL,
     "11 may-be-null: \"retries\" may be absent, but \"in\" needs a value | Ask first: "
     "has(retries) && ..., or has(retries) ? ... : ..."},
    {"(has(tip) || flag) && tip > 1", NULL,
     "23 may-be-null: \"tip\" may be absent, but \">\" needs a value | Ask first: has(tip) "
     "&& ..., or has(tip) ? ... : ..."},
    {"(has(tip) || has(bonus)) && tip > 1", NULL,
     "29 may-be-null: \"tip\" may be absent, but \">\" needs a value | Ask first: has(tip) "
     "&& ..., or has(tip) ? ... : ..."},
    {"has(tip) == true && tip > 1", NULL,
     "21 may-be-null: \"tip\" may be absent, but \">\" needs a value | Ask first: has(tip) "
     "&& ..., or has(tip) ? ... : ..."},
    {"(flag ? has(tip) : has(bonus)) && tip > 1", NULL,
     "35 may-be-null: \"tip\" may be absent, but \">\" needs a value | Ask first: has(tip) "
     "&& ..., or has(tip) ? ... : ..."},
    {"has(tip) ? has(bonus) ? tip : bonus : 0", NULL,
     "23 expr-syntax: expected \":\" after \"?\" and its value, not \"?\""},
    {"retries + 1", "int4",
     "1 may-be-null: \"retries\" may be absent, but \"+\" needs a value | Ask first: "
     "has(retries) && ..., or has(retries) ? ... : ..."},
    {"status.startsWith(\"o\")", NULL,
     "1 type-mismatch: \"startsWith\" takes texts, not enum(open,closed)"},
    {"id.contains(\"6\")", NULL, "1 type-mismatch: \"contains\" takes texts, not uuid"},
    {"size(status)", NULL, "6 type-mismatch: \"size\" takes texts, not enum(open,closed)"},
    {"size(raw)", NULL, "6 type-mismatch: \"size\" takes texts, not bytea"},
    {"\"\\u0000\"", NULL,
     "2 expr-syntax: text has an unknown escape | The escapes are \\n \\r \\t \\\\ \\\" \\' "
     "and \\uXXXX (a character other than U+0000 and surrogates)."},
    {"\"\\ud83d\"", NULL,
     "2 expr-syntax: text has an unknown escape | The escapes are \\n \\r \\t \\\\ \\\" \\' "
     "and \\uXXXX (a character other than U+0000 and surrogates)."},
    {"\"\\u12\"", NULL,
     "2 expr-syntax: text has an unknown escape | The escapes are \\n \\r \\t \\\\ \\\" \\' "
     "and \\uXXXX (a character other than U+0000 and surrogates)."},
    {"\"\\u20ac\" + \"\"", NULL,
     "10 not-in-language: \"+\" on texts is not part of the language | Texts are compared, "
     "never made."},
    {"`a", NULL, "1 expr-syntax: quoted name is not closed | End it with `."},
    {"flag == count > 5", NULL,
     "6 type-mismatch: bool does not compare with int4 | A bool is true or false, and "
     "nothing else counts as one."},
    {"note.size().size()", NULL, "6 type-mismatch: \"size\" takes texts, not int8"},
    {"command.size()", NULL,
     "1 unknown-name: field \"command\" is not declared | Here an expression reads fields "
     "of the entity by name, and command.x."},
    {"-32769", "int2", "1 type-mismatch: -32769 does not fit int2"},
    {"note", "enum(open,closed)",
     "1 type-mismatch: expected enum(open,closed), not text | An enum goes with texts "
     "written in place and with enums of the same members."},
    {"status", "enum(open,closed,gone)",
     "1 type-mismatch: expected enum(open,closed,gone), not enum(open,closed)"},
    {"status", "text",
     "1 type-mismatch: expected text, not enum(open,closed) | An enum goes with texts "
     "written in place and with enums of the same members."},
    {"\"nope\"", "uuid", "1 type-mismatch: \"nope\" does not have the form of a uuid"},
    {"note", "uuid", "1 type-mismatch: expected uuid, not text"},
    {"day", "timestamptz",
     "1 type-mismatch: expected timestamptz, not date | Where a day starts depends on a "
     "time zone."},
    {"\"2021-03-02\"", "date",
     "1 type-mismatch: expected date, not text | Write date(\"2021-01-31\")."},
    {"created_at - created_at", "int8", "12 type-mismatch: expected int8, not duration"},
    {"flag ? 1 : \"a\"", "decimal(4,2)",
     "12 type-mismatch: expected decimal(4,2), not text | Numbers are written without "
     "quotes."},
    {"flag ? 1 : 2.555", "decimal(4,2)",
     "12 would-round: 2.555 would have to be rounded to be decimal(4,2)"},
    {"flag ? null : 5", "decimal(4,2)",
     "8 may-be-null: null cannot stand for decimal(4,2) | Only an optional field "
     "(decimal(4,2)?) can be absent."},
    {"flag ? tip : 5", "decimal(4,2)",
     "8 may-be-null: \"tip\" may be absent, but the result needs a value | Ask first: "
     "has(tip) && ..., or has(tip) ? ... : ..."},
    {"count ? 1 : 2", NULL, "1 type-mismatch: \"?:\" takes bool, not int4"},
    {"tip ? 1 : 2", NULL,
     "1 may-be-null: \"tip\" may be absent, but \"?:\" needs a value | Ask first: has(tip) "
     "&& ..., or has(tip) ? ... : ..."},
    {"count && flag", NULL, "1 type-mismatch: \"&&\" takes bool, not int4"},
    {"flag || note", NULL, "9 type-mismatch: \"||\" takes bool, not text"},
    {"flag + flag", NULL,
     "6 type-mismatch: \"+\" does not take bool and bool | It takes two numbers, two "
     "durations, or a timestamp and a duration."},
    {"created_at + created_at", NULL,
     "12 type-mismatch: \"+\" does not take timestamptz and timestamptz | It takes two "
     "numbers, two durations, or a timestamp and a duration."},
    {"created_at + 1", NULL,
     "12 type-mismatch: \"+\" does not take timestamptz and int8 | It takes two numbers, "
     "two durations, or a timestamp and a duration."},
    {"created_at * 2", NULL,
     "12 type-mismatch: \"*\" does not take timestamptz and int8 | It takes two numbers."},
    {"duration(\"PT1H\") * 2", NULL,
     "18 type-mismatch: \"*\" does not take duration and int8 | It takes two numbers."},
    {"-duration(\"PT1H\")", NULL,
     "1 type-mismatch: \"-\" does not take duration | It takes a number."},
    {"day + duration(\"P1D\")", NULL,
     "5 type-mismatch: \"+\" does not take date and duration | It takes two numbers, two "
     "durations, or a timestamp and a duration."},
    {"day - day", NULL,
     "5 type-mismatch: \"-\" does not take date and date | It takes two numbers, two "
     "durations, two timestamps, or a timestamp and a duration."},
    {"duration(\"PT1H\") - created_at", NULL,
     "18 type-mismatch: \"-\" does not take duration and timestamptz | It takes two "
     "numbers, two durations, two timestamps, or a timestamp and a duration."},
    {"note - note", NULL,
     "6 not-in-language: \"-\" on texts is not part of the language | Texts are compared, "
     "never made."},
    {"note * 2", NULL,
     "6 type-mismatch: \"*\" does not take text and int8 | It takes two numbers."},
    {"a / b / c", NULL,
     "3 not-in-language: \"/\" is not part of the language | A quotient would have to be "
     "rounded, and a divisor may be 0; here every value is exact.\n"
     "7 not-in-language: \"/\" is not part of the language | A quotient would have to be "
     "rounded, and a divisor may be 0; here every value is exact.\n"
     "1 unknown-name: field \"a\" is not declared | Here an expression reads fields of the "
     "entity by name, and command.x.\n"
     "5 unknown-name: field \"b\" is not declared | Here an expression reads fields of the "
     "entity by name, and command.x.\n"
     "9 unknown-name: field \"c\" is not declared | Here an expression reads fields of the "
     "entity by name, and command.x."},
    {"1 / 0", NULL,
     "3 not-in-language: \"/\" is not part of the language | A quotient would have to be "
     "rounded, and a divisor may be 0; here every value is exact."},
    {"flag && / flag", NULL, "9 expr-syntax: expected a value, not \"/\""},
    {"flag &&", NULL, "8 expr-syntax: expected a value, not the end of the expression"},
    {"&& flag", NULL, "1 expr-syntax: expected a value, not \"&&\""},
    {"flag flag", NULL, "6 expr-syntax: expected an operator, not \"flag\""},
    {"count == = 7", NULL, "10 expr-syntax: expected a value, not \"=\""},
    {"count === 7", NULL, "7 expr-syntax: \"===\" is not an operator | Write \"==\"."},
    {"count !== 7", NULL, "7 expr-syntax: \"!==\" is not an operator | Write \"!=\"."},
    {"flag & flag | flag", NULL,
     "6 expr-syntax: \"&\" is not an operator | Write \"&&\".\n"
     "13 expr-syntax: \"|\" is not an operator | Write \"||\"."},
    {"if (flag) 1", NULL,
     "1 unknown-name: function \"if\" is not known | There are has, size, startsWith, "
     "endsWith, contains, timestamp, duration, date and state_in.\n"
     "11 expr-syntax: expected an operator, not \"1\""},
    {"amount := 5", NULL, "8 expr-syntax: expected an operator, not \":\""},
    {"x -> y", NULL, "4 expr-syntax: expected a value, not \">\""},
    {"count ?: 7", NULL, "8 expr-syntax: expected a value, not \":\""},
    {"flag ? 1", NULL,
     "9 expr-syntax: expected \":\" after \"?\" and its value, not the end of the expression"},
    {"flag ? 1 :", NULL, "11 expr-syntax: expected a value, not the end of the expression"},
    {"has(tip", NULL,
     "8 expr-syntax: expected \")\" after the arguments, not the end of the expression"},
    {"has(event.x)", NULL,
     "5 unknown-name: \"event\" cannot be read here | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"has(nope)", NULL, "5 unknown-name: field \"nope\" is not declared | Did you mean \"note\"?"},
    {"has(size(note))", NULL, "5 expr-syntax: has() takes the name of a field"},
    {"command", NULL,
     "1 unknown-name: field \"command\" is not declared | Here an expression reads fields "
     "of the entity by name, and command.x."},
    {"event", NULL,
     "1 unknown-name: field \"event\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {"command.", NULL, "9 expr-syntax: expected a name after \".\", not the end of the expression"},
    {"command[\"size\"]", NULL,
     "8 not-in-language: a value has no parts to select | Fields are read whole: by name, "
     "command.x or event.x."},
    {"\"abc\"[0]", NULL,
     "6 not-in-language: a value has no parts to select | Fields are read whole: by name, "
     "command.x or event.x."},
    {"timestamp(\"\")", NULL,
     "11 expr-syntax: \"\" does not have the form of a timestamp | Write "
     "timestamp(\"2021-01-31T08:00:00Z\")."},
    {"timestamp(\"x\"", NULL,
     "14 expr-syntax: expected \")\" after the arguments, not the end of the expression"},
    {"timestamp(1)", NULL,
     "11 not-in-language: timestamp() takes a text written in place | A field can have the "
     "type timestamptz itself."},
    {"date(\"2021-03-02\", \"UTC\")", NULL, "1 expr-syntax: date() takes 1 argument, not 2"},
    {"timestamp(\"2021-13-01T00:00:00Z\")", NULL,
     "11 expr-syntax: \"2021-13-01T00:00:00Z\" is out of range of a timestamp | Write "
     "timestamp(\"2021-01-31T08:00:00Z\")."},
    {"timestamp(\"2021-03-01T00:00:00.1234567Z\")", NULL,
     "11 expr-syntax: \"2021-03-01T00:00:00.1234567Z\" has more digits than microseconds in "
     "a timestamp | Write timestamp(\"2021-01-31T08:00:00Z\")."},
    {"int(amount)", NULL,
     "1 not-in-language: int() is not part of the language | Values convert by themselves "
     "where nothing can be lost, and not at all elsewhere."},
    {"string(count)", NULL,
     "1 not-in-language: string() is not part of the language | Values convert by "
     "themselves where nothing can be lost, and not at all elsewhere."},
    {"amount.round()", NULL,
     "8 not-in-language: round() is not part of the language | Nothing here rounds."},
    {"round(amount, 2)", NULL,
     "1 not-in-language: round() is not part of the language | Nothing here rounds."},
    {"lower(note) == \"x\"", NULL,
     "1 not-in-language: lower() is not part of the language | Texts are compared, never "
     "made."},
    {"note.lowerAscii()", NULL,
     "6 not-in-language: lowerAscii() is not part of the language | Texts are compared, "
     "never made."},
    {"created_at.getFullYear()", NULL,
     "12 not-in-language: getFullYear() is not part of the language | A part of a time "
     "depends on a time zone; compare with timestamp(\"...\") instead."},
    {"[1, 2].exists(x, x > 1)", NULL,
     "1 not-in-language: a list is not a value of the language | A list stands only after "
     "in: x in [1, 2]."},
    {"not(flag)", NULL, "1 not-in-language: not() is not part of the language | Write !x."},
    {"ends_with(note, \"x\")", NULL,
     "1 unknown-name: function \"ends_with\" is not known | Did you mean \"endsWith\"?"},
    {"foobar(note)", NULL,
     "1 unknown-name: function \"foobar\" is not known | There are has, size, startsWith, "
     "endsWith, contains, timestamp, duration, date and state_in."},
    {"status == \"OPEN\"", NULL, "11 unknown-name: \"OPEN\" is not a member of enum(open,closed)"},
    {"status in [\"open\", \"closed\", \"x\"]", NULL,
     "30 unknown-name: \"x\" is not a member of enum(open,closed)"},
    {"status == 1", NULL,
     "8 type-mismatch: enum(open,closed) does not compare with int8 | An enum goes with "
     "texts written in place and with enums of the same members."},
    {"uuid()", NULL,
     "1 not-in-language: uuid() is not part of the language | The same input must always "
     "give the same result; take it from the command."},
    {"now() - created_at > duration(\"P1D\")", NULL,
     "1 not-in-language: now() is not part of the language | The same input must always "
     "give the same result; take it from the command."},
    {"foo + bar > baz && foo > 1", NULL,
     "1 unknown-name: field \"foo\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x.\n"
     "7 unknown-name: field \"bar\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x.\n"
     "13 unknown-name: field \"baz\" is not declared | Here an expression reads fields of "
     "the entity by name, and command.x."},
    {" ", NULL, "1 expr-syntax: expression is empty"},
    {"not flag", NULL, "5 expr-syntax: expected an operator, not \"flag\" | Write !x."},
    {"commnd.size", NULL,
     "1 unknown-name: \"commnd\" cannot be read here | Did you mean \"command.size\"? Here "
     "an expression reads fields of the entity by name, and command.x."},
    {"size", NULL,
     "1 unknown-name: field \"size\" is not declared | Did you mean \"command.size\"?"},
    {"count = 7", NULL, "7 expr-syntax: \"=\" is not an operator | Write \"==\"."},
    {"flag & flag", NULL, "6 expr-syntax: \"&\" is not an operator | Write \"&&\"."},
    {"flag and flag or flag", NULL,
     "6 expr-syntax: \"and\" is not an operator | Write \"&&\".\n"
     "15 expr-syntax: \"or\" is not an operator | Write \"||\"."},
    {"count in [1", NULL,
     "12 expr-syntax: expected \"]\" after the list, not the end of the expression"},
    {"duration(\"9223372036854775807us\")", NULL,
     "10 expr-syntax: \"9223372036854775807us\" is out of range of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"1.5us\")", NULL,
     "10 expr-syntax: \"1.5us\" has more digits than microseconds in a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"1..5s\")", NULL,
     "10 expr-syntax: \"1..5s\" does not have the form of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"s\")", NULL,
     "10 expr-syntax: \"s\" does not have the form of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(\"9999999999h\")", NULL,
     "10 expr-syntax: \"9999999999h\" is out of range of a duration | Write "
     "duration(\"PT1H30M\"), duration(\"P2D\") or duration(\"1h30m\"); months and years "
     "have no fixed length."},
    {"duration(note)", NULL, "10 not-in-language: duration() takes a text written in place"},
    {"date(note)", NULL,
     "6 not-in-language: date() takes a text written in place | A field can have the type "
     "date itself."},
    /* clang-format on */
};

START_TEST(test_findings) {
    bst_strbuf wrong = BST_STRBUF_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expr_fixture f = expr_fixture_new();
        bst_strbuf out = BST_STRBUF_INIT;
        if (expr_compile(&f, cases[i].text, cases[i].want) == NULL) {
            expr_findings(&f, &out);
        }
        if (strcmp(out.text, cases[i].findings) != 0) {
            bst_strbuf_addf(&wrong, "\n%s\n%s", cases[i].text, out.text);
        }
        bst_strbuf_release(&out);
        expr_fixture_free(&f);
    }
    ck_assert_msg(wrong.len == 0, "%s", wrong.text);
    bst_strbuf_release(&wrong);
}
END_TEST

/* ---- limits and places ---- */

static const char *code_of(const expr_fixture *f, size_t index) {
    return bst_diags_at(f->diags, index)->code;
}

static void repeat(bst_strbuf *out, const char *text, int times) {
    for (int i = 0; i < times; i++) {
        bst_strbuf_adds(out, text);
    }
}

/* `open` n times, a value, `close` n times: the deepest compiles, one more does not. */
static void check_depth(const char *open, const char *value, const char *close, int deepest) {
    for (int extra = 0; extra < 2; extra++) {
        expr_fixture f = expr_fixture_new();
        bst_strbuf text = BST_STRBUF_INIT;
        repeat(&text, open, deepest + extra);
        bst_strbuf_adds(&text, value);
        repeat(&text, close, deepest + extra);
        const bst_expr *expr = expr_compile(&f, text.text, NULL);
        ck_assert_msg((expr != NULL) == (extra == 0), "%s %d", open, deepest + extra);
        if (expr == NULL) {
            ck_assert_uint_eq(bst_diags_count(f.diags), 1);
            ck_assert_str_eq(code_of(&f, 0), "limit");
        }
        bst_strbuf_release(&text);
        expr_fixture_free(&f);
    }
}

START_TEST(test_depth) {
    check_depth("(", "1", ")", BST_EXPR_DEPTH_MAX - 1);
    check_depth("!", "flag", "", BST_EXPR_DEPTH_MAX - 1);
    check_depth("-", "count", "", BST_EXPR_DEPTH_MAX - 1);
    check_depth("", "1", " + 1", BST_EXPR_DEPTH_MAX - 1);
    check_depth("flag ? 1 : ", "1", "", BST_EXPR_DEPTH_MAX - 1);
}
END_TEST

/* Chains of && and || may be as long as the text. */
START_TEST(test_long_chain) {
    expr_fixture f = expr_fixture_new();
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "count == -1");
    for (int i = 0; i < 3000; i++) {
        bst_strbuf_addf(&text, " %s count == %d", i % 2 ? "&&" : "||", i % 9);
    }
    const bst_expr *expr = expr_compile(&f, text.text, "bool");
    ck_assert_ptr_nonnull(expr);
    bst_strbuf again = BST_STRBUF_INIT;
    bst_expr_format(expr, &again);
    ck_assert_str_eq(again.text, text.text);
    bst_strbuf_release(&again);
    bst_strbuf_release(&text);
    expr_fixture_free(&f);
}
END_TEST

START_TEST(test_bytes_max) {
    expr_fixture f = expr_fixture_new();
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "flag");
    while (text.len < BST_EXPR_BYTES_MAX) {
        bst_strbuf_addc(&text, ' ');
    }
    ck_assert_ptr_nonnull(expr_compile(&f, text.text, "bool"));
    bst_strbuf_addc(&text, ' ');
    ck_assert_ptr_null(expr_compile(&f, text.text, "bool"));
    ck_assert_str_eq(code_of(&f, 0), "limit");
    bst_strbuf_release(&text);
    expr_fixture_free(&f);
}
END_TEST

START_TEST(test_optional_max) {
    for (int count = BST_EXPR_OPTIONAL_MAX; count <= BST_EXPR_OPTIONAL_MAX + 1; count++) {
        expr_fixture f = expr_fixture_new();
        expr_sample samples[BST_EXPR_OPTIONAL_MAX + 1];
        char names[BST_EXPR_OPTIONAL_MAX + 1][8];
        bst_strbuf text = BST_STRBUF_INIT;
        for (int i = 0; i < count; i++) {
            ck_assert_int_gt(snprintf(names[i], sizeof names[i], "x%d", i), 0);
            samples[i] = (expr_sample){names[i], "int4?", NULL};
            bst_strbuf_addf(&text, "%shas(x%d) && x%d > 1", i > 0 ? " || " : "", i, i);
        }
        expr_fixture_fill(&f, BST_ROOT_ENTITY, samples, (size_t)count);
        const bst_expr *expr = expr_compile(&f, text.text, "bool");
        ck_assert_int_eq(expr != NULL, count == BST_EXPR_OPTIONAL_MAX);
        if (expr == NULL) {
            ck_assert_uint_eq(bst_diags_count(f.diags), 1);
            ck_assert_str_eq(code_of(&f, 0), "limit");
        }
        bst_strbuf_release(&text);
        expr_fixture_free(&f);
    }
}
END_TEST

START_TEST(test_bytes_that_are_no_text) {
    static const struct {
        const char *bytes;
        size_t len;
    } texts[] = {{"flag\0", 5}, {"\xff", 1}, {"'\xc3'", 3}, {"flag &\xe2\x82", 8}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expr_fixture f = expr_fixture_new();
        const bst_expr *expr = NULL;
        ck_assert_int_eq(bst_expr_compile(texts[i].bytes, texts[i].len, &f.scope, NULL, NULL,
                                          f.arena, &expr, f.diags),
                         BST_INVALID);
        ck_assert_ptr_null(expr);
        ck_assert_str_eq(code_of(&f, 0), "expr-syntax");
        expr_fixture_free(&f);
    }
}
END_TEST

/* An expression is a JSON string in a file: escapes before the mistake move it. */
START_TEST(test_place_in_file) {
    static const char file[] =
        "{\n  \"guards\": {\n    \"g\": \"note == \\\"\\u00f6\\\" && amout > 1\"\n  }\n}\n";
    expr_fixture f = expr_fixture_new();
    bst_json_source *source = NULL;
    ck_assert_int_eq(bst_json_source_parse("m.json", file, strlen(file), &source, f.diags), BST_OK);
    const char *text = json_string_value(
        json_object_get(json_object_get(bst_json_source_root(source), "guards"), "g"));
    const bst_expr_place place = {source, "/guards/g"};
    const bst_expr *expr = NULL;
    ck_assert_int_eq(
        bst_expr_compile(text, strlen(text), &f.scope, NULL, &place, f.arena, &expr, f.diags),
        BST_INVALID);
    const bst_diag *d = bst_diags_at(f.diags, 0);
    ck_assert_str_eq(d->file, "m.json");
    ck_assert_uint_eq(d->line, 3);
    ck_assert_uint_eq(d->column, 33);
    bst_json_source_free(source);
    expr_fixture_free(&f);
}
END_TEST

/* Lines count too, and columns count characters. */
START_TEST(test_place_in_text) {
    expr_fixture f = expr_fixture_new();
    ck_assert_ptr_null(expr_compile(&f, "flag &&\n  '\xc3\xb6\xc3\xb6' == nope", NULL));
    const bst_diag *d = bst_diags_at(f.diags, 0);
    ck_assert_str_eq(d->file, "expression");
    ck_assert_uint_eq(d->line, 2);
    ck_assert_uint_eq(d->column, 11);
    expr_fixture_free(&f);
}
END_TEST

/* A mapping's expressions read columns; an apply reads the event. */
START_TEST(test_other_scopes) {
    static const expr_sample columns[] = {{"status_cd", "text?", "A"}, {"amount", "int8", "5"}};
    expr_fixture f = expr_fixture_new();
    memset(&f.scope, 0, sizeof f.scope);
    bst_strbuf out = BST_STRBUF_INIT;
    ck_assert_ptr_null(expr_compile(&f, "x", NULL));
    expr_findings(&f, &out);
    ck_assert_str_eq(out.text,
                     "1 unknown-name: \"x\" cannot be read here | Here an expression reads no "
                     "names at all.");

    expr_fixture_fill(&f, BST_ROOT_ROW, columns, 2);
    const bst_expr *expr = expr_compile(&f, "status_cd == 'A' && amount * 2 == 10", "bool");
    ck_assert_ptr_nonnull(expr);
    bst_strbuf_clear(&out);
    expr_result(&f, expr, &out);
    ck_assert_str_eq(out.text, "bool true");
    ck_assert_ptr_null(expr_compile(&f, "statuscd == 'A' || command.x", "bool"));
    bst_strbuf_clear(&out);
    expr_findings(&f, &out);
    ck_assert_str_eq(
        out.text,
        "1 unknown-name: column \"statuscd\" is not declared | Did you mean \"status_cd\"?\n"
        "20 unknown-name: \"command\" cannot be read here | Here an expression reads columns "
        "of the row by name.");

    memset(&f.scope, 0, sizeof f.scope);
    expr_fixture_fill(&f, BST_ROOT_EVENT, columns, 2);
    ck_assert_ptr_nonnull(expr_compile(&f, "event.amount + 1", "int8"));
    ck_assert_ptr_null(expr_compile(&f, "amount + 1", "int8"));
    bst_strbuf_clear(&out);
    expr_findings(&f, &out);
    ck_assert_str_eq(out.text, "1 unknown-name: \"amount\" cannot be read here | Did you mean "
                               "\"event.amount\"? Here an expression reads event.x.");
    bst_strbuf_release(&out);
    expr_fixture_free(&f);
}
END_TEST

START_TEST(test_without_list_of_findings) {
    expr_fixture f = expr_fixture_new();
    const bst_expr *expr = NULL;
    ck_assert_int_eq(bst_expr_compile("amout", 5, &f.scope, NULL, NULL, f.arena, &expr, NULL),
                     BST_INVALID);
    ck_assert_ptr_null(expr);
    expr_fixture_free(&f);
}
END_TEST

static void add_ref(const bst_expr *ref, void *context) {
    bst_strbuf_addf(context, "%d:%s ", (int)ref->root, ref->name);
}

START_TEST(test_walks) {
    expr_fixture f = expr_fixture_new();
    bst_strbuf out = BST_STRBUF_INIT;
    const bst_expr *a =
        expr_compile(&f, "has(tip) && tip < command.amount || amount in [1, captured]", NULL);
    bst_expr_each_ref(a, add_ref, &out);
    ck_assert_str_eq(out.text, "0:tip 0:tip 1:amount 0:amount 0:captured ");
    bst_strbuf_release(&out);

    const bst_expr *same =
        expr_compile(&f, "(has(tip)&&tip<command.amount)||amount in[1,captured]", NULL);
    ck_assert(bst_expr_equal(a, same));
    static const char *const others[] = {
        "has(tip) && tip < command.amount || amount in [2, captured]",
        "has(tip) && tip < command.amount || amount in [1, amount]",
        "has(tip) && tip < command.amount || amount in [1]",
        "has(tip) && tip < amount || amount in [1, captured]",
        "has(tip) && tip <= command.amount || amount in [1, captured]",
        "has(tip) && tip < command.amount || amount in [1.0, captured]",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_msg(!bst_expr_equal(a, expr_compile(&f, others[i], NULL)), "%s", others[i]);
    }
    expr_fixture_free(&f);
}
END_TEST

Suite *test_fsm_expr_errors_suite(void) {
    Suite *suite = suite_create("expr errors");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, test_findings);
    suite_add_tcase(suite, tcase);
    TCase *more = tcase_create("limits and places");
    tcase_add_test(more, test_depth);
    tcase_add_test(more, test_long_chain);
    tcase_add_test(more, test_bytes_max);
    tcase_add_test(more, test_optional_max);
    tcase_add_test(more, test_bytes_that_are_no_text);
    tcase_add_test(more, test_place_in_file);
    tcase_add_test(more, test_place_in_text);
    tcase_add_test(more, test_other_scopes);
    tcase_add_test(more, test_without_list_of_findings);
    tcase_add_test(more, test_walks);
    suite_add_tcase(suite, more);
    return suite;
}
