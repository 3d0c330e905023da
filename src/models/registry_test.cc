#include "models/registry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nl::models {
namespace {

std::string layer(std::string_view kind, std::string_view digest, std::string_view size) {
  return fmt::format(R"({{"mediaType":"application/vnd.ollama.image.{}","digest":"{}","size":{}}})",
                     kind, digest, size);
}

std::string manifest(std::string_view layers) {
  return fmt::format(R"({{"schemaVersion":2,"layers":[{}]}})", layers);
}

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

TEST(RegistryTest, TakesTheModelAndItsProjectorAlone) {
  const auto read = parse_registry_manifest(
      manifest(layer("license", "junk", "1") + "," + layer("model", kDigest, "9") + "," +
               layer("projector", "sha256:" + std::string(64, 'b'), "3") + "," +
               layer("params", "junk", "1")));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->model.hex, kHex);
  EXPECT_EQ(read->model.bytes, 9U);
  ASSERT_TRUE(read->projector.has_value());
  EXPECT_EQ(read->projector->bytes, 3U);
}

TEST(RegistryTest, RefusesJunk) {
  for (const std::string& text :
       {std::string("<html>"), std::string("{}"), std::string("[]"), std::string(R"({"layers":3})"),
        manifest(""), manifest(layer("model", "sha256:../x", "9")),
        manifest(layer("model", kDigest, "0")), manifest(layer("model", kDigest, "-1")),
        manifest(layer("model", kDigest, "1e30")), manifest(layer("model", kDigest, "\"9\"")),
        manifest(layer("model", kDigest, "9") + "," + layer("model", kDigest, "9")),
        manifest(R"({"mediaType":"application/vnd.ollama.image.model"})")}) {
    EXPECT_FALSE(parse_registry_manifest(text).has_value()) << text;
  }
  const auto other = parse_registry_manifest(manifest(layer("tensor", kDigest, "9")));
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().message.find("MLX"), std::string::npos);
}

TEST(RegistryTest, AddressesAreBuiltFromCheckedParts) {
  Environment environment;
  environment.set("NIGHTLIGHT_REGISTRY", "http://127.0.0.1:99/mirror/");
  const auto bases = pull_bases(environment);
  ASSERT_TRUE(bases.has_value());
  const auto name = engine::parse_model_name("gemma4:26b");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(address_of(manifest_origin(*bases, *name)),
            "http://127.0.0.1:99/mirror/v2/library/gemma4/manifests/26b");
  EXPECT_EQ(address_of(blob_origin(*bases, *name, kHex)),
            "http://127.0.0.1:99/mirror/v2/library/gemma4/blobs/sha256:" + kHex);
  const auto file = engine::parse_model_name("hf:google/g-gguf/g.gguf");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(address_of(file_origin(*bases, *file)),
            "https://huggingface.co/google/g-gguf/resolve/main/g.gguf");
  environment.set("NIGHTLIGHT_REGISTRY", "http://mirror.example");
  EXPECT_FALSE(pull_bases(environment).has_value());
}

}  // namespace
}  // namespace nl::models
