# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# error.h has the name of every errno of the kernel's header and of every enumerator of Error, and no errno that the header lacks.
# The header may be newer: a number above the last that we know is not an error.
#   COMPILER, INCLUDE
#   OUTPUT     a file of checks that the compiler makes
cmake_minimum_required(VERSION 3.25)
set(last 133)
file(WRITE ${OUTPUT}.h "#include <linux/errno.h>\n")
execute_process(COMMAND ${COMPILER} -dM -E -x c++ ${OUTPUT}.h OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
file(READ ${INCLUDE}/uring/error.h error_h)
file(READ ${INCLUDE}/uring/result.h result_h)
string(REPLACE ";" "," result_h "${result_h}") # in comments; a list ends its elements there

set(checks "")
function(expect_name error name)
  string(APPEND checks "static_assert(uring::what(${error}).c_str()[0] != 0 && same(uring::name(${error}).c_str(), \"${name}\"),\n"
    "  \"error.h: the name of ${error} should be ${name}\");\n")
  set(checks "${checks}" PARENT_SCOPE)
endfunction()

# Aliases (EWOULDBLOCK) have no number in the header.
string(REGEX MATCHALL "#define E[A-Z0-9]+[ \t]+[0-9]+" kernels "${macros}")
set(numbers "")
foreach(line IN LISTS kernels)
  string(REGEX MATCH "(E[A-Z0-9]+)[ \t]+([0-9]+)" line "${line}")
  if(CMAKE_MATCH_2 GREATER last)
    message("the header has ${CMAKE_MATCH_1} = ${CMAKE_MATCH_2}, which is newer than error.h")
    continue()
  endif()
  list(APPEND numbers ${CMAKE_MATCH_2})
  expect_name("uring::Error{${CMAKE_MATCH_2}}" ${CMAKE_MATCH_1})
endforeach()
list(LENGTH numbers count)
if(count LESS 131)
  message(FATAL_ERROR "want 131 numbers of <linux/errno.h>, found ${count}:\n${macros}")
endif()

string(REGEX MATCHALL "case [0-9]+:" cases "${error_h}")
foreach(case IN LISTS cases)
  string(REGEX MATCH "[0-9]+" number "${case}")
  if(number LESS_EQUAL last AND NOT number IN_LIST numbers)
    message(FATAL_ERROR "error.h has a name for ${number}, and the kernel's header has none")
  endif()
endforeach()

string(REGEX MATCH "enum class Error [^}]+}" enum "${result_h}")
string(REGEX MATCHALL "\n  [a-z0-9_]+( = [0-9]+)?,[^\n]*" enumerators "${enum}")
set(count 0)
foreach(line IN LISTS enumerators)
  string(REGEX MATCH "^\n  ([a-z0-9_]+)" name "${line}")
  set(name ${CMAKE_MATCH_1})
  set(want ${name})
  if(line MATCHES "///< (E[A-Z0-9]+)$")
    set(want ${CMAKE_MATCH_1})
  endif()
  expect_name(uring::Error::${name} ${want})
  math(EXPR count "${count} + 1")
endforeach()
if(count LESS 44)
  message(FATAL_ERROR "only ${count} enumerators of Error found: the pattern no longer matches result.h")
endif()

file(WRITE ${OUTPUT} "#include <uring/error.h>
constexpr bool same(const char* a, const char* b) { while (*a != 0 && *a == *b) ++a, ++b; return *a == *b; }
${checks}")
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -I${INCLUDE} ${OUTPUT} COMMAND_ERROR_IS_FATAL ANY)
