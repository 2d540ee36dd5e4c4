/* Marks of chunks, before anything is known of them. */
#include "backstory/marks.h"

void bst_marks_clear(bst_marks *marks, size_t bounds) {
    marks->stamp = NULL;
    for (size_t i = 0; i <= bounds; i++) {
        marks->marks[i] = NULL;
        marks->written[i] = false;
    }
}
