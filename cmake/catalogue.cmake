# Data files compiled into the program as text: the catalogue of model sizes and the scores that
# were published of them.
function(nl_data_text module name constant)
  set(file ${PROJECT_SOURCE_DIR}/src/${module}/${name}.toml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${name}_text.cc @ONLY CONTENT
"// Made from src/@module@/@name@.toml.
#include \"@module@/@name@.h\"

namespace nl::@module@ {
const std::string_view @constant@ = R\"toml(@text@)toml\";
}  // namespace nl::@module@
")
  if(TARGET ${module})
    target_sources(${module} PRIVATE ${PROJECT_BINARY_DIR}/${name}_text.cc)
  endif()
endfunction()
nl_data_text(models catalogue kCatalogueText)
nl_data_text(app scores kScoresText)
