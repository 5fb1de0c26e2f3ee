# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Runs one test of `misbehaving` and demands: a non-zero exit, TEXT in the output, and STATE in its record.
#   PROGRAM, FILTER, TEXT (a regular expression), STATE, RECORDS (a file to use)
file(REMOVE ${RECORDS})
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env URING_RECORDS_FD=9
    bash -c "exec 9>'${RECORDS}'; exec '${PROGRAM}' '--gtest_filter=${FILTER}' --timeout-s=1"
  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE errors)
file(READ ${RECORDS} records)
set(all "exit ${code}\n${output}${errors}\n${records}")
if(code EQUAL 0)
  message(FATAL_ERROR "${FILTER} passed and must not:\n${all}")
endif()
if(output MATCHES "\\[  SKIPPED \\]")
  message(FATAL_ERROR "${FILTER} looks like a skip to CTest:\n${all}")
endif()
if(NOT "${output}${errors}" MATCHES "${TEXT}")
  message(FATAL_ERROR "${FILTER} does not say '${TEXT}':\n${all}")
endif()
if(NOT records MATCHES "\"kind\":\"header\",\"schema\":1" OR NOT records MATCHES "\"state\":\"${STATE}\"")
  message(FATAL_ERROR "${FILTER} wants a record with state ${STATE}:\n${all}")
endif()
