#include "engine/chat_template.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace nl::engine {
namespace {

std::string fault(std::string_view text) {
  const auto checked = check_chat_template(text);
  return checked ? "" : checked.error().message;
}

TEST(ChatTemplate, usual_ones_pass) {
  for (const char* text : {
           "{% for m in messages %}{{ m['role'] + ': ' + m.content }}{% endfor %}",
           "{%- if messages -%}{{- messages[0] | tojson({'a': {'b': 1}}) -}}{%- endif %}",
           "{# a comment with {% for #}{{ \"%} }}\" }}{{ messages }}",
           "{% macro f(x) %}{{ x }}{% endmacro %}{% set y = messages if messages else [] %}",
           "{% raw %}{% for {{ {% endraw %}{{ messages }} { % text } }",
           "{% set x %}block{% endset %}{% for a in messages %}{% if a %}{% elif b %}{% else %}"
           "{% endif %}{% endfor %}",
       }) {
    EXPECT_EQ(fault(text), "") << text;
  }
}

TEST(ChatTemplate, odd_ones_are_refused) {
  EXPECT_NE(fault("{% include 'x' %}{{ messages }}").find("another file (`include`)"),
            std::string::npos);
  EXPECT_NE(fault("{%- import 'x' as y %}{{ messages }}").find("`import`"), std::string::npos);
  EXPECT_NE(fault("{{ messages").find("never ends"), std::string::npos);
  EXPECT_NE(fault("{{ 'messages }}").find("never ends"), std::string::npos);
  EXPECT_NE(fault("{# never").find("comment"), std::string::npos);
  EXPECT_NE(fault("{% for m in messages %}{{ m }}").find("never ends a `for`"), std::string::npos);
  EXPECT_NE(fault("{% for m in messages %}{% endif %}").find("ends a `if`"), std::string::npos);
  EXPECT_NE(fault("messages {{ 'hello' }} {{ my_messages }}").find("does not use"),
            std::string::npos);
  EXPECT_NE(fault(std::string_view("{{ messages }}\0x", 16)).find("NUL"), std::string::npos);
}

// A folder of templates of real models, where one is named.
TEST(ChatTemplate, those_of_real_models_pass) {
  const char* const folder = std::getenv("NL_CHAT_TEMPLATES");
  if (folder == nullptr) GTEST_SKIP() << "NL_CHAT_TEMPLATES names no folder";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".jinja") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_EQ(fault(text), "") << entry.path();
  }
}

}  // namespace
}  // namespace nl::engine
