#include "engine/model_name.h"

#include <gtest/gtest.h>

namespace nl::engine {
namespace {

std::string canonical(std::string_view text) {
  const auto name = parse_model_name(text);
  return name ? name->text() : "refused";
}

TEST(ModelNameTest, EveryFormHasOneCanonicalText) {
  EXPECT_EQ(canonical("gemma4:26b"), "gemma4:26b");
  EXPECT_EQ(canonical("gemma4"), "gemma4:latest");
  EXPECT_EQ(canonical("library/gemma4:e4b"), "gemma4:e4b");
  EXPECT_EQ(canonical("some.one/My_Model-1.5:q4_0"), "some.one/My_Model-1.5:q4_0");
  EXPECT_EQ(canonical("hf:google/gemma-4-E4B/sub/gemma.gguf"),
            "hf:google/gemma-4-E4B/sub/gemma.gguf");
}

TEST(ModelNameTest, NamesThatCouldLeaveTheStoreAreRefused) {
  for (const std::string_view text : {"",
                                      ":",
                                      "..",
                                      "../x",
                                      "x/../y",
                                      "a/b/c",
                                      "/etc/passwd",
                                      "gemma4:",
                                      "gemma4:..",
                                      "a..b:c",
                                      "gemma4:26b/..",
                                      "~/x",
                                      "-x",
                                      "x y",
                                      "x%2f..",
                                      "x\\y",
                                      "a:b:c",
                                      ".hidden",
                                      "hf:a/b",
                                      "hf:a/b/",
                                      "hf:a/b/c.bin",
                                      "hf:../b/c.gguf",
                                      "hf:a/../c.gguf",
                                      "hf:a/b/../c.gguf",
                                      "hf:a/b//c.gguf",
                                      "hf:a/b/c.gguf/",
                                      "hf:/a/b/c.gguf",
                                      "hf:a/b/c?x.gguf",
                                      "x\n:y",
                                      "x:y."}) {
    EXPECT_EQ(canonical(text), "refused") << text;
  }
  EXPECT_EQ(canonical(std::string(500, 'a')), "refused");
  EXPECT_EQ(canonical(std::string("a\0b", 3)), "refused");
}

TEST(ModelNameTest, DigestsAreStrict) {
  const std::string hex(64, 'a');
  EXPECT_EQ(parse_digest("sha256:" + hex).value_or(""), hex);
  for (const std::string& text :
       {hex, "sha256-" + hex, "sha256:" + hex + "a", "sha256:" + hex.substr(1),
        "sha256:" + std::string(64, 'A'), "sha256:../" + hex.substr(3), "sha512:" + hex,
        "sha256:" + hex.substr(1) + "\n"}) {
    EXPECT_FALSE(parse_digest(text).has_value()) << text;
  }
}

TEST(ModelNameTest, FilesGetUsableNames) {
  EXPECT_EQ(name_for_file("/m/gemma-4-E2B-it.gguf"), "gemma-4-E2B-it:local");
  EXPECT_EQ(name_for_file("My  Model (1).gguf"), "My-Model-1:local");
  for (const std::string_view path : {"", "/", "....gguf", "/x/-..-.gguf", "a..b.gguf"}) {
    EXPECT_TRUE(parse_model_name(name_for_file(path)).has_value()) << path;
  }
  EXPECT_TRUE(is_model_path("./x"));
  EXPECT_TRUE(is_model_path("x.gguf"));
  EXPECT_FALSE(is_model_path("hf:a/b/x.gguf"));
  EXPECT_FALSE(is_model_path("owner/name"));
  EXPECT_FALSE(is_model_path("https://hub.example/a/b/resolve/main/x.gguf"));
}

}  // namespace
}  // namespace nl::engine
