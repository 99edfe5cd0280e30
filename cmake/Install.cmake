# What `make install` puts where. The programs find the rest relative to themselves.
set(SHARE share/video-message-app)

if(WITH_SERVER)
  install(TARGETS vmad DESTINATION bin)
  install(TARGETS vmad-decoder vmad-jpeg vmad-infer DESTINATION libexec/vmad)
  install(FILES .deps/onnxruntime/lib/libonnxruntime.so DESTINATION lib/vmad OPTIONAL)
  install(DIRECTORY models assets DESTINATION ${SHARE})
  install(DIRECTORY .deps/voices DESTINATION ${SHARE} OPTIONAL PATTERN "*.sha256" EXCLUDE)
  install(DIRECTORY web/dist/ DESTINATION ${SHARE}/web OPTIONAL PATTERN ".sources" EXCLUDE)
  add_custom_command(TARGET vmad POST_BUILD
    COMMAND vmad --manual > vmad.1 WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  install(FILES ${CMAKE_BINARY_DIR}/vmad.1 DESTINATION share/man/man1)
endif()
if(WITH_REMOTE)
  install(TARGETS vma DESTINATION bin)
  install(FILES ${CMAKE_BINARY_DIR}/vma-linux-aarch64 DESTINATION bin OPTIONAL
    PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                WORLD_EXECUTE)
endif()
if(WITH_REMOTE AND NOT CMAKE_CROSSCOMPILING) # it writes these itself
  add_custom_command(TARGET vma POST_BUILD COMMAND vma man > vma.1
    COMMAND vma completion bash > vma.bash COMMAND vma completion zsh > _vma
    COMMAND vma completion fish > vma.fish WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  install(FILES ${CMAKE_BINARY_DIR}/vma.1 DESTINATION share/man/man1)
  install(FILES ${CMAKE_BINARY_DIR}/vma.bash DESTINATION share/bash-completion/completions
    RENAME vma)
  install(FILES ${CMAKE_BINARY_DIR}/_vma DESTINATION share/zsh/site-functions)
  install(FILES ${CMAKE_BINARY_DIR}/vma.fish DESTINATION share/fish/vendor_completions.d)
endif()
install(FILES LICENSE THIRD_PARTY.md DESTINATION share/doc/video-message-app)
