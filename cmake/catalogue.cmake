# Data files of app/ compiled into the program as text: the catalogue of model sizes and the scores
# that were published of them.
function(nl_data_text name constant)
  set(file ${PROJECT_SOURCE_DIR}/src/app/${name}.toml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${name}_text.cc @ONLY CONTENT
"// Made from src/app/@name@.toml.
#include \"app/@name@.h\"

namespace nl::app {
const std::string_view @constant@ = R\"toml(@text@)toml\";
}  // namespace nl::app
")
  if(TARGET app)
    target_sources(app PRIVATE ${PROJECT_BINARY_DIR}/${name}_text.cc)
  endif()
endfunction()
nl_data_text(catalogue kCatalogueText)
nl_data_text(scores kScoresText)
