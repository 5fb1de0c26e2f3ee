# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# The program in bindings/README.md compiles as it is printed, runs, and does what its comment says.
#   README, INCLUDE, COMPILER
#   DIR        where it runs
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
file(REMOVE_RECURSE ${DIR})
file(MAKE_DIRECTORY ${DIR})

file(READ ${README} text)
string(REGEX MATCHALL "```cpp\n" blocks "${text}")
list(LENGTH blocks count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${README} should have one program, a block that begins with ```cpp; it has ${count}")
endif()
string(FIND "${text}" "```cpp\n" begin)
string(SUBSTRING "${text}" ${begin} -1 text)
string(REPLACE "```cpp\n" "" text "${text}")
string(FIND "${text}" "\n```" end)
string(SUBSTRING "${text}" 0 ${end} program)
file(WRITE ${DIR}/readme.cc "${program}\n")

run(${COMPILER} -std=c++20 -Wall -Wextra -Wconversion -Wpedantic -Werror -I${INCLUDE} ${DIR}/readme.cc -o ${DIR}/readme)
run(${CMAKE_COMMAND} -E chdir ${DIR} ${DIR}/readme)
file(READ ${DIR}/hello.txt written)
if(NOT written STREQUAL "hello, ring\n")
  message(FATAL_ERROR "the program should write \"hello, ring\"; it wrote \"${written}\"")
endif()
