# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# The rooms of conformance/ and what a file in each may include. FOLDER: conformance/
set(may_seam "seam/")
set(may_evidence "seam/|evidence/")
set(may_fixture "seam/|evidence/|fixture/|binding\\.h$")
set(may_zig "${may_fixture}")
set(may_interface "${may_fixture}")
set(may_program "${may_fixture}|program/")
set(wrong "")
foreach(room seam evidence fixture zig interface program)
  file(GLOB_RECURSE files ${FOLDER}/${room}/*.h ${FOLDER}/${room}/*.cc)
  if(NOT files AND NOT room STREQUAL interface)
    message(FATAL_ERROR "There are no sources in conformance/${room}: correct conformance/tests/rooms.cmake")
  endif()
  foreach(file ${files})
    file(RELATIVE_PATH name ${FOLDER} ${file})
    file(STRINGS ${file} lines REGEX "^#include [\"<]")
    foreach(line ${lines})
      if(line MATCHES "<uring/")
        string(APPEND wrong "${name} has ${line}: only binding.h includes the binding. The kernel's numbers are in "
          "seam/wire.h and seam/kernel_abi.h, the binding's types in binding.h\n")
      elseif(line MATCHES "\"(.*)\"" AND NOT CMAKE_MATCH_1 MATCHES "^(${may_${room}})")
        string(APPEND wrong "${name} has ${line}: ${room}/ may include only ${may_${room}}. Move what both need to the "
          "lower room, or hand it over as an argument\n")
      endif()
    endforeach()
  endforeach()
endforeach()
if(wrong)
  message(FATAL_ERROR "${wrong}")
endif()
