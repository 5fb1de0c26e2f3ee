# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# run(COMMAND...): runs it and wants exit code 0. Its output is in ${output} afterwards.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${code}, want 0:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()
