/* Writes the table of the generated payment machine as a ragel machine: a state with a transition
 * for each command, to itself where the command is refused. A byte of its own ends each state, or
 * ragel would take all of them for one.
 */
#include <stdio.h>

#include "payment.h"

int main(void) {
    printf("%%%%{\n    machine payment;\n    alphtype unsigned char;\n    main := (\n");
    for (unsigned s = 0; s < PAYMENT_STATE_COUNT; s++) {
        printf(s == 0 ? "        start: (" : "        s%u: (", s);
        for (unsigned c = 0; c < PAYMENT_COMMAND_COUNT; c++) {
            unsigned next = payment_next((enum payment_state)s, (enum payment_command_type)c);
            next = next == 0 ? s : next;
            printf(next == 0 ? " %u -> start |" : " %u -> s%u |", c, next);
        }
        printf(" %u -> final )%s\n", 200 + s, s + 1 < PAYMENT_STATE_COUNT ? "," : "");
    }
    printf("    );\n}%%%%\n%%%% write data noerror nofinal noentry;\n"
           "int RUN(int cs, const unsigned char *p, const unsigned char *pe) {\n"
           "    if (cs < 0) {\n        %%%% write init;\n    }\n"
           "    %%%% write exec;\n    return cs;\n}\n");
    return 0;
}
