module(core/base LIBRARIES lib::jansson lib::xxhash Threads::Threads)

if(BUILD_TESTING)
  add_library(test_support STATIC tests/support/test.c)
  target_include_directories(test_support PUBLIC tests)
  target_link_libraries(test_support PUBLIC base lib::cmocka PRIVATE warnings)
endif()

module(core/sys DEPENDS base TEST_LIBRARIES m)
if(TARGET lib::uv)
  module(core/io DEPENDS base sys LIBRARIES lib::uv TEST_LIBRARIES Threads::Threads)
endif()
