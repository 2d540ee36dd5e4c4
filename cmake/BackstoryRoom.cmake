# A room is a folder with .c files, private headers beside them, and include/ for everybody above.
#
#   backstory_room(store PUBLIC backstory::fsm PRIVATE PkgConfig::LIBPQ)
#
# makes the static library backstory_store (alias backstory::store) of all *.c in the folder and in the folders of it (a large
# room has rooms of its own: migrate/infer, migrate/synth ...; tools/check-layers.sh keeps their order). It sees its own headers and
# those of the rooms it names, so an upward #include does not compile. Each *.sql and *.text becomes a C string: schema.sql is
# `const char bst__schema_sql[]`, which the room declares in a private header. Without BACKSTORY_POSTGRES the files
# pg*.c and *_pg.c stay out.

# C11 with POSIX, warnings, hidden symbols: what each target of ours gets, library or program.
function(backstory_target_defaults target)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${target} PRIVATE
        _POSIX_C_SOURCE=200809L
        BACKSTORY_POSTGRES=$<BOOL:${BACKSTORY_POSTGRES}>
        BACKSTORY_VERSION="${PROJECT_VERSION}")
    target_link_libraries(${target} PRIVATE
        $<BUILD_INTERFACE:backstory_warnings> $<BUILD_INTERFACE:backstory_instrument>)
endfunction()

# Sources of the current folder, without the ones this configuration leaves out.
function(backstory_sources ret)
    file(GLOB sources CONFIGURE_DEPENDS *.c */*.c)
    if(NOT BACKSTORY_POSTGRES)
        list(FILTER sources EXCLUDE REGEX "/pg[^/]*\\.c$|/[^/]*_pg\\.c$")
    endif()
    file(GLOB scripts CONFIGURE_DEPENDS *.sql *.text)
    foreach(script IN LISTS scripts)
        get_filename_component(name "${script}" NAME)
        string(REPLACE "." "_" name "${name}")
        set(generated "${CMAKE_CURRENT_BINARY_DIR}/${name}.c")
        add_custom_command(
            OUTPUT "${generated}"
            COMMAND ${CMAKE_COMMAND} -DINPUT=${script} -DOUTPUT=${generated} -DSYMBOL=bst__${name}
                    -P "${PROJECT_SOURCE_DIR}/cmake/EmbedText.cmake"
            DEPENDS "${script}" "${PROJECT_SOURCE_DIR}/cmake/EmbedText.cmake"
            COMMENT "Embedding ${name}"
            VERBATIM)
        list(APPEND sources "${generated}")
    endforeach()
    set(${ret} ${sources} PARENT_SCOPE)
endfunction()

# In a release the compiler also sees across files and rooms what it calls (-flto): a third less time in a migration's client. Only
# with gcc, whose archives can hold plain objects besides (-ffat-lto-objects): who links the installed ones need not do the same.
function(backstory_optimize target)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT BACKSTORY_SANITIZE AND NOT BACKSTORY_COVERAGE)
        set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)
        target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-ffat-lto-objects>)
    endif()
endfunction()

function(backstory_room name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PUBLIC;PRIVATE")
    set(target backstory_${name})
    backstory_sources(sources)
    if(sources)
        add_library(${target} STATIC ${sources})
        set(scope PUBLIC)
        backstory_target_defaults(${target})
        backstory_optimize(${target})
        target_link_libraries(${target} PRIVATE ${arg_PRIVATE})
        target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    else()
        # Nothing but headers so far.
        add_library(${target} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_link_libraries(${target} ${scope} ${arg_PUBLIC})
    target_include_directories(${target} ${scope}
        "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    add_library(backstory::${name} ALIAS ${target})
    # For the installed pkg-config files.
    set_property(GLOBAL APPEND PROPERTY BACKSTORY_ROOMS ${name})
    set_property(GLOBAL PROPERTY BACKSTORY_LINKS_${name} ${arg_PUBLIC} ${arg_PRIVATE})
endfunction()
