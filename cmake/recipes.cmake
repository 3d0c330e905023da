# The recipes of `nightlight ask`, data files, compiled into the program as text.
file(GLOB nl_recipes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/app/recipes/*.toml)
list(SORT nl_recipes)
set(nl_recipes_text "")
foreach(recipe IN LISTS nl_recipes)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${recipe})
  file(READ ${recipe} nl_recipe_text)
  string(APPEND nl_recipes_text "    R\"toml(${nl_recipe_text})toml\",\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/recipes_text.cc @ONLY CONTENT
"// Made from src/app/recipes/*.toml.
#include \"app/recipes.h\"

#include <array>

namespace nl::app {
namespace {

constexpr std::array kTexts = std::to_array<std::string_view>({
@nl_recipes_text@});

}  // namespace

std::span<const std::string_view> built_in_recipes() {
  return kTexts;
}

}  // namespace nl::app
")
if(TARGET app)
  target_sources(app PRIVATE ${PROJECT_BINARY_DIR}/recipes_text.cc)
endif()
