#include "config/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nl::config {
namespace {

constexpr std::size_t kConfigBytesMax = 1u << 20;
constexpr std::size_t kKeyBytesMax = 16u << 10;

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

bool trusted_owner(const struct stat& status) {
  return status.st_uid == 0 || status.st_uid == geteuid();
}

// What forbids the use of an opened file, or empty.
std::string distrust(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return fmt::format("{}: not a plain file; name a file", path);
  if (!trusted_owner(status)) {
    return fmt::format("{}: belongs to another user (uid {}); run: chown {} '{}'", path,
                       status.st_uid, geteuid(), path);
  }
  if ((status.st_mode & 022) != 0) {
    return fmt::format("{}: others may write it (mode {:04o}); run: chmod go-w '{}'", path,
                       status.st_mode & 07777, path);
  }
  // A link that somebody else owns can be turned around at any time.
  struct stat link {};
  if (lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode) && !trusted_owner(link)) {
    return fmt::format("{}: is a link that belongs to another user; name the file itself", path);
  }
  return "";
}

Result<std::string> read_all(int descriptor, const std::string& path, std::size_t limit) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::config, fmt::format("{}: {}", path, std::strerror(errno)));
    if (got == 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > limit) {
      return fail(ErrorCode::config, fmt::format("{}: larger than {} bytes", path, limit));
    }
  }
  explicit_bzero(buffer, sizeof buffer);
  return text;
}

}  // namespace

std::vector<std::string> config_places(const Environment& environment) {
  std::vector<std::string> places;
  const std::string xdg = environment.text("XDG_CONFIG_HOME");
  const std::string home = environment.text("HOME");
  if (xdg.starts_with('/')) {
    places.push_back(xdg + "/nightlight/config.toml");
  } else if (home.starts_with('/')) {
    places.push_back(home + "/.config/nightlight/config.toml");
  }
  places.emplace_back("/etc/nightlight/config.toml");
  return places;
}

Result<ConfigText> read_config_file(const std::string& path) {
  const OpenFile file(path);
  if (file.descriptor() < 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR) {
      return fail(ErrorCode::not_found, fmt::format("{}: no such file", path));
    }
    return fail(ErrorCode::config, fmt::format("{}: cannot be read: {}; make it readable for you",
                                               path, std::strerror(reason)));
  }
  struct stat status {};
  if (fstat(file.descriptor(), &status) != 0) {
    return fail(ErrorCode::config, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (std::string why = distrust(path, status); !why.empty()) {
    return fail(ErrorCode::config, std::move(why));
  }
  auto text = read_all(file.descriptor(), path, kConfigBytesMax);
  if (!text) return std::unexpected(std::move(text.error()));
  ConfigText made;
  made.text = std::move(*text);
  made.path = path;
  made.mode = (status.st_mode & 077) == 0 ? FileMode::owner_only : FileMode::readable_by_others;
  return made;
}

Result<Secret> read_key_file(const std::string& path) {
  const OpenFile file(path);
  if (file.descriptor() < 0) {
    return fail(ErrorCode::config,
                fmt::format("{}: cannot be read: {}; put the key there, mode 0600", path,
                            std::strerror(errno)));
  }
  struct stat status {};
  if (fstat(file.descriptor(), &status) != 0) {
    return fail(ErrorCode::config, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (std::string why = distrust(path, status); !why.empty()) {
    return fail(ErrorCode::config, std::move(why));
  }
  // A service manager hands keys out as root:group 0440.
  const mode_t forbidden = status.st_uid == 0 ? 037 : 077;
  if ((status.st_mode & forbidden) != 0) {
    return fail(ErrorCode::config,
                fmt::format("{}: others may read the key (mode {:04o}); run: chmod 600 '{}'", path,
                            status.st_mode & 07777, path));
  }
  auto text = read_all(file.descriptor(), path, kKeyBytesMax);
  if (!text) return std::unexpected(std::move(text.error()));
  std::string_view key = *text;
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ')) {
    key.remove_suffix(1);
  }
  Secret secret(key);
  explicit_bzero(text->data(), text->size());
  if (secret.empty()) return fail(ErrorCode::config, fmt::format("{}: is empty", path));
  if (std::string why = unfit_key(secret.reveal()); !why.empty()) {
    return fail(ErrorCode::config, fmt::format("{}: {}", path, why));
  }
  return secret;
}

Result<std::string> absolute_path(std::string_view path, const Environment& environment) {
  if (path.starts_with("~/")) {
    const auto home = environment.find("HOME");
    if (!home) return fail(ErrorCode::config, "~ cannot be resolved: HOME is not set");
    return std::string(*home) + std::string(path.substr(1));
  }
  if (path.starts_with('/')) return std::string(path);
  return fail(ErrorCode::config,
              fmt::format("\"{}\" depends on the working directory; write the whole path", path));
}

std::string user_config_folder(const Environment& environment) {
  const std::string xdg = environment.text("XDG_CONFIG_HOME");
  if (xdg.starts_with('/')) return xdg + "/nightlight";
  const std::string home = environment.text("HOME");
  return home.starts_with('/') ? home + "/.config/nightlight" : std::string();
}

std::string unfit_key(std::string_view key) {
  for (const char c : key) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return "the key has a space, a line end or a byte that no key has; store the key alone";
    }
  }
  return "";
}

}  // namespace nl::config
