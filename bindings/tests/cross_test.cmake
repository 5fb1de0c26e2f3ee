# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Builds the binding's tests and a program without a C library for another architecture, and runs what needs no io_uring under
# QEMU's user emulation, which has none (io_uring_setup fails with ENOSYS).
#   MACHINE, COMPILER, EMULATOR    s390x, s390x-linux-gnu-g++, qemu-s390x
#   GTEST_SOURCE    the source of GoogleTest
#   SOURCES         the tests' files, separated by commas
#   GENERATOR, DIR  where it is built
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

run(${CMAKE_COMMAND} -G ${GENERATOR} -D CMAKE_SYSTEM_NAME=Linux -D CMAKE_SYSTEM_PROCESSOR=${MACHINE}
  -D CMAKE_CXX_COMPILER=${COMPILER} -D GTEST_SOURCE=${GTEST_SOURCE} -D "SOURCES=${SOURCES}"
  -S ${CMAKE_CURRENT_LIST_DIR}/cross -B ${DIR})
run(${CMAKE_COMMAND} --build ${DIR})

# These open a ring, or watch accesses with a page that cannot be accessed and single steps.
set(without SystemCalls.MapARingForReadingAndWriting SystemCalls.EnterWithEachArgumentInItsPlace
  SystemCalls.ReturnNegativeErrnos *ThisKernel*.* Accesses.*)
# These compare with fields as they are in little-endian order; byte_order_test.cc has the same fields in either.
if(MACHINE STREQUAL "s390x")
  list(APPEND without Prep.PollAdd Prep.PollRemove Prep.Send Prep.ChangesAfterPreparing Prep.SocketCommands)
endif()
list(JOIN without ":" without)
run(${EMULATOR} ${DIR}/binding_test --gtest_brief=1 --gtest_filter=-${without})
string(REGEX MATCH "PASSED  . ([0-9]+) tests" passed "${output}")
if(NOT passed OR CMAKE_MATCH_1 LESS 150)
  message(FATAL_ERROR "fewer than 150 tests ran:\n${output}")
endif()
message("${CMAKE_MATCH_1} tests passed on ${MACHINE}")

# Arguments come from the stack, system calls return the kernel's numbers, and the end is a system call: 22 is EINVAL, 38 ENOSYS.
foreach(call "22" "38 from to")
  separate_arguments(call)
  list(POP_FRONT call want)
  execute_process(COMMAND ${EMULATOR} ${DIR}/freestanding_copy ${call} RESULT_VARIABLE code)
  if(NOT code EQUAL want)
    message(FATAL_ERROR "freestanding_copy ${call} ended with ${code}, want ${want}")
  endif()
endforeach()
