# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Runs PROGRAM with ARGUMENTS and one thing BROKEN, and demands the exit code CODE and TEXT (regular expressions).
separate_arguments(ARGUMENTS)
execute_process(COMMAND ${CMAKE_COMMAND} -E env URING_BROKEN=${BROKEN} ${PROGRAM} ${ARGUMENTS}
  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT code MATCHES "^(${CODE})$" OR NOT output MATCHES "${TEXT}")
  message(FATAL_ERROR "${BROKEN}: want exit code ${CODE} and '${TEXT}', got ${code}:\n${output}")
endif()
