# Every library that is linked, as an imported target. THIRD_PARTY.md names their licences and
# scripts/debian-packages their packages.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

function(library name package)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${package})
  if(NOT TARGET lib::${name})
    add_library(lib::${name} ALIAS PkgConfig::${name})
  endif()
endfunction()

# For a library without a pkg-config file: the names to link, in order.
function(bare_library name)
  add_library(${name}_bare INTERFACE)
  foreach(part IN LISTS ARGN)
    find_library(${part}_PATH ${part} REQUIRED)
    target_link_libraries(${name}_bare INTERFACE ${${part}_PATH})
  endforeach()
  add_library(lib::${name} ALIAS ${name}_bare)
endfunction()

library(jansson jansson)
library(xxhash libxxhash)
if(BUILD_TESTING)
  library(cmocka cmocka)
endif()
if(WITH_SERVER)
  library(sqlite3 sqlite3)
  bare_library(htsengine HTSEngine)
  bare_library(flite flite_cmu_us_slt flite_cmu_us_rms flite_cmu_us_awb flite_usenglish
    flite_cmulex flite m)
  library(avcodec libavcodec)
  library(avformat libavformat)
  library(avutil libavutil)
  library(swresample libswresample)
endif()
