#include "engine/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/whole_file.h"
#include "http/digest.h"

namespace nl::engine {
namespace {

constexpr std::uint64_t kPartsMost = 64;
constexpr std::size_t kProgressBytesMax = 64 * 1024;
constexpr std::size_t kReadBytes = 1 << 20;

std::unexpected<Error> system_error(const std::string& path) {
  const char* const why = errno == ENOSPC || errno == EDQUOT ? "the disk is full; free some space "
                                                               "and pull again: it goes on"
                                                             : std::strerror(errno);
  return fail(ErrorCode::io, fmt::format("{}: {}", path, why));
}

// Takes the text that save() writes apart, and nothing else.
class ProgressReader {
 public:
  explicit ProgressReader(std::string_view text) : rest_(text) {}

  bool word(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool number(std::uint64_t& out) {
    const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return true;
  }
  bool part(Part& out) {
    return word("[") && number(out.begin) && word(",") && number(out.end) && word(",") &&
           number(out.done) && word("]");
  }

 private:
  std::string_view rest_;
};

// Parts that cover [0, size) without a gap.
bool cover(const std::vector<Part>& parts, std::uint64_t size) {
  std::uint64_t at = 0;
  for (const Part& part : parts) {
    if (part.begin != at || part.end <= part.begin || part.done > part.end - part.begin) {
      return false;
    }
    at = part.end;
  }
  return at == size;
}

// What may stand in the progress file's JSON without an escape.
std::string plain(const std::string& version) {
  std::string kept;
  for (const char c : version.substr(0, 128)) {
    const bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (fine || c == '-' || c == '_' || c == '.') {
      kept += c;
    } else {
      kept += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return kept;
}

Result<std::string> digest_of(int file, const std::string& path,
                              const std::function<void(std::uint64_t)>& looked) {
  http::Sha256 digest;
  std::string buffer(kReadBytes, '\0');
  off_t at = 0;
  while (true) {
    const ssize_t got = ::pread(file, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path);
    if (got == 0) return digest.hex();
    digest.update(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    at += got;
    looked(static_cast<std::uint64_t>(at));
  }
}

}  // namespace

std::vector<Part> split_into_parts(std::uint64_t size, const PartSizes& sizes) {
  std::vector<Part> parts;
  const std::uint64_t head = std::min(size, std::max<std::uint64_t>(sizes.head_bytes, 1));
  if (size > 0) parts.push_back({0, head, 0});
  const std::uint64_t each =
      std::max<std::uint64_t>({sizes.least_bytes, (size - head) / kPartsMost + 1, 1});
  for (std::uint64_t at = head; at < size; at += each) {
    parts.push_back({at, std::min(size, at + each), 0});
  }
  return parts;
}

Result<PartialFile> PartialFile::open(const std::string& path, std::uint64_t size,
                                      const std::string& version, const PartSizes& sizes) {
  PartialFile made(path, size, plain(version));
  const bool goes_on = made.take_progress();
  if (!goes_on) {
    made.parts_ = split_into_parts(size, sizes);
    // A link to another file must not be written through.
    ::unlink(made.path().c_str());
  }
  made.file_ = ::open(made.path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (made.file_ < 0) return system_error(made.path());
  struct stat found {};
  const bool whole = ::fstat(made.file_, &found) == 0 && S_ISREG(found.st_mode) &&
                     static_cast<std::uint64_t>(found.st_size) == size;
  if (!whole) {
    for (Part& part : made.parts_) part.done = 0;
    if (::ftruncate(made.file_, static_cast<off_t>(size)) != 0) return system_error(made.path());
  }
  return made;
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : path_(std::move(other.path_)),
      size_(other.size_),
      version_(std::move(other.version_)),
      parts_(std::move(other.parts_)),
      file_(std::exchange(other.file_, -1)) {}

PartialFile::~PartialFile() {
  if (file_ >= 0) ::close(file_);
}

bool PartialFile::take_progress() {
  const auto text = read_whole_file(progress_path(), kProgressBytesMax);
  if (!text) return false;
  ProgressReader reader(*text);
  std::uint64_t size = 0;
  const bool same = reader.word("{\"format\":1,\"size\":") && reader.number(size) &&
                    size == size_ && reader.word(",\"version\":\"") && reader.word(version_) &&
                    reader.word("\",\"parts\":[");
  if (!same) return false;
  std::vector<Part> parts;
  do {
    Part part;
    if (!reader.part(part)) return false;
    parts.push_back(part);
  } while (reader.word(","));
  if (!reader.word("]}") || !cover(parts, size_)) return false;
  parts_ = std::move(parts);
  return true;
}

std::uint64_t PartialFile::done() const {
  std::uint64_t sum = 0;
  for (const Part& part : parts_) sum += part.done;
  return sum;
}

Result<void> PartialFile::write(std::size_t index, std::string_view bytes) {
  Part& part = parts_[index];
  if (bytes.size() > part.end - part.begin - part.done) {
    return fail(ErrorCode::not_an_answer, "the server sends more than was asked for");
  }
  while (!bytes.empty()) {
    const auto at = static_cast<off_t>(part.begin + part.done);
    const ssize_t put = ::pwrite(file_, bytes.data(), bytes.size(), at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return system_error(path());
    part.done += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> PartialFile::save() {
#ifdef __APPLE__
  const int synced = ::fsync(file_);
#else
  const int synced = ::fdatasync(file_);
#endif
  if (synced != 0) return system_error(path());
  std::string text =
      fmt::format("{{\"format\":1,\"size\":{},\"version\":\"{}\",\"parts\":[", size_, version_);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    text += fmt::format("{}[{},{},{}]", i == 0 ? "" : ",", part.begin, part.end, part.done);
  }
  return write_whole_file(progress_path(), text + "]}");
}

Result<std::string> PartialFile::beginning(std::size_t count) const {
  std::string bytes(std::min<std::uint64_t>(count, size_), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got =
        ::pread(file_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error(path());
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<std::string> PartialFile::digest(const std::function<void(std::uint64_t)>& looked) const {
  return digest_of(file_, path(), looked);
}

Result<void> PartialFile::finish(const std::string& name) {
  if (::fsync(file_) != 0) return system_error(path());
  if (::rename(path().c_str(), name.c_str()) != 0) return system_error(name);
  ::unlink(progress_path().c_str());
  return {};
}

void PartialFile::discard() {
  ::unlink(path().c_str());
  ::unlink(progress_path().c_str());
}

Result<std::string> file_digest(const std::string& path,
                                const std::function<void(std::uint64_t)>& looked) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return system_error(path);
  auto digest = digest_of(file, path, looked);
  ::close(file);
  return digest;
}

}  // namespace nl::engine
