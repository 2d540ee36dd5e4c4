# backstory_warnings: linked PRIVATE by every target of ours, never exported.
# backstory_instrument: sanitizers and coverage, which must reach every object and every link.
add_library(backstory_warnings INTERFACE)
target_compile_options(backstory_warnings INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wformat=2
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes -Wstrict-prototypes -Wvla>
    $<$<BOOL:${BACKSTORY_WERROR}>:-Werror>)

add_library(backstory_instrument INTERFACE)
if(BACKSTORY_SANITIZE)
    target_compile_options(backstory_instrument INTERFACE
        -fsanitize=${BACKSTORY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(backstory_instrument INTERFACE -fsanitize=${BACKSTORY_SANITIZE})
endif()
if(BACKSTORY_COVERAGE)
    target_compile_options(backstory_instrument INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(backstory_instrument INTERFACE --coverage)
endif()
if(BACKSTORY_FUZZ)
    target_compile_options(backstory_instrument INTERFACE -fsanitize=fuzzer-no-link)
endif()
