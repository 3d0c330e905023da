#include "engine/gguf.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "engine/gguf_keys.h"
#include "engine/gguf_reader.h"
#include "engine/gguf_tensor.h"

namespace nl::engine {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint32_t kVersion = 3;

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorCode::config, std::move(text));
}

class MemoryBytes final : public GgufBytes {
 public:
  MemoryBytes(std::string_view bytes, std::uint64_t size) : bytes_(bytes), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return 0;
    const std::string_view rest = bytes_.substr(static_cast<std::size_t>(offset));
    const std::size_t count = std::min(rest.size(), into.size());
    std::memcpy(into.data(), rest.data(), count);
    return count;
  }

 private:
  std::string_view bytes_;
  std::uint64_t size_;
};

class FileBytes final : public GgufBytes {
 public:
  static Result<std::unique_ptr<FileBytes>> open(const std::string& path) {
    // Not to hang on a pipe that lies in the place of a file.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return fail(ErrorCode::io, std::strerror(errno));
    std::unique_ptr<FileBytes> file(new FileBytes(descriptor));
    struct stat found {};
    if (::fstat(descriptor, &found) != 0) return fail(ErrorCode::io, std::strerror(errno));
    if (!S_ISREG(found.st_mode)) return fail(ErrorCode::io, "is no file");
    file->size_ = static_cast<std::uint64_t>(found.st_size);
    return file;
  }
  ~FileBytes() override { ::close(descriptor_); }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    ssize_t got = -1;
    do {
      got = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return fail(ErrorCode::io, std::strerror(errno));
    return static_cast<std::size_t>(got);
  }

 private:
  explicit FileBytes(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  std::uint64_t size_ = 0;
};

// What a file is that does not begin like a GGUF: people meet these more often than damage.
std::unexpected<Error> no_gguf(std::string_view begin) {
  const std::size_t text = begin.find_first_not_of(" \t\r\n");
  const std::string_view first = text == std::string_view::npos ? begin : begin.substr(text);
  if (first.starts_with("version https://git-lfs")) {
    return refuse("is a Git LFS pointer, not the model itself: fetch it with `git lfs pull`");
  }
  if (first.starts_with('<')) return refuse("is a web page, not a model: download it again");
  if (first.starts_with('{') || first.starts_with('[')) {
    return refuse("is JSON text, not a model: perhaps an error saved as a download");
  }
  if (begin.starts_with("PK")) return refuse("is a ZIP archive, not a GGUF file");
  if (begin.size() > 9 && begin[8] == '{') {
    return refuse("is a safetensors file; the engine needs a GGUF file of the model");
  }
  return refuse("is no GGUF file: it does not begin with GGUF");
}

class Inspection {
 public:
  explicit Inspection(GgufBytes& bytes) : bytes_(bytes), reader_(bytes) {}

  Result<GgufFacts> run() {
    facts_.file_bytes = bytes_.size();
    auto done = begin();
    if (done) done = read_keys();
    if (done) done = read_tensors();
    if (done) done = keys_.finish(facts_);
    if (done) count_active();
    if (done) done = judge();
    if (!done) return std::unexpected(std::move(done.error()));
    return std::move(facts_);
  }

 private:
  Result<void> begin();
  Result<void> read_keys();
  Result<void> read_tensors();
  Result<void> check_data(std::uint64_t data_bytes, const std::string& last) const;
  Result<void> judge();
  void count_active();
  void see_name(const std::string& name);

  GgufBytes& bytes_;
  GgufReader reader_;
  GgufKeys keys_;
  GgufFacts facts_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t key_count_ = 0;
  bool has_blocks_ = false;
  bool has_projector_ = false;
};

Result<void> Inspection::begin() {
  std::array<char, 64> first{};
  const auto got = bytes_.read_at(0, first);
  if (!got) return std::unexpected(got.error());
  const std::string_view begin(first.data(), *got);
  if (begin.empty()) return refuse("is empty");
  if (!begin.starts_with("GGUF")) return no_gguf(begin);
  const auto magic = reader_.u32();
  const auto version = magic ? reader_.u32() : magic;
  if (!version) return std::unexpected(version.error());
  if (*magic != kMagic) return refuse("is no GGUF file: it does not begin with GGUF");
  if (*version != kVersion) {
    const bool swapped = (*version & 0xffffU) == 0;
    return refuse(fmt::format("has the format version {}{}; the engine reads version {}", *version,
                              swapped ? " (made for a big-endian machine?)" : "", kVersion));
  }
  const auto tensors = reader_.u64();
  const auto keys = tensors ? reader_.u64() : tensors;
  if (!keys) return std::unexpected(keys.error());
  if (*tensors > kTensorsMax) {
    return refuse(fmt::format("claims {} tensors, {} are allowed", *tensors, kTensorsMax));
  }
  if (*keys > kKeysMax) {
    return refuse(fmt::format("claims {} header entries, {} are allowed", *keys, kKeysMax));
  }
  tensor_count_ = *tensors;
  key_count_ = *keys;
  return {};
}

Result<void> Inspection::read_keys() {
  for (std::uint64_t i = 0; i < key_count_; ++i) {
    const auto done = keys_.read(reader_);
    if (!done) return done;
  }
  return {};
}

void Inspection::see_name(const std::string& name) {
  has_blocks_ = has_blocks_ || name.starts_with("blk.");
  has_projector_ =
      has_projector_ || name.starts_with("v.") || name.starts_with("a.") || name.starts_with("mm.");
}

Result<void> Inspection::read_tensors() {
  const std::uint64_t alignment = keys_.alignment();
  std::unordered_set<std::string> names;
  std::uint64_t expected = 0;  // where the next tensor's data must begin
  std::uint64_t end = 0;       // where the last one's ends
  std::string last;
  for (std::uint64_t i = 0; i < tensor_count_; ++i) {
    auto tensor = read_tensor(reader_);
    if (!tensor) return std::unexpected(std::move(tensor.error()));
    see_name(tensor->name);
    if (tensor->offset != expected) {
      return refuse(fmt::format("is damaged: the data of tensor {} begins at {}, not at {}",
                                tensor->name, tensor->offset, expected));
    }
    if (!names.insert(tensor->name).second) {
      return refuse(fmt::format("has the tensor {} twice", tensor->name));
    }
    // No file is that large, and the sums below cannot overflow any more.
    if (tensor->bytes > (1ULL << 60U) || expected > (1ULL << 60U)) {
      return refuse(fmt::format("tensor {} has an impossible size", tensor->name));
    }
    end = expected + tensor->bytes;
    expected = (end + alignment - 1) / alignment * alignment;
    if (end > bytes_.size()) {
      return refuse(
          fmt::format("is cut off: the data of tensor {} ends behind byte {}, the file "
                      "has {}",
                      tensor->name, end, bytes_.size()));
    }
    facts_.tensor_bytes += tensor->bytes;
    if (tensor->name == "per_layer_token_embd.weight") facts_.lookup_bytes += tensor->bytes;
    if (tensor->name.find("_exps.") != std::string::npos) facts_.expert_bytes += tensor->bytes;
    facts_.parameters += tensor->elements;
    last = std::move(tensor->name);
  }
  facts_.tensor_count = static_cast<std::uint32_t>(tensor_count_);
  return tensor_count_ == 0 ? Result<void>() : check_data(end, last);
}

Result<void> Inspection::check_data(std::uint64_t data_bytes, const std::string& last) const {
  const std::uint64_t alignment = keys_.alignment();
  const std::uint64_t begin = (reader_.position() + alignment - 1) / alignment * alignment;
  if (begin + data_bytes > bytes_.size()) {
    return refuse(fmt::format("is cut off: tensor {} ends at byte {}, the file has {}", last,
                              begin + data_bytes, bytes_.size()));
  }
  return {};
}

void Inspection::count_active() {
  const std::uint64_t idle =
      facts_.experts == 0 ? 0
                          : facts_.expert_bytes / facts_.experts *
                                (facts_.experts - std::min(facts_.experts_used, facts_.experts));
  facts_.active_bytes = facts_.tensor_bytes - facts_.lookup_bytes - idle;
}

Result<void> Inspection::judge() {
  if (facts_.split_count > 1 && facts_.kind == GgufKind::model) return {};
  if (tensor_count_ == 0) return refuse("holds no tensors, so it is no model");
  if (facts_.kind == GgufKind::projector) return {};
  if (!has_blocks_) return refuse("holds no layers, so it is no language model");
  if (has_projector_) facts_.kind = GgufKind::monolithic;
  return {};
}

}  // namespace

Result<GgufFacts> inspect_gguf_bytes(std::string_view bytes, std::uint64_t file_bytes) {
  MemoryBytes source(bytes, file_bytes);
  return Inspection(source).run();
}

Result<GgufFacts> inspect_gguf(const std::string& path) {
  auto file = FileBytes::open(path);
  if (!file) return fail(ErrorCode::io, path + ": " + file.error().message);
  auto facts = Inspection(**file).run();
  if (!facts) return fail(facts.error().code, path + ": " + facts.error().message);
  return facts;
}

}  // namespace nl::engine
