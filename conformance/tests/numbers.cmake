# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Row interface_numbers compares what fixture/interface_numbers.inc lists: every number and struct of the seam's headers must be
# there, or below with the reason. FOLDER: conformance/
file(READ ${FOLDER}/fixture/interface_numbers.inc listed)
set(without_counterpart
  [[(.*_)?nobody]]                              # what no kernel has
  [[max_(errno|entries|cq_entries|registered_rings)]] # limits of kernels
  [[futex2_.*]]                                   # of futex(2), from linux/futex.h
  [[(cqe_tstamp_hw|timestamp_type_shift)]]        # the binding has no words for these: it hands out the CQE
  [[(rw_attr_flag_pi|AttrPi)]]                    # nor for attributes of reads and writes
  [[bpf_(socket|open|connect)_.*]]                # positions in BpfContext::payload
  [[query_of_zcrx]]                               # query_zcrx
  [[ZcrxCtrlAddArea]]                             # ZcrxCtrl
  [[Feature|SetupFlags|Queries|Request|Cqe32]]    # the suite's own
)
list(JOIN without_counterpart "|" without_counterpart)
set(missing "")
set(count 0)
foreach(header wire kernel_abi ring_abi zcrx_abi)
  file(READ ${FOLDER}/seam/${header}.h text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "[][]" "" text "${text}")
  string(REPLACE ";" "\n;" text "${text}")
  string(REGEX MATCHALL "\n(struct [A-Za-z0-9]+|inline constexpr (std::u?int[0-9]+_t|unsigned|int|Feature)[ \n]+[^;]+)" declarations "\n${text}")
  foreach(declaration IN LISTS declarations)
    string(REGEX MATCHALL "(struct +[A-Za-z0-9]+|[a-z0-9_]+( =|{))" names "${declaration}")
    foreach(name IN LISTS names)
      string(REGEX REPLACE "(struct +| =|{)" "" name "${name}")
      math(EXPR count "${count} + 1")
      if(NOT name MATCHES "^(${without_counterpart})$" AND NOT listed MATCHES "[A-Z]\\(([a-z_]+::)?${name}[,)]")
        list(APPEND missing "${header}.h: ${name}")
      endif()
    endforeach()
  endforeach()
endforeach()
if(missing)
  list(JOIN missing "\n  " missing)
  message(FATAL_ERROR "not in fixture/interface_numbers.inc, nor excepted in tests/numbers.cmake:\n  ${missing}")
endif()
if(count LESS 330)
  message(FATAL_ERROR "only ${count} declarations found: the patterns no longer match the headers")
endif()
message("${count} declarations are compared")
