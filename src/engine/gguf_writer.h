// GgufWriter: writes GGUF headers for tests, right ones and wrong ones.
//
// Values are kept as they are told, so that a test can say what no converter would. Test code only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace nl::engine {

class GgufWriter {
 public:
  static std::string head(std::uint32_t version, std::uint64_t tensors, std::uint64_t keys) {
    std::string out = "GGUF";
    put(out, version, 4);
    put(out, tensors, 8);
    put(out, keys, 8);
    return out;
  }

  void text(const std::string& key, const std::string& value) {
    begin(key, 8);
    put_text(keys_, value);
  }
  void number(const std::string& key, std::uint32_t value) {
    begin(key, 4);
    put(keys_, value, 4);
  }
  void signed_number(const std::string& key, std::int32_t value) {
    begin(key, 5);
    put(keys_, static_cast<std::uint32_t>(value), 4);
  }
  void texts(const std::string& key, const std::vector<std::string>& values) {
    array_head(key, 8, values.size());
    for (const std::string& value : values) put_text(keys_, value);
  }
  void flags(const std::string& key, const std::vector<std::uint8_t>& values) {
    array_head(key, 7, values.size());
    for (const std::uint8_t value : values) put(keys_, value, 1);
  }
  void array_head(const std::string& key, std::uint32_t type, std::uint64_t count) {
    begin(key, 9);
    put(keys_, type, 4);
    put(keys_, count, 8);
  }
  void nested_array(const std::string& key) {
    array_head(key, 9, 1);
    put(keys_, 4, 4);
    put(keys_, 0, 8);
  }

  // A tensor of 32-bit numbers, with its data.
  void tensor(const std::string& name, const std::vector<std::uint64_t>& sizes) {
    tensor_only(name, sizes);
    std::uint64_t elements = 1;
    for (const std::uint64_t size : sizes) elements *= size;
    if (elements > 4096) return;
    data_.resize(static_cast<std::size_t>((offset_ + elements * 4 + 31) / 32 * 32));
    last_end_ = static_cast<std::size_t>(offset_ + elements * 4);
    offset_ = data_.size();
  }
  // Without data behind it.
  void tensor_only(const std::string& name, const std::vector<std::uint64_t>& sizes) {
    describe(name, sizes, 0);
  }
  void typed_tensor(const std::string& name, std::uint32_t type) { describe(name, {32}, type); }
  void shift_next_offset(std::uint64_t by) { offset_ += by; }

  std::string bytes() const {
    std::string out = head(3, tensor_count_, key_count_) + keys_ + tensors_;
    out.resize((out.size() + 31) / 32 * 32);
    // The padding behind the last tensor need not be there.
    return out + data_.substr(0, last_end_);
  }

 private:
  static void put(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
      out += static_cast<char>(value >> (8U * static_cast<unsigned>(i)));
  }
  static void put_text(std::string& out, const std::string& value) {
    put(out, value.size(), 8);
    out += value;
  }
  void begin(const std::string& key, std::uint32_t type) {
    put_text(keys_, key);
    put(keys_, type, 4);
    ++key_count_;
  }
  void describe(const std::string& name, const std::vector<std::uint64_t>& sizes,
                std::uint32_t type) {
    put_text(tensors_, name);
    put(tensors_, sizes.size(), 4);
    for (const std::uint64_t size : sizes) put(tensors_, size, 8);
    put(tensors_, type, 4);
    put(tensors_, offset_, 8);
    ++tensor_count_;
  }

  std::string keys_;
  std::string tensors_;
  std::string data_;
  std::size_t last_end_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t key_count_ = 0;
  std::uint64_t tensor_count_ = 0;
};

// Everything the pre-check asks for, and nothing else.
inline GgufWriter small_model(const std::string& says_architecture = "llama") {
  GgufWriter writer;
  writer.text("general.architecture", says_architecture);
  writer.number("llama.context_length", 4096);
  writer.number("llama.embedding_length", 64);
  writer.number("llama.block_count", 2);
  writer.number("llama.attention.head_count", 4);
  writer.number("llama.attention.head_count_kv", 2);
  writer.text("tokenizer.ggml.model", "llama");
  writer.texts("tokenizer.ggml.tokens", {"<unk>", "a", "b", "c"});
  writer.tensor("token_embd.weight", {64, 4});
  writer.tensor("blk.0.w", {64});
  return writer;
}

}  // namespace nl::engine
