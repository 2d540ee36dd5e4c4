/* A program of somebody else's that is built around a generated machine: a door is made, opened and
 * opened again, which it refuses.
 */
#include <stdio.h>

#include "door.h"
#ifdef HATCH
#define door                       hatch
#define door_command               hatch_command
#define door_event                 hatch_event
#define door_decide                hatch_decide
#define door_apply                 hatch_apply
#define DOOR_COMMAND_CREATE        HATCH_COMMAND_CREATE
#define DOOR_COMMAND_OPEN          HATCH_COMMAND_OPEN
#define DOOR_VERDICT_ACCEPTED      HATCH_VERDICT_ACCEPTED
#define DOOR_VERDICT_NO_TRANSITION HATCH_VERDICT_NO_TRANSITION
#else
#include "door_json.h"
#endif

static int send(struct door *d, struct door_command command) {
    struct door_event event;
    const int verdict = (int)door_decide(d, &command, &event).verdict;
    if (verdict == DOOR_VERDICT_ACCEPTED) {
        door_apply(d, &event);
#ifndef HATCH
        json_t *json = door_event_to_json(&event);
        json_dumpf(json, stdout, JSON_COMPACT);
        puts("");
        json_decref(json);
#endif
    }
    return verdict;
}

int main(void) {
    struct door d = {0};
    const int made = send(&d, (struct door_command){.type = DOOR_COMMAND_CREATE});
    const int opened = send(&d, (struct door_command){.type = DOOR_COMMAND_OPEN});
    const int again = send(&d, (struct door_command){.type = DOOR_COMMAND_OPEN});
    printf("opened %d times\n", (int)d.opened);
    return made != DOOR_VERDICT_ACCEPTED || opened != DOOR_VERDICT_ACCEPTED ||
           again != DOOR_VERDICT_NO_TRANSITION || d.opened != 1;
}
