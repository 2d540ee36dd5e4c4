/* A program of somebody else's that uses the installed libraries: it must compile, link and run. */
#include <stdio.h>
#include <string.h>

#include "backstory/machine.h"
#include "backstory/status.h"

int main(void) {
    puts(bst_status_text(BST_OK));
    return strcmp(bst_status_text(BST_OK), "ok") != 0;
}
