# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Installs the binding, moves it somewhere else, looks at what is there, and builds and runs a program with it.
#   WAY        how the program finds it: find_package or pkg_config
#   BUILD      the build tree that is installed
#   TREE       the source tree
#   VERSION    the version it should say
#   COMPILER, GENERATOR, PKG_CONFIG    for the program
#   DIR        where all this happens
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
set(headers ${TREE}/bindings/include)
set(consumer ${CMAKE_CURRENT_LIST_DIR}/consumer)
file(REMOVE_RECURSE ${DIR})

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${DIR}/first)
file(RENAME ${DIR}/first ${DIR}/prefix)

# The headers and the two packages, and nothing of the tests.
file(GLOB_RECURSE want RELATIVE ${headers} ${headers}/*)
list(TRANSFORM want PREPEND include/)
list(APPEND want share/cmake/uring/uringConfig.cmake share/cmake/uring/uringConfigVersion.cmake
  share/cmake/uring/uringTargets.cmake share/pkgconfig/uring.pc)
file(GLOB_RECURSE got RELATIVE ${DIR}/prefix ${DIR}/prefix/*)
list(SORT want)
list(SORT got)
if(NOT got STREQUAL want)
  message(FATAL_ERROR "installed are\n  ${got}\nwant\n  ${want}")
endif()
foreach(file ${got})
  file(READ ${DIR}/prefix/${file} text)
  foreach(place ${BUILD} ${headers} ${DIR})
    string(FIND "${text}" "${place}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names ${place}, which only this machine has")
    endif()
  endforeach()
endforeach()

if(WAY STREQUAL "pkg_config")
  set(ENV{PKG_CONFIG_PATH} ${DIR}/prefix/share/pkgconfig)
  run(${PKG_CONFIG} --exact-version ${VERSION} uring)
  execute_process(COMMAND ${PKG_CONFIG} --cflags uring OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run(${COMPILER} -std=c++20 ${flags} ${consumer}/main.cc -o ${DIR}/program)
  run(${DIR}/program)
  return()
endif()

set(configure ${CMAKE_COMMAND} -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_PREFIX_PATH=${DIR}/prefix
  -S ${consumer})
run(${configure} -B ${DIR}/consumer -D WANTED=${VERSION})
run(${CMAKE_COMMAND} --build ${DIR}/consumer)
run(${DIR}/consumer/consumer)

# Before 1.0 a minor version is compatible with itself only: neither older nor newer ones are accepted.
foreach(wanted 0.0 1000.0)
  execute_process(COMMAND ${configure} -B ${DIR}/wants_${wanted} -D WANTED=${wanted} RESULT_VARIABLE code
    ERROR_VARIABLE errors OUTPUT_QUIET)
  if(code EQUAL 0 OR NOT errors MATCHES "version: ${VERSION}")
    message(FATAL_ERROR "find_package(uring ${wanted}) should refuse ${VERSION}; it ended with ${code}:\n${errors}")
  endif()
endforeach()
