# Warnings, hardening and sanitizers for our own code: link "warnings" to get them.
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes
  -Wmissing-prototypes -Wformat=2 -Wwrite-strings -Wpointer-arith -Wundef -Wno-unused-parameter)
if(WARNINGS_ARE_ERRORS)
  target_compile_options(warnings INTERFACE -Werror)
endif()

add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_compile_options(-fstack-protector-strong -fno-omit-frame-pointer)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(SANITIZE)
  add_compile_options(-fsanitize=${SANITIZE} -fno-sanitize-recover=all -O1)
  add_link_options(-fsanitize=${SANITIZE})
endif()
set(UNIT_TIMEOUT 60) # seconds
if(SANITIZE)
  set(UNIT_TIMEOUT 300)
endif()
set(SANITIZER_ENVIRONMENT
  "TSAN_OPTIONS=ignore_noninstrumented_modules=1:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp")
if(WITH_LIBFUZZER)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
