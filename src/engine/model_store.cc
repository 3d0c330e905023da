#include "engine/model_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include "base/whole_file.h"
#include "engine/model_name.h"
#include "http/digest.h"

namespace nl::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kManifestBytesMax = 64 * 1024;
constexpr std::size_t kManifestsMax = 1000;
constexpr std::size_t kComponentMax = 240;
constexpr std::string_view kBlobPrefix = "sha256-";

std::unexpected<Error> system_error(const std::string& path) {
  return fail(ErrorCode::io, fmt::format("{}: {}", path, std::strerror(errno)));
}

// The name as one path component: what is no letter, digit, ".", "_" or "-" becomes %XX.
std::string component(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (kept) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() <= kComponentMax) return text;
  return text.substr(0, kComponentMax - 65) + "-" + http::sha256_hex(name);
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

StoreLock::StoreLock(StoreLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

StoreLock::~StoreLock() {
  if (file_ >= 0) ::close(file_);
}

Result<void> ModelStore::prepare() const {
  if (folder_.empty()) {
    return fail(ErrorCode::config, "no place for models: set HOME or NIGHTLIGHT_MODELS");
  }
  std::error_code error;
  const fs::path above = fs::path(folder_).parent_path();
  if (!above.empty()) fs::create_directories(above, error);
  if (error) return fail(ErrorCode::io, fmt::format("{}: {}", above.string(), error.message()));
  for (const std::string& path : {folder_, folder_ + "/blobs", folder_ + "/manifests"}) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error(path);
  }
  return {};
}

Result<StoreLock> ModelStore::lock() const {
  const auto prepared = prepare();
  if (!prepared) return std::unexpected(prepared.error());
  const std::string path = folder_ + "/lock";
  StoreLock held(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (held.file_ < 0) return system_error(path);
  if (::flock(held.file_, LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_whole_file(path, 64);
    return fail(ErrorCode::io,
                fmt::format("another pull or rm works in {} (process {}): wait for it, or end it",
                            folder_, holder && !holder->empty() ? *holder : "unknown"));
  }
  const std::string own = std::to_string(::getpid());
  const bool noted =
      ::ftruncate(held.file_, 0) == 0 &&
      ::pwrite(held.file_, own.data(), own.size(), 0) == static_cast<ssize_t>(own.size());
  if (!noted) return system_error(path);
  return held;
}

std::string ModelStore::blob(std::string_view hex) const {
  return fmt::format("{}/blobs/{}{}", folder_, kBlobPrefix,
                     is_sha256(hex) ? hex : std::string_view("none"));
}

bool ModelStore::has_blob(std::string_view hex, std::uint64_t bytes) const {
  struct stat found {};
  return is_sha256(hex) && ::lstat(blob(hex).c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         static_cast<std::uint64_t>(found.st_size) == bytes;
}

std::uint64_t ModelStore::free_bytes() const {
  struct statvfs system {};
  if (::statvfs(folder_.c_str(), &system) != 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(system.f_bavail) * system.f_frsize;
}

std::vector<std::string> ModelStore::manifests() const {
  std::vector<std::string> texts;
  if (folder_.empty()) return texts;
  for (const fs::path& file : files_of(fs::path(folder_) / "manifests")) {
    if (file.extension() != ".json" || texts.size() >= kManifestsMax) continue;
    auto text = read_whole_file(file.string(), kManifestBytesMax);
    if (text) texts.push_back(std::move(*text));
  }
  return texts;
}

Result<std::string> ModelStore::manifest_path(const std::string& name) const {
  const auto parsed = parse_model_name(name);
  if (!parsed) return std::unexpected(parsed.error());
  return fmt::format("{}/manifests/{}.json", folder_, component(parsed->text()));
}

Result<void> ModelStore::write_manifest(const std::string& name, std::string_view text) const {
  const auto path = manifest_path(name);
  if (!path) return std::unexpected(path.error());
  return write_whole_file(*path, text);
}

Result<void> ModelStore::remove_manifest(const std::string& name) const {
  const auto path = manifest_path(name);
  if (!path) return std::unexpected(path.error());
  if (::unlink(path->c_str()) != 0) return system_error(*path);
  return {};
}

std::vector<ModelStore::Unnamed> ModelStore::blobs_except(const std::set<std::string>& kept,
                                                          Unfinished unfinished) const {
  std::vector<Unnamed> blobs;
  for (const fs::path& file : files_of(fs::path(folder_) / "blobs")) {
    const std::string name = file.filename().string();
    const bool ours = name.starts_with(kBlobPrefix);
    if (ours && kept.contains(name.substr(kBlobPrefix.size()))) continue;
    const bool rest = name.ends_with(".partial") || name.ends_with(".progress");
    if (rest && unfinished == Unfinished::keep) continue;
    struct stat found {};
    if (::lstat(file.c_str(), &found) != 0) continue;
    blobs.push_back({file.string(), static_cast<std::uint64_t>(found.st_blocks) * 512});
  }
  return blobs;
}

std::uint64_t ModelStore::bytes_except(const std::set<std::string>& kept) const {
  std::uint64_t bytes = 0;
  for (const Unnamed& blob : blobs_except(kept, Unfinished::remove)) bytes += blob.bytes;
  return bytes;
}

std::uint64_t ModelStore::unfinished_bytes() const {
  std::uint64_t bytes = 0;
  for (const Unnamed& blob : blobs_except({}, Unfinished::remove)) {
    if (blob.path.ends_with(".partial")) bytes += blob.bytes;
  }
  return bytes;
}

std::uint64_t ModelStore::remove_blobs_except(const std::set<std::string>& kept,
                                              Unfinished unfinished) const {
  std::uint64_t freed = 0;
  for (const Unnamed& blob : blobs_except(kept, unfinished)) {
    if (::unlink(blob.path.c_str()) == 0) freed += blob.bytes;
  }
  return freed;
}

}  // namespace nl::engine
