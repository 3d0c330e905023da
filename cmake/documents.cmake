# nightlight-documents: the program that reads PDF and mail, with the libraries that only it links.
# It stands beside nightlight, or in lib/nightlight once installed.
find_package(PkgConfig REQUIRED)
pkg_check_modules(NL_POPPLER REQUIRED IMPORTED_TARGET poppler-cpp)
pkg_check_modules(NL_GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
file(GLOB foreign_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/documents/foreign/*.cc)
add_executable(nightlight-documents ${foreign_sources})
target_link_libraries(nightlight-documents PRIVATE documents PkgConfig::NL_POPPLER
  PkgConfig::NL_GMIME nl_options)
foreach(user IN ITEMS nightlight documents_test work_test)
  if(TARGET ${user})
    add_dependencies(${user} nightlight-documents)
  endif()
endforeach()
