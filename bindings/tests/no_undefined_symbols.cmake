# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Compiles everything.cc as a freestanding program would and demands that nothing is left to link: no libc, no libstdc++, no memcpy
# that a compiler slipped in.
#   COMPILER, FLAGS ("-O0 -D..."), SOURCE, INCLUDE, NM, OUTPUT
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
execute_process(
  COMMAND ${COMPILER} -std=c++20 -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics ${flags}
    -Wall -Wextra -Wconversion -Wpedantic -Werror -I${INCLUDE} -c ${SOURCE} -o ${OUTPUT}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${NM} --defined-only ${OUTPUT} OUTPUT_VARIABLE defined COMMAND_ERROR_IS_FATAL ANY)
if(NOT defined MATCHES "use_everything")
  message(FATAL_ERROR "the object does not hold what it should: ${defined}")
endif()
execute_process(COMMAND ${NM} --undefined-only --demangle ${OUTPUT} OUTPUT_VARIABLE undefined
  COMMAND_ERROR_IS_FATAL ANY)
if(NOT undefined STREQUAL "")
  message(FATAL_ERROR "the binding needs symbols from outside with ${COMPILER} ${FLAGS}:\n${undefined}")
endif()
