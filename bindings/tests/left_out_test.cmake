# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# What a machine lacks is left out with a line at the end of the configuration, and with URING_REQUIRE_ALL that line is an error.
# Doxygen and pkg-config stand for everything that may be missing. The second time only the option is new: the compilers are known.
#   TREE, COMPILER, GENERATOR
#   DIR        where it is configured
file(REMOVE_RECURSE ${DIR})
set(configure ${CMAKE_COMMAND} -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_DISABLE_FIND_PACKAGE_Doxygen=ON
  -D CMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON -S ${TREE})

function(expect_lines output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}") # errors are wrapped
  foreach(line "the API reference, target docs (needs doxygen)" "conformance-liburing) (needs pkg-config")
    string(FIND "${output}" "${line}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "want a line that contains \"${line}\":\n${output}")
    endif()
  endforeach()
endfunction()

execute_process(COMMAND ${configure} -B ${DIR} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "a missing tool must not be an error; configuring ended with ${code}:\n${errors}")
endif()
expect_lines("${output}")

execute_process(COMMAND ${configure} -D URING_REQUIRE_ALL=ON -B ${DIR} RESULT_VARIABLE code OUTPUT_VARIABLE output
  ERROR_VARIABLE errors)
if(code EQUAL 0)
  message(FATAL_ERROR "with URING_REQUIRE_ALL a missing tool must be an error; configuring succeeded:\n${output}")
endif()
expect_lines("${errors}")
