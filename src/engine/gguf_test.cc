#include "engine/gguf.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/gguf_writer.h"

namespace nl::engine {
namespace {

// What is wrong with `bytes`; empty = nothing.
std::string fault(const std::string& bytes) {
  const auto facts = inspect_gguf_bytes(bytes, bytes.size());
  return facts ? "" : facts.error().message;
}

bool says(const std::string& message, const std::string& what) {
  return message.find(what) != std::string::npos;
}

struct Refused {
  const char* name;
  std::string bytes;
  const char* reason;
};

void expect_refused(const std::vector<Refused>& table) {
  for (const Refused& bad : table) {
    EXPECT_TRUE(says(fault(bad.bytes), bad.reason)) << bad.name << ": " << fault(bad.bytes);
  }
}

TEST(Gguf, a_small_model_is_read) {
  GgufWriter writer = small_model();
  writer.text("general.name", "a model\x01");
  writer.text("tokenizer.chat_template", "{% for m in messages %}{{ m.content }}{% endfor %}");
  const std::string bytes = writer.bytes();
  const auto facts = inspect_gguf_bytes(bytes, bytes.size());
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->kind, GgufKind::model);
  EXPECT_EQ(facts->architecture, "llama");
  EXPECT_EQ(facts->name, "a model?");
  EXPECT_EQ(facts->context_length, 4096U);
  EXPECT_EQ(facts->block_count, 2U);
  EXPECT_EQ(facts->kv_heads, std::vector<std::uint32_t>{2});
  EXPECT_EQ(facts->key_length, 16U);
  EXPECT_EQ(facts->tensor_count, 2U);
  EXPECT_EQ(facts->parameters, 64U * 4 + 64U);
  EXPECT_EQ(facts->tensor_bytes, facts->parameters * 4);
  EXPECT_EQ(facts->file_bytes, bytes.size());
  EXPECT_TRUE(facts->has_chat_template);
  EXPECT_FALSE(facts->is_ember);
  EXPECT_TRUE(facts->window_layers.empty());
}

TEST(Gguf, per_layer_heads_and_windows_are_read) {
  GgufWriter writer = small_model();
  writer.text("general.name", "ember-1");
  writer.number("llama.attention.sliding_window", 512);
  writer.flags("llama.attention.sliding_window_pattern", {1, 0});
  writer.number("llama.attention.key_length_swa", 8);
  writer.number("llama.attention.shared_kv_layers", 1);
  const std::string bytes = writer.bytes();
  const auto facts = inspect_gguf_bytes(bytes, bytes.size());
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_TRUE(facts->is_ember);
  EXPECT_EQ(facts->window_layers, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(facts->sliding_window, 512U);
  EXPECT_EQ(facts->window_key_length, 8U);
  EXPECT_EQ(facts->window_value_length, 16U);
  EXPECT_EQ(facts->shared_kv_layers, 1U);
}

TEST(Gguf, other_kinds_are_told_apart) {
  GgufWriter ollama = small_model();
  ollama.tensor("v.patch_embd.weight", {32});
  const std::string monolithic = ollama.bytes();
  EXPECT_EQ(inspect_gguf_bytes(monolithic, monolithic.size())->kind, GgufKind::monolithic);
  GgufWriter clip;
  clip.text("general.architecture", "clip");
  clip.tensor("v.patch_embd.weight", {32});
  const std::string projector = clip.bytes();
  EXPECT_EQ(inspect_gguf_bytes(projector, projector.size())->kind, GgufKind::projector);
  GgufWriter adapter = small_model();
  adapter.text("general.type", "adapter");
  GgufWriter part = small_model();
  part.number("split.no", 2);
  part.number("split.count", 3);
  expect_refused({{"adapter", adapter.bytes(), "is an adapter"},
                  {"part", part.bytes(), "part 3 of a split model"}});
}

TEST(Gguf, what_is_no_gguf_is_named) {
  expect_refused({
      {"empty", "", "is empty"},
      {"page", "<!DOCTYPE html><html>", "is a web page"},
      {"json", "\n {\"error\":\"not found\"}", "is JSON text"},
      {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"},
      {"zip", "PK\x03\x04 and more", "ZIP"},
      {"other", std::string(100, 'x'), "does not begin with GGUF"},
      {"magic", "GGUF", "is cut off"},
      {"old", GgufWriter::head(2, 1, 1), "format version 2"},
      {"swapped", GgufWriter::head(0x03000000, 1, 1), "big-endian"},
      {"keys", GgufWriter::head(3, 1, ~0ULL), "header entries"},
      {"tensors", GgufWriter::head(3, 1ULL << 40, 1), "claims 1099511627776 tensors"},
  });
}

TEST(Gguf, hostile_headers_are_refused) {
  const auto with = [](void (*change)(GgufWriter&)) {
    GgufWriter writer = small_model();
    change(writer);
    return writer.bytes();
  };
  expect_refused({
      {"twice", with([](auto& w) { w.number("llama.block_count", 3); }), "twice"},
      {"negative", with([](auto& w) { w.signed_number("llama.attention.key_length", -1); }), "-1"},
      {"alignment", with([](auto& w) { w.number("general.alignment", 3); }), "power of two"},
      {"alignment text", with([](auto& w) { w.text("general.alignment", "x"); }), "power of two"},
      {"empty key", with([](auto& w) { w.number("", 1); }), "name is empty"},
      {"nul key", with([](auto& w) { w.number(std::string("a\0b", 3), 1); }), "no plain text"},
      {"long key", with([](auto& w) { w.number(std::string(2000, 'k'), 1); }), "2000 bytes"},
      {"lists", with([](auto& w) { w.nested_array("x.y"); }), "list of lists"},
      {"huge list", with([](auto& w) { w.array_head("x.y", 4, 1ULL << 60); }), "claims"},
      {"huge texts", with([](auto& w) { w.array_head("x.y", 8, 1ULL << 61); }), "claims"},
      {"odd type", with([](auto& w) { w.array_head("x.y", 77, 1); }), "unknown type 77"},
      {"name type", with([](auto& w) { w.number("general.name", 5); }), "general.name is no text"},
      {"tensor twice", with([](auto& w) { w.tensor("blk.0.w", {64}); }), "blk.0.w twice"},
      {"path", with([](auto& w) { w.tensor("../../etc/x", {64}); }), "no plain name"},
      {"no name", with([](auto& w) { w.tensor("", {64}); }), "no plain name"},
      {"long name", with([](auto& w) { w.tensor(std::string(64, 'n'), {64}); }), "64 bytes"},
      {"no dims", with([](auto& w) { w.tensor("t", {}); }), "0 dimensions"},
      {"5 dims", with([](auto& w) {
         w.tensor("t", {1, 1, 1, 1, 1});
       }),
       "5 dimensions"},
      {"zero", with([](auto& w) {
         w.tensor("t", {32, 0});
       }),
       "impossible size"},
      {"negative size", with([](auto& w) { w.tensor("t", {~0ULL}); }), "impossible size, -1"},
      {"product", with([](auto& w) {
         w.tensor("t", {1ULL << 40, 1ULL << 40});
       }),
       "impossible"},
      {"beyond", with([](auto& w) { w.tensor_only("t", {1ULL << 40}); }), "is cut off"},
      {"type", with([](auto& w) { w.typed_tensor("t", 4); }), "unknown type 4"},
      {"type 99", with([](auto& w) { w.typed_tensor("t", 99); }), "unknown type 99"},
      {"row", with([](auto& w) { w.typed_tensor("t", 12); }), "not a multiple of 256"},
  });
}

TEST(Gguf, what_is_missing_is_named) {
  GgufWriter nothing;
  GgufWriter elsewhere = small_model("nosuch");
  GgufWriter no_tokenizer;
  no_tokenizer.text("general.architecture", "llama");
  for (const char* key : {"block_count", "embedding_length", "context_length"}) {
    no_tokenizer.number(std::string("llama.") + key, 2);
  }
  GgufWriter no_tensors = no_tokenizer;
  no_tensors.text("tokenizer.ggml.model", "llama");
  no_tensors.texts("tokenizer.ggml.tokens", {"a", "b"});
  GgufWriter no_layers = no_tensors;
  no_layers.tensor("token_embd.weight", {32});
  GgufWriter number;
  number.number("general.architecture", 7);
  expect_refused({{"nothing", nothing.bytes(), "does not say its architecture"},
                  {"architecture", number.bytes(), "general.architecture is no text"},
                  {"other keys", elsewhere.bytes(), "does not say nosuch.block_count"},
                  {"tokenizer", no_tokenizer.bytes(), "holds no tokenizer"},
                  {"tensors", no_tensors.bytes(), "holds no tensors"},
                  {"layers", no_layers.bytes(), "holds no layers"}});
}

TEST(Gguf, every_cut_is_refused) {
  const std::string bytes = small_model().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(fault(bytes.substr(0, size)), "") << size;
  }
  EXPECT_EQ(fault(bytes), "");
  EXPECT_TRUE(says(fault(bytes.substr(0, bytes.size() - 1)), "tensor blk.0.w ends at byte"));
}

TEST(Gguf, tensors_must_follow_each_other) {
  GgufWriter writer = small_model();
  writer.shift_next_offset(32);
  writer.tensor("blk.1.w", {64});
  EXPECT_TRUE(says(fault(writer.bytes()), "is damaged: the data of tensor blk.1.w"));
}

TEST(Gguf, files_are_named_in_errors) {
  EXPECT_TRUE(says(inspect_gguf("/nowhere/x.gguf").error().message, "/nowhere/x.gguf: No such"));
  EXPECT_TRUE(says(inspect_gguf("/dev/null").error().message, "is no file"));
}

// The bad files that lie beside the repository, where they do.
TEST(Gguf, the_corpus_of_bad_files_is_refused) {
  const char* const named = std::getenv("NL_SHARED_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(named != nullptr ? named : "../shared/data") / "badinput/gguf";
  if (!std::filesystem::is_directory(folder))
    GTEST_SKIP() << "no shared test data beside this checkout";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto facts = inspect_gguf(entry.path());
    EXPECT_FALSE(facts) << entry.path();
    if (!facts && std::getenv("NL_SHOW") != nullptr) puts(facts.error().message.c_str());
    ++count;
  }
  EXPECT_GT(count, 20);
}

}  // namespace
}  // namespace nl::engine
