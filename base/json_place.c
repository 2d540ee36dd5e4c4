/* Places in a text, as people count them: lines, and characters of UTF-8 in a line. */
#include "json_private.h"

bst__json_place bst__json_place_of(const char *text, size_t at) {
    bst__json_place place = {1, 1};
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if ((text[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}
