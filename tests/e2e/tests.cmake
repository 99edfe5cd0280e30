# End-to-end tests: whole programs, real sockets. e2e_test(NAME COMMAND … [TIMEOUT s] [SERIAL])
# registers tests/e2e/…; the programs' folder is in the environment variable BUILD_DIR.
function(e2e_test name)
  cmake_parse_arguments(arg "SERIAL" "TIMEOUT" "COMMAND;LABELS" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_test(NAME e2e/${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(e2e/${name} PROPERTIES LABELS "e2e;${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "BUILD_DIR=${CMAKE_BINARY_DIR};SOURCE_DIR=${PROJECT_SOURCE_DIR}")
  if(arg_SERIAL)
    set_tests_properties(e2e/${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

# The page: its arithmetic by itself, then the whole of it in Chromium against the built vmad.
find_program(NODE node HINTS ${PROJECT_SOURCE_DIR}/.deps/node/bin)
if(NODE AND WITH_SERVER)
  e2e_test(page_logic COMMAND ${NODE} --test tests/web/logic.test.mjs LABELS browser)
  e2e_test(browser COMMAND ${NODE} --test tests/browser/browser.test.mjs
    LABELS browser TIMEOUT 420 SERIAL)
endif()
if(WITH_SERVER)
  # Faces found again on rendered frames: the mouth must say what is spoken.
  if(BUILD_TESTING)
    add_executable(mouth_quality tests/e2e/mouth_quality.c)
    target_link_libraries(mouth_quality PRIVATE video image warnings m)
    e2e_test(mouth_quality TIMEOUT 240 COMMAND mouth_quality models assets/sample/portrait.jpg
      tests/data/photos/hopper.jpg tests/data/photos/astronaut.jpg)
    # And every frame must be whole, in all formats.
    add_executable(frame_quality tests/e2e/frame_quality.c)
    target_link_libraries(frame_quality PRIVATE video image warnings m)
    e2e_test(frame_quality TIMEOUT 240 COMMAND frame_quality models assets/sample/portrait.jpg
      tests/data/photos/hopper.jpg)
  endif()
  # The API; then the chain behind it, and what a kill leaves.
  foreach(part http safety routes messages bad_input forms earlier daemon image engine line
               chaos)
    e2e_test(vmad_${part} COMMAND python3 tests/e2e/vmad/test_${part}.py
      LABELS asan TIMEOUT 240)
  endforeach()
  e2e_test(message COMMAND python3 tests/e2e/message.py TIMEOUT 300)
  e2e_test(kill COMMAND python3 tests/e2e/kill.py --rounds 25 TIMEOUT 180)
endif()
if(WITH_REMOTE)
  e2e_test(vma_sync COMMAND python3 tests/e2e/vma_sync.py $<TARGET_FILE:vma> LABELS asan TIMEOUT 180)
  e2e_test(mux_cuts COMMAND env MUX_ROUNDS=1000 ${CMAKE_BINARY_DIR}/test_wire_mux TIMEOUT 300)
  e2e_test(vma_link COMMAND python3 -W ignore tests/e2e/vma_link.py TIMEOUT 300)
  e2e_test(vma_trouble COMMAND python3 -W ignore tests/e2e/vma_trouble.py TIMEOUT 300)
  e2e_test(vma_tools COMMAND python3 tests/e2e/vma_tools.py)
  e2e_test(vma_dev COMMAND python3 -W ignore tests/e2e/vma_dev.py TIMEOUT 300)
endif()
