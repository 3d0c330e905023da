#include "models/ollama_presence.h"

#include <gtest/gtest.h>

namespace nl::models {
namespace {

TEST(OllamaPresence, NamesTheFirstModelThatMatters) {
  EXPECT_EQ(resident_model(R"({"models":[{"name":"nomic-embed","size":300000000},)"
                           R"({"name":"gemma4:26b","size":18000000000}]})"),
            "gemma4:26b");
  EXPECT_EQ(resident_model(R"({"models":[{"size":18000000000}]})"), "a model");
  EXPECT_EQ(resident_model("{\"models\":[{\"name\":\"a\\u001bb\",\"size\":18000000000}]}"), "a?b");
}

TEST(OllamaPresence, NothingAndJunkAreNoModel) {
  for (const char* json : {R"({"models":[]})", "{}", "", "no json", R"({"models":[1,"x"]})"}) {
    EXPECT_EQ(resident_model(json), "") << json;
  }
}

}  // namespace
}  // namespace nl::models
