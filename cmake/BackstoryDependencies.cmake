# The libraries of others, each as one imported target. Included by the installed package as well.
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(LIBXML2 REQUIRED IMPORTED_TARGET libxml-2.0)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle>=3.4)
if(BACKSTORY_POSTGRES)
    pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq>=13)
endif()

# libunistring has no pkg-config file.
if(NOT TARGET backstory::unistring)
    find_path(UNISTRING_INCLUDE_DIR unistr.h REQUIRED)
    find_library(UNISTRING_LIBRARY unistring REQUIRED)
    mark_as_advanced(UNISTRING_INCLUDE_DIR UNISTRING_LIBRARY)
    add_library(backstory::unistring UNKNOWN IMPORTED)
    set_target_properties(backstory::unistring PROPERTIES
        IMPORTED_LOCATION "${UNISTRING_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${UNISTRING_INCLUDE_DIR}")
endif()
