# The catalogue of model sizes, a data file, compiled into the program as text.
set(nl_catalogue ${PROJECT_SOURCE_DIR}/src/app/catalogue.toml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${nl_catalogue})
file(READ ${nl_catalogue} nl_catalogue_text)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/catalogue_text.cc @ONLY CONTENT
"// Made from src/app/catalogue.toml.
#include \"app/catalogue.h\"

namespace nl::app {
const std::string_view kCatalogueText = R\"toml(@nl_catalogue_text@)toml\";
}  // namespace nl::app
")
if(TARGET app)
  target_sources(app PRIVATE ${PROJECT_BINARY_DIR}/catalogue_text.cc)
endif()
