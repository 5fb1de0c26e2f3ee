# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# The program refuses to run as something it is not. PROGRAM
function(expect code text)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE got OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT got EQUAL ${code} OR NOT output MATCHES "${text}")
    message(FATAL_ERROR "want exit code ${code} and '${text}', got ${got}:\n${output}")
  endif()
endfunction()
expect(2 "tests the binding \"uring\", not \"other\"" ${PROGRAM} --binding=other)
expect(2 "there is no lie .drop_a_cqe.; the nearest is .drops_a_cqe., and --list-lies shows all"
  ${PROGRAM} --binding=lie:drop_a_cqe)
expect(0 "drops_a_cqe +the third CQE of a ring is never seen\n" ${PROGRAM} --list-lies)
expect(2 "unknown option --no-such" ${PROGRAM} --no-such)
expect(2 "wants a number, not \"soon\"" ${PROGRAM} --timeout-s=soon)
expect(2 "descriptor 77, which is not open" ${CMAKE_COMMAND} -E env URING_RECORDS_FD=77 ${PROGRAM})
expect(2 "the filter matches nothing" ${PROGRAM} --gtest_filter=NoSuch.Test)
expect(3 "cannot be written" bash -c "exec 9>/dev/full && URING_RECORDS_FD=9 exec ${PROGRAM} --gtest_filter=Nop.*")
# The counterexample: when every SQE is refused, no test of the ring passes, and none is a clean skip.
expect(1 "FAILED  . Nop.MovesEveryIndexByOne" ${PROGRAM} --binding=lie:refuse_all --gtest_filter=Nop.*)
