# What `cmake --install` puts where: the libraries with their headers, a CMake package and pkg-config files, all of which
# can be moved afterwards (`--prefix`, DESTDIR).
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/backstory")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH pkgconfig_to_prefix "/${pkgconfig_dir}" "/")
string(REGEX REPLACE "/$" "" pkgconfig_to_prefix "${pkgconfig_to_prefix}")

get_property(rooms GLOBAL PROPERTY BACKSTORY_ROOMS)
foreach(room IN LISTS rooms)
    install(TARGETS backstory_${room} EXPORT backstory ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${room}/include/backstory/*.h")
    install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/backstory)

    # The archives are static: who links one links what it needs, hence no Requires.private.
    get_property(links GLOBAL PROPERTY BACKSTORY_LINKS_${room})
    set(requires "")
    set(libs "")
    foreach(link IN LISTS links)
        if(link STREQUAL "backstory::unistring")
            string(APPEND libs " -lunistring")
        elseif(link MATCHES "^PkgConfig::(.*)$")
            string(TOLOWER "${CMAKE_MATCH_1}" module)
            string(APPEND requires " ${module}")
        elseif(link MATCHES "^backstory::(.*)$")
            string(APPEND requires " backstory-${CMAKE_MATCH_1}")
        endif()
    endforeach()
    get_target_property(type backstory_${room} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
        set(libs " -lbackstory_${room}${libs}")
    endif()
    configure_file("${PROJECT_SOURCE_DIR}/cmake/backstory.pc.in"
        "${PROJECT_BINARY_DIR}/backstory-${room}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/backstory-${room}.pc" DESTINATION ${pkgconfig_dir})
endforeach()

# The program itself, for whoever compiles machines without CMake: pkg-config --variable=compiler backstory
configure_file("${PROJECT_SOURCE_DIR}/cmake/backstory-program.pc.in" "${PROJECT_BINARY_DIR}/backstory.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/backstory.pc" DESTINATION ${pkgconfig_dir})

install(EXPORT backstory NAMESPACE backstory:: FILE backstoryTargets.cmake DESTINATION ${package_dir})
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/backstoryConfig.cmake.in" "${PROJECT_BINARY_DIR}/backstoryConfig.cmake"
    INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/backstoryConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/backstoryConfig.cmake"
    "${PROJECT_BINARY_DIR}/backstoryConfigVersion.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/BackstoryDependencies.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/BackstoryMachine.cmake"
    DESTINATION ${package_dir})
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION ${CMAKE_INSTALL_DOCDIR})
