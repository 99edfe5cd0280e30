# Everything is built with three verbs: module(), program() and what they discover.
#
#   module(remote/wire DEPENDS base LIBRARIES PkgConfig::zstd)
#
# src/remote/wire becomes the static library "wire" from its *.c files (and those of linux/ or
# macos/ beside them). DEPENDS is what it links and all that it may include; a module can only
# depend on one declared above it, so there are no cycles. Include paths stop at the band:
# src/core plus src/remote here, so the two halves cannot meet.
#
# tests/wire/test_frame.c is discovered as the test "wire/frame", labelled unit;
# fuzz/wire/frame.c as the fuzz target "fuzz_frame", whose corpus fuzz/corpus/frame replays as the
# test "fuzz/frame".

if(CMAKE_SYSTEM_NAME STREQUAL "Darwin")
  set(PLATFORM_FOLDER macos)
else()
  set(PLATFORM_FOLDER linux)
endif()

# Apple has a <sys/spawn.h> of its own, which must not find ours: there, only "quoted" names are
# looked for in our folders.
function(include_band target scope band)
  if(APPLE)
    target_compile_options(${target} ${scope} "SHELL:-iquote ${PROJECT_SOURCE_DIR}/src/core"
      "SHELL:-iquote ${PROJECT_SOURCE_DIR}/src/${band}")
  else()
    target_include_directories(${target} ${scope} src/core src/${band})
  endif()
endfunction()

function(module path)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  cmake_path(GET path PARENT_PATH band)
  cmake_path(GET path FILENAME name)
  foreach(depend IN LISTS arg_DEPENDS)
    if(NOT TARGET ${depend})
      message(FATAL_ERROR "${path} depends on ${depend}, which is not declared above it")
    endif()
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS src/${path}/*.c src/${path}/${PLATFORM_FOLDER}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main(_[a-z]+)?\\.c$")
  if(sources)
    add_library(${name} STATIC ${sources})
    include_band(${name} PUBLIC ${band})
    target_link_libraries(${name} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_LIBRARIES} warnings)
  else()
    add_library(${name} INTERFACE)
    include_band(${name} INTERFACE ${band})
    target_link_libraries(${name} INTERFACE ${arg_DEPENDS})
  endif()
  string(JOIN "," allowed ${name} ${arg_DEPENDS})
  set_property(GLOBAL APPEND PROPERTY PROJECT_LAYERS "${path}=${allowed}")
  discover_tests(${name} "${arg_TEST_LIBRARIES}")
  discover_fuzz_targets(${name})
endfunction()

# program(vmad server/daemon): src/server/daemon/main.c becomes build/<preset>/vmad.
function(program name path)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES" ${ARGN})
  cmake_path(GET path FILENAME module)
  add_executable(${name} src/${path}/main.c)
  target_link_libraries(${name} PRIVATE ${module} ${arg_DEPENDS} ${arg_LIBRARIES} warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# One thread only: the thread sanitizer would take minutes over them and has nothing to see.
set(SINGLE_THREADED image/matte image/photo image/persons sound/master sound/music voice/prosody)

function(discover_tests module libraries)
  if(NOT BUILD_TESTING)
    return()
  endif()
  file(GLOB tests CONFIGURE_DEPENDS tests/${module}/test_*.c)
  foreach(test IN LISTS tests)
    cmake_path(GET test STEM stem)
    string(REGEX REPLACE "^test_" "" name ${stem})
    if(SANITIZE STREQUAL "thread" AND "${module}/${name}" IN_LIST SINGLE_THREADED)
      continue()
    endif()
    set(target test_${module}_${name})
    add_executable(${target} ${test})
    target_link_libraries(${target} PRIVATE ${module} test_support ${libraries} warnings)
    target_compile_definitions(${target} PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${module}/${name} COMMAND ${target})
    set_tests_properties(${module}/${name} PROPERTIES LABELS unit TIMEOUT ${UNIT_TIMEOUT}
      ENVIRONMENT "${SANITIZER_ENVIRONMENT}")
  endforeach()
endfunction()

function(discover_fuzz_targets module)
  file(GLOB targets CONFIGURE_DEPENDS fuzz/${module}/*.c)
  foreach(source IN LISTS targets)
    cmake_path(GET source STEM name)
    if(WITH_LIBFUZZER)
      add_executable(fuzz_${name} ${source})
      target_link_libraries(fuzz_${name} PRIVATE ${module} warnings)
      target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    elseif(BUILD_TESTING)
      add_executable(fuzz_${name} ${source} fuzz/replay.c)
      target_link_libraries(fuzz_${name} PRIVATE ${module} warnings)
      add_test(NAME fuzz/${name}
        COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
      set_tests_properties(fuzz/${name} PROPERTIES LABELS unit TIMEOUT 60)
    endif()
  endforeach()
endfunction()

# Call once, after the last module().
function(check_layers)
  if(NOT BUILD_TESTING)
    return()
  endif()
  get_property(layers GLOBAL PROPERTY PROJECT_LAYERS)
  string(JOIN "|" layers ${layers})
  add_test(NAME style/layers
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR}/src "-DLAYERS=${layers}"
            -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayers.cmake)
  set_tests_properties(style/layers PROPERTIES LABELS unit)
endfunction()
