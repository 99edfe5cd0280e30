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

library(jansson jansson)
library(xxhash libxxhash)
if(BUILD_TESTING)
  library(cmocka cmocka)
endif()
if(WITH_SERVER)
  library(sqlite3 sqlite3)
  library(avcodec libavcodec)
  library(avformat libavformat)
  library(avutil libavutil)
  library(swresample libswresample)
endif()
