# cmake -DINPUT=a.sql -DOUTPUT=a.c -DSYMBOL=name -P EmbedText.cmake: a text file as a C string.
# Bytes, not a string literal: C compilers need only take literals of 4,095 characters.
file(READ "${INPUT}" hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
file(WRITE "${OUTPUT}" "extern const char ${SYMBOL}[];\nconst char ${SYMBOL}[] = {\n${bytes}'\\0'};\n")
