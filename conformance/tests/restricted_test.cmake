# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Runs rows of `conformance` in a surrounding that forbids something, and demands that no record says failed, and that
# one is blocked with TEXT. With TEXT "SIGSYS": that the process dies of that signal, which the harness explains.
#   RESTRICTED, PROGRAM, HOW, FILTER, TEXT (a regular expression), RECORDS (a file to use)
file(REMOVE ${RECORDS})
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env URING_RECORDS_FD=9
    bash -c "exec 9>'${RECORDS}'; '${RESTRICTED}' '${HOW}' '${PROGRAM}' '--gtest_filter=${FILTER}' --timeout-s=10; exit $?"
  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
file(READ ${RECORDS} records)
set(all "exit ${code}\n${output}\n${records}")
if(TEXT STREQUAL "SIGSYS")
  if(NOT code EQUAL 159)  # 128 + SIGSYS, as the shell says it
    message(FATAL_ERROR "want an end by SIGSYS:\n${all}")
  endif()
  return()
endif()
if(records MATCHES "\"state\":\"(failed|timeout)\"")
  message(FATAL_ERROR "a test is blamed for its surroundings:\n${all}")
endif()
if(NOT records MATCHES "\"state\":\"blocked\"" OR NOT records MATCHES "${TEXT}")
  message(FATAL_ERROR "no test is blocked by '${TEXT}':\n${all}")
endif()
if(NOT records MATCHES "\"kind\":\"footer\"")
  message(FATAL_ERROR "the program did not get to its end:\n${all}")
endif()
