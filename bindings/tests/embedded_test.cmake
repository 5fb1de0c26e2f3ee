# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# A project that embeds the source tree gets the target uring::uring and nothing else, and needs nothing but a compiler. The same
# holds for -D BUILD_TESTING=OFF.
#   WAY        add_subdirectory, fetch_content, source_subdir; or build_testing_off, which configures the tree itself
#   TREE       the source tree
#   COMPILER, GENERATOR    for the program
#   DIR        where all this happens
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
file(REMOVE_RECURSE ${DIR})

set(source -S ${CMAKE_CURRENT_LIST_DIR}/embedding -D WAY=${WAY} -D TREE=${TREE})
if(WAY STREQUAL "build_testing_off")
  set(source -S ${TREE} -D BUILD_TESTING=OFF)
endif()
# What the binding's own checks need cannot be found.
set(nothing_else "")
foreach(package GTest Python3 PkgConfig Doxygen benchmark)
  list(APPEND nothing_else -D CMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
endforeach()
# Environment variables of the same names would be the user's own choice.
run(${CMAKE_COMMAND} -E env --unset=CMAKE_BUILD_TYPE --unset=CXXFLAGS ${CMAKE_COMMAND} -G ${GENERATOR}
  -D CMAKE_CXX_COMPILER=${COMPILER} ${nothing_else} ${source} -B ${DIR}/build)

# No language, no build type of ours.
file(STRINGS ${DIR}/build/CMakeCache.txt cache REGEX "^(CMAKE_C_COMPILER|CMAKE_BUILD_TYPE):[A-Z]+=.")
if(cache)
  message(FATAL_ERROR "the project did not ask for:\n  ${cache}")
endif()

# No tests.
run(${CMAKE_CTEST_COMMAND} --test-dir ${DIR}/build --show-only)
if(NOT output MATCHES "Total Tests: 0")
  message(FATAL_ERROR "the project has no tests of its own, and ctest lists:\n${output}")
endif()

if(WAY STREQUAL "build_testing_off")
  run(${CMAKE_COMMAND} --install ${DIR}/build --prefix ${DIR}/prefix)
  if(NOT EXISTS ${DIR}/prefix/include/uring/uring.h OR NOT EXISTS ${DIR}/prefix/share/cmake/uring/uringConfig.cmake)
    message(FATAL_ERROR "without tests the binding is not installed:\n${output}")
  endif()
  return()
endif()

# One file to compile, one program to link, and no flag of ours but the include path and the language.
file(READ ${DIR}/build/compile_commands.json commands)
string(JSON count LENGTH "${commands}")
string(JSON command GET "${commands}" 0 command)
if(NOT count EQUAL 1 OR command MATCHES " -(W|O|g|f|D)")
  message(FATAL_ERROR "want one file compiled, without our flags; got ${count}, the first by\n  ${command}")
endif()
run(${CMAKE_COMMAND} --build ${DIR}/build)
if(GENERATOR STREQUAL "Ninja" AND NOT output MATCHES "\\[2/2\\]")
  message(FATAL_ERROR "want two steps, one to compile and one to link:\n${output}")
endif()
run(${DIR}/build/consumer)

# Installing the project does not install the binding with it.
run(${CMAKE_COMMAND} --install ${DIR}/build --prefix ${DIR}/prefix)
file(GLOB_RECURSE installed ${DIR}/prefix/*)
if(installed)
  message(FATAL_ERROR "the project installs nothing, and these came along:\n  ${installed}")
endif()
