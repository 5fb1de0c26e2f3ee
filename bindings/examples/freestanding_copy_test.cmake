# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Runs freestanding_copy on a file larger than its buffer, compares, and checks that the program depends on nothing.
#   PROGRAM, READELF   paths
set(dir ${CMAKE_CURRENT_BINARY_DIR}/freestanding_copy_test)
file(REMOVE_RECURSE ${dir})
file(MAKE_DIRECTORY ${dir})
string(RANDOM LENGTH 200001 content)
file(WRITE ${dir}/from "${content}")

execute_process(COMMAND ${PROGRAM} ${dir}/from ${dir}/to RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "freestanding_copy ended with ${code}, want 0")
endif()
file(READ ${dir}/to copied)
if(NOT copied STREQUAL content)
  message(FATAL_ERROR "the copy differs from the original")
endif()

# Errors are the kernel's: ENOENT is 2, EINVAL 22.
execute_process(COMMAND ${PROGRAM} ${dir}/missing ${dir}/to RESULT_VARIABLE code)
if(NOT code EQUAL 2)
  message(FATAL_ERROR "a missing file gave exit code ${code}, want 2 (ENOENT)")
endif()
execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE code)
if(NOT code EQUAL 22)
  message(FATAL_ERROR "no arguments gave exit code ${code}, want 22 (EINVAL)")
endif()

# Static in earnest: no interpreter, no dynamic section.
execute_process(COMMAND ${READELF} --wide --program-headers --dynamic ${PROGRAM} OUTPUT_VARIABLE elf
  COMMAND_ERROR_IS_FATAL ANY)
if(elf MATCHES "INTERP|Dynamic section")
  message(FATAL_ERROR "the program is not static:\n${elf}")
endif()
