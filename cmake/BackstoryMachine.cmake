# backstory_add_machine(<target> <machine file>
#     [EMIT <emitter>...]      what `backstory compile --emit` knows; default: c
#     [OUTPUT_DIR <folder>]    default: the current binary folder
#     [PREFIX <name>]          what generated names begin with; default: the machine's id
#     [OPTIONS <option>...])   further options of `backstory compile`: -Werror, -Wno-dead-end ...
#
# Compiles the machine file whenever it, or the compiler, is newer. What comes out as C is built into <target>: a target that
# is there already gets it as further sources, otherwise <target> is made, a static library. Either can include the headers.
#
#     find_package(backstory 0.1 REQUIRED)
#     backstory_add_machine(payment payment.fsm.json)
#     target_link_libraries(shop PRIVATE payment)
#
# Files whose bytes stay the same are not touched, so with Ninja nothing behind them is built again. A mistake in the machine
# is an error of the build, with its line.

# The names of the files that the emitters write for a machine, as a list of paths.
function(_backstory_outputs ret machine folder)
    file(READ "${machine}" text)
    string(JSON id ERROR_VARIABLE problem GET "${text}" id)
    if(problem)
        message(FATAL_ERROR "backstory_add_machine: ${machine} has no \"id\" (${problem})")
    endif()
    execute_process(
        COMMAND "${BACKSTORY_EXECUTABLE}" compile --list-emitters --format json
        OUTPUT_VARIABLE known RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "backstory_add_machine: ${BACKSTORY_EXECUTABLE} does not run (${status}); "
            "set BACKSTORY_EXECUTABLE to one that does")
    endif()
    string(JSON count LENGTH "${known}" emitters)
    math(EXPR last "${count} - 1")
    set(outputs "")
    foreach(wanted IN LISTS ARGN)
        set(found FALSE)
        foreach(i RANGE ${last})
            string(JSON name GET "${known}" emitters ${i} name)
            if(name STREQUAL wanted)
                set(found TRUE)
                string(JSON files LENGTH "${known}" emitters ${i} suffixes)
                math(EXPR files "${files} - 1")
                foreach(f RANGE ${files})
                    string(JSON suffix GET "${known}" emitters ${i} suffixes ${f})
                    list(APPEND outputs "${folder}/${id}${suffix}")
                endforeach()
            endif()
        endforeach()
        if(NOT found)
            message(FATAL_ERROR "backstory_add_machine: there is no emitter \"${wanted}\"; "
                "`backstory compile --list-emitters` lists them")
        endif()
    endforeach()
    set(${ret} ${outputs} PARENT_SCOPE)
endfunction()

function(backstory_add_machine target machine)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "OUTPUT_DIR;PREFIX" "EMIT;OPTIONS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "backstory_add_machine: what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    get_filename_component(machine "${machine}" ABSOLUTE)
    if(NOT EXISTS "${machine}")
        message(FATAL_ERROR "backstory_add_machine: there is no ${machine}")
    endif()
    if(NOT arg_EMIT)
        set(arg_EMIT c)
    endif()
    if(NOT arg_OUTPUT_DIR)
        set(arg_OUTPUT_DIR "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
    get_filename_component(folder "${arg_OUTPUT_DIR}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
    if(arg_PREFIX)
        list(APPEND arg_OPTIONS --prefix "${arg_PREFIX}")
    endif()

    # The id gives the files their names.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${machine}")
    _backstory_outputs(outputs "${machine}" "${folder}" ${arg_EMIT})
    string(REPLACE ";" "," emit "${arg_EMIT}")
    get_filename_component(name "${machine}" NAME)
    set(depfile "${CMAKE_CURRENT_BINARY_DIR}/${target}-${name}.d")
    add_custom_command(
        OUTPUT ${outputs}
        COMMAND backstory::program compile "${machine}" -o "${folder}" --emit ${emit} --depfile "${depfile}" --quiet
            ${arg_OPTIONS}
        DEPENDS "${machine}" "${BACKSTORY_EXECUTABLE}"
        DEPFILE "${depfile}"
        COMMENT "Compiling ${name}"
        VERBATIM)

    if(TARGET ${target})
        target_sources(${target} PRIVATE ${outputs})
        target_include_directories(${target} PRIVATE "${folder}")
    else()
        add_library(${target} STATIC ${outputs})
        target_include_directories(${target} PUBLIC "${folder}")
        set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
    endif()
    if("c-json" IN_LIST arg_EMIT)
        get_target_property(type ${target} TYPE)
        if(type STREQUAL "EXECUTABLE")
            target_link_libraries(${target} PRIVATE PkgConfig::JANSSON)
        else()
            target_link_libraries(${target} PUBLIC PkgConfig::JANSSON)
        endif()
    endif()
endfunction()
