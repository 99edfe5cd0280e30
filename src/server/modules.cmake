# vmad: the application. From the leaves up.
module(server/media DEPENDS base LIBRARIES m)
module(server/codec DEPENDS base media LIBRARIES lib::jpeg lib::png lib::deflate lib::webp
  TEST_LIBRARIES lib::png)
module(server/sound DEPENDS base media LIBRARIES lib::ebur128 lib::swresample lib::avutil m
  TEST_LIBRARIES lib::ebur128 m)
module(server/voice DEPENDS base media
  LIBRARIES lib::htsengine lib::flite Threads::Threads m)
module(server/infer DEPENDS base sys LIBRARIES lib::onnxruntime Threads::Threads ${CMAKE_DL_LIBS})
program(vmad-infer server/infer)
if(SANITIZE)
  # ONNX Runtime throws: what catches that for a sanitizer must be there before it is loaded.
  target_link_libraries(vmad-infer PRIVATE -Wl,--no-as-needed stdc++ -Wl,--as-needed)
endif()
if(BUILD_TESTING)
  # An ONNX Runtime that fails as graphics cards do, to be named in ONNXRUNTIME_LIB.
  add_library(onnxruntime_stand_in MODULE tests/support/ort_stand_in.c)
  target_link_libraries(onnxruntime_stand_in PRIVATE lib::onnxruntime warnings ${CMAKE_DL_LIBS})
  # NVIDIA's own libraries, to be found through LD_LIBRARY_PATH and NVTX_INJECTION64_PATH.
  add_library(nvml_stand_in SHARED tests/support/nvml_stand_in.c)
  set_target_properties(nvml_stand_in PROPERTIES OUTPUT_NAME nvidia-ml SOVERSION 1
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stand_in)
  add_library(nvtx_stand_in MODULE tests/support/nvtx_stand_in.c)
  foreach(stand_in nvml_stand_in nvtx_stand_in)
    target_link_libraries(${stand_in} PRIVATE warnings)
  endforeach()
endif()
module(server/sandbox DEPENDS base sys LIBRARIES Threads::Threads)
module(server/decoder DEPENDS base sandbox LIBRARIES lib::vips lib::zlib
  TEST_LIBRARIES lib::zlib)
program(vmad-decoder server/decoder DEPENDS sandbox)
module(server/jpegdec DEPENDS base sandbox LIBRARIES lib::jpeg)
program(vmad-jpeg server/jpegdec DEPENDS sandbox)
# Names are looked up once, not in each of its workers.
target_link_options(vmad-jpeg PRIVATE -Wl,-z,now)
module(server/image DEPENDS base sys media codec infer sandbox
  LIBRARIES lib::curl Threads::Threads m TEST_LIBRARIES lib::vips m)
module(server/video DEPENDS base media
  LIBRARIES lib::avformat lib::avcodec lib::swresample lib::avutil Threads::Threads m
  TEST_LIBRARIES lib::avformat lib::avcodec lib::avutil m)
# Its loops over pixels are what -O3 is for.
target_compile_options(video PRIVATE $<$<CONFIG:RelWithDebInfo>:-O3>)
module(server/store DEPENDS base LIBRARIES Threads::Threads)
module(server/jobs DEPENDS base LIBRARIES lib::sqlite3 Threads::Threads)
module(server/pipeline DEPENDS base sys media codec store jobs sound voice infer image video
  LIBRARIES Threads::Threads m)
if(BUILD_TESTING)
  add_executable(bench_gpu bench/gpu/throughput.c)
  target_link_libraries(bench_gpu PRIVATE image infer media warnings)
  add_executable(bench_image_alone bench/image/alone.c)
  target_link_libraries(bench_image_alone PRIVATE image codec infer media warnings Threads::Threads)
  add_executable(bench_image_cuts bench/image/cuts.c)
  target_link_libraries(bench_image_cuts PRIVATE image infer media warnings Threads::Threads)
  add_executable(bench_message_alone bench/message/alone.c)
  target_link_libraries(bench_message_alone PRIVATE pipeline warnings)
endif()
module(server/http DEPENDS base LIBRARIES lib::microhttpd Threads::Threads)
module(server/api DEPENDS base sys http jobs store pipeline media codec sound voice image infer
  LIBRARIES Threads::Threads m)
module(server/daemon DEPENDS base http api jobs store pipeline media voice infer image)
program(vmad server/daemon)
