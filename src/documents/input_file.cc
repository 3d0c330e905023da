#include "documents/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "documents/text_encoding.h"

namespace nl::documents {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;
constexpr std::size_t kShownBytesMax = 4096;

std::unexpected<Error> refused(const std::string& name, int number) {
  return fail(ErrorCode::io, name + ": " + std::strerror(number));
}

}  // namespace

Result<InputFile> InputFile::open(const std::filesystem::path& path) {
  std::string name = shown(path);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) return refused(name, errno);
  InputFile file(descriptor, std::move(name));
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return refused(file.name_, errno);
  if (S_ISDIR(status.st_mode)) return refused(file.name_, EISDIR);
  return file;
}

InputFile InputFile::holding(std::string bytes) {
  InputFile file(-1, "");
  file.held_ = std::move(bytes);
  return file;
}

InputFile::InputFile(int descriptor, std::string name)
    : descriptor_(descriptor), name_(std::move(name)) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      held_(std::move(other.held_)),
      held_at_(std::exchange(other.held_at_, 0)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(name_, other.name_);
  std::swap(held_, other.held_);
  std::swap(held_at_, other.held_at_);
  return *this;
}

Result<std::size_t> InputFile::read(std::string& to, std::size_t bytes_max) {
  if (descriptor_ < 0) {
    const std::string_view piece = std::string_view(held_).substr(held_at_, bytes_max);
    held_at_ += piece.size();
    to += piece;
    return piece.size();
  }
  const std::size_t before = to.size();
  to.resize(before + bytes_max);
  ssize_t size = -1;
  do {
    size = ::read(descriptor_, to.data() + before, bytes_max);
  } while (size < 0 && errno == EINTR);
  to.resize(before + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (size < 0) return refused(name_, errno);
  return static_cast<std::size_t>(size);
}

Result<std::string> InputFile::rest(std::size_t bytes_max) {
  std::string bytes;
  while (true) {
    const std::size_t wanted = std::min(kPieceBytes, bytes_max + 1 - bytes.size());
    const Result<std::size_t> size = read(bytes, wanted);
    if (!size) return std::unexpected(size.error());
    if (*size == 0) return bytes;
    if (bytes.size() > bytes_max) {
      return fail(ErrorCode::too_large, name_ + ": over " + mebibytes(bytes_max));
    }
  }
}

std::string shown(const std::filesystem::path& path) {
  return one_line(path.native(), kShownBytesMax);
}

std::string mebibytes(std::size_t bytes) {
  const std::size_t whole = std::size_t{1} << 20U;
  if (bytes >= whole && bytes % whole == 0) return fmt::format("{} MiB", bytes / whole);
  if (bytes >= whole) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(whole));
  }
  return fmt::format("{} bytes", bytes);
}

}  // namespace nl::documents
