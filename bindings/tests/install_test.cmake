# Installs the binding, moves it somewhere else, looks at what is there, and builds and runs a program with it: through
# find_package and through pkg-config.
#   BUILD      the build tree that is installed
#   HEADERS    the headers it should bring
#   VERSION    the version it should say
#   COMPILER, GENERATOR, CONSUMER    for the program
#   DIR        where all this happens
file(REMOVE_RECURSE ${DIR})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${code}, want 0:\n${output}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${DIR}/first)
file(RENAME ${DIR}/first ${DIR}/prefix)

# The headers and the two packages, and nothing of the tests.
file(GLOB_RECURSE want RELATIVE ${HEADERS} ${HEADERS}/*)
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
  foreach(place ${BUILD} ${HEADERS} ${DIR})
    string(FIND "${text}" "${place}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names ${place}, which only this machine has")
    endif()
  endforeach()
endforeach()

# find_package
set(configure ${CMAKE_COMMAND} -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_PREFIX_PATH=${DIR}/prefix
  -S ${CONSUMER})
run(${configure} -B ${DIR}/consumer -D WANTED=${VERSION})
run(${CMAKE_COMMAND} --build ${DIR}/consumer)
run(${DIR}/consumer/consumer)
execute_process(COMMAND ${configure} -B ${DIR}/too_new -D WANTED=1000.0 RESULT_VARIABLE code ERROR_VARIABLE errors
  OUTPUT_QUIET)
if(code EQUAL 0 OR NOT errors MATCHES "version: ${VERSION}")
  message(FATAL_ERROR "find_package(uring 1000.0) should find no version but ${VERSION}; it ended with ${code}:\n${errors}")
endif()

# pkg-config
find_program(pkg_config NAMES pkg-config pkgconf)
if(NOT pkg_config)
  message(FATAL_ERROR "no pkg-config here; install the package pkg-config (ci/install does)")
endif()
set(ENV{PKG_CONFIG_PATH} ${DIR}/prefix/share/pkgconfig)
run(${pkg_config} --exact-version ${VERSION} uring)
execute_process(COMMAND ${pkg_config} --cflags uring OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
run(${COMPILER} -std=c++20 ${flags} ${CONSUMER}/main.cc -o ${DIR}/with_pkg_config)
run(${DIR}/with_pkg_config)
