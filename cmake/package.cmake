# `cmake --install` and the .deb. The engine is looked for when installing, not when configuring, so
# that it may be built at any time; without one the README of the package says how to get it.
if(NOT TARGET nightlight)
  return()
endif()
include(GNUInstallDirs)
set(nl_lib lib/nightlight)  # where the program looks, from its own folder
set(nl_doc ${CMAKE_INSTALL_DOCDIR})

install(TARGETS nightlight RUNTIME DESTINATION bin)
install(TARGETS nightlight-documents RUNTIME DESTINATION ${nl_lib})
install(FILES ${PROJECT_BINARY_DIR}/ember.gguf DESTINATION ${nl_lib})
install(FILES deploy/copyright DESTINATION ${nl_doc})
install(FILES README.md SECURITY.md deploy/dev.nightlight.plist deploy/Containerfile
  deploy/container.toml DESTINATION ${nl_doc})
install(FILES deploy/README.md DESTINATION ${nl_doc} RENAME README.deploy.md)

# Made from what the program itself says, as the unit is from the place that it goes to.
install(CODE "
  set(made \"${PROJECT_BINARY_DIR}/install\")
  execute_process(COMMAND \"${Python3_EXECUTABLE}\" \"${PROJECT_SOURCE_DIR}/tools/manpage.py\"
    \"${PROJECT_BINARY_DIR}/nightlight\" \"\${made}/nightlight.1.gz\"
    \"${PROJECT_SOURCE_DIR}/CHANGELOG.md\" \"\${made}/changelog.gz\" COMMAND_ERROR_IS_FATAL ANY)
  file(READ \"${PROJECT_SOURCE_DIR}/deploy/nightlight.service\" unit)
  string(REPLACE \"/usr/bin/\" \"\${CMAKE_INSTALL_PREFIX}/bin/\" unit \"\${unit}\")
  file(WRITE \"\${made}/nightlight.service\" \"\${unit}\")

  set(engine \"\$ENV{NIGHTLIGHT_PACKAGE_ENGINE}\")
  if(NOT engine)
    set(engine \"${PROJECT_SOURCE_DIR}/build/engine/bin/llama-server\")
  endif()
  file(REMOVE \"\${made}/llama-server\")
  if(EXISTS \"\${engine}\")
    file(REAL_PATH \"\${engine}\" engine)
    file(COPY_FILE \"\${engine}\" \"\${made}/llama-server\")
  else()
    message(STATUS \"no engine at \${engine}: installed without one\")
  endif()")
set(made ${PROJECT_BINARY_DIR}/install)
install(FILES ${made}/nightlight.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/changelog.gz DESTINATION ${nl_doc})
install(FILES ${made}/nightlight.service DESTINATION lib/systemd/user)
install(PROGRAMS ${made}/llama-server DESTINATION ${nl_lib} OPTIONAL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nightlight)
set(CPACK_PACKAGE_VENDOR "The Nightlight authors")
set(CPACK_PACKAGE_CONTACT "The Nightlight authors <nightlight@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "local gateway for AI tools that keeps answering")
set(CPACK_PACKAGE_DESCRIPTION "One address on this machine for every tool that speaks Anthropic
Messages or OpenAI Chat Completions. Behind it stand three tiers: the vendors, a
router, and a model on this machine. When one fails, the next one answers.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/build/package)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS tmux)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
