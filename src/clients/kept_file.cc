#include "clients/kept_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/whole_file.h"

namespace nl::clients {
namespace {

constexpr std::size_t kBytesMax = 4u << 20;
constexpr int kLinksMax = 40;

std::unexpected<Error> refused(const std::string& path, int reason) {
  return fail(ErrorCode::io, fmt::format("{}: {}", path, std::strerror(reason)));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// `path` behind its links, also where the last one leads to nothing.
Result<std::string> behind_links(std::string path) {
  for (int i = 0; i < kLinksMax; ++i) {
    std::error_code error;
    const auto next = std::filesystem::read_symlink(path, error);
    if (error) return path;
    path = next.is_absolute() ? next.string() : folder_of(path) + "/" + next.string();
  }
  return refused(path, ELOOP);
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

Result<std::string> read_all(const Descriptor& file, const std::string& path) {
  std::string text;
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = ::read(file.number(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused(path, errno);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kBytesMax) {
      return fail(ErrorCode::config, fmt::format("{}: larger than {} bytes", path, kBytesMax));
    }
  }
}

bool write_all(const Descriptor& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(file.number(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return ::fsync(file.number()) == 0;
}

// `text` and nothing else, from the beginning.
bool write_over(const Descriptor& file, std::string_view text) {
  return ::lseek(file.number(), 0, SEEK_SET) == 0 && write_all(file, text) &&
         ::ftruncate(file.number(), static_cast<off_t>(text.size())) == 0;
}

// A new file beside `target`, complete and on the disk; its name. `like` = whose mode and owner it
// gets, null = 0600.
Result<std::string> write_beside(const std::string& target, std::string_view text,
                                 const struct stat* like) {
  std::string name = target + ".nightlight-XXXXXX";
  const Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file.number() < 0) {
    return fail(ErrorCode::io, fmt::format("{}: no file can be written there: {}",
                                           folder_of(target), std::strerror(errno)));
  }
  bool done = true;
  if (like != nullptr) {
    const bool other = like->st_uid != ::geteuid() || like->st_gid != ::getegid();
    // The group may be one that we are not in: then it becomes ours, as with any editor.
    if (other && ::fchown(file.number(), like->st_uid, like->st_gid) != 0) {
      done = like->st_uid == ::geteuid();
    }
    done = done && ::fchmod(file.number(), like->st_mode & 07777) == 0;
  }
  done = done && write_all(file, text);
  if (done) return name;
  const int reason = errno;
  ::unlink(name.c_str());
  return refused(target, reason);
}

void sync_folder(const std::string& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.number() >= 0) ::fsync(file.number());
}

Result<void> move_over(const std::string& made, const std::string& target) {
  if (::rename(made.c_str(), target.c_str()) == 0) {
    sync_folder(folder_of(target));
    return {};
  }
  const int reason = errno;
  ::unlink(made.c_str());
  return refused(target, reason);
}

}  // namespace

Result<KeptFile> KeptFile::look(const std::string& path) {
  KeptFile made;
  auto target = behind_links(path);
  if (!target) return std::unexpected(std::move(target.error()));
  made.target_ = std::move(*target);
  const Descriptor file(::open(made.target_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0) {
    if (errno == ENOENT) return made;
    return refused(path, errno);
  }
  if (::fstat(file.number(), &made.status_) != 0) return refused(path, errno);
  if (!S_ISREG(made.status_.st_mode)) {
    return fail(ErrorCode::config, path + ": is not a plain file");
  }
  auto text = read_all(file, path);
  if (!text) return std::unexpected(std::move(text.error()));
  made.text_ = std::move(*text);
  made.exists_ = true;
  return made;
}

Result<void> KeptFile::check(ReadOnly rule) const {
  if (is_read_only() && rule == ReadOnly::refuse) {
    return fail(ErrorCode::io,
                fmt::format("{}: is read-only (mode {:04o}); run: chmod u+w '{}', or add --force",
                            target_, status_.st_mode & 07777, target_));
  }
  if (exists_ && status_.st_uid != ::geteuid() && ::geteuid() != 0) {
    return fail(ErrorCode::io,
                fmt::format("{}: belongs to another user (uid {})", target_, status_.st_uid));
  }
  std::string folder = folder_of(target_);
  struct stat status {};
  while (::stat(folder.c_str(), &status) != 0 && errno == ENOENT && folder != "/") {
    folder = folder_of(folder);
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(ErrorCode::io,
                fmt::format("{}: no file can be written there: {}", folder, std::strerror(errno)));
  }
  return {};
}

Result<void> KeptFile::unchanged() const {
  const auto now = look(target_);
  if (!now) return std::unexpected(now.error());
  if (now->exists_ == exists_ && now->text_ == text_) return {};
  return fail(ErrorCode::io, target_ + ": was changed just now by somebody else; run it again");
}

Result<void> KeptFile::write_in_place(std::string_view text) const {
  // Being its owner is enough for the mode, but not for opening it.
  if (is_read_only()) ::chmod(target_.c_str(), (status_.st_mode | 0200) & 07777);
  const Descriptor file(::open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  int reason = file.number() < 0 ? errno : 0;
  if (reason == 0 && !write_over(file, text)) {
    reason = errno;
    // What it held had room there.
    write_over(file, text_);
  }
  if (is_read_only()) ::chmod(target_.c_str(), status_.st_mode & 07777);
  if (reason != 0) return refused(target_, reason);
  return {};
}

Result<std::vector<std::string>> KeptFile::replace(std::string_view text) const {
  if (auto same = unchanged(); !same) return std::unexpected(std::move(same.error()));
  if (exists_ && status_.st_nlink > 1) {
    if (auto written = write_in_place(text); !written) {
      return std::unexpected(std::move(written.error()));
    }
    return std::vector<std::string>();
  }
  auto folders = make_folders(folder_of(target_));
  if (!folders) return folders;
  auto made = write_beside(target_, text, exists_ ? &status_ : nullptr);
  if (!made) return std::unexpected(std::move(made.error()));
  if (auto moved = move_over(*made, target_); !moved) {
    return std::unexpected(std::move(moved.error()));
  }
  return folders;
}

Result<void> KeptFile::remove(const std::vector<std::string>& folders) const {
  if (auto same = unchanged(); !same) return same;
  if (exists_ && ::unlink(target_.c_str()) != 0) return refused(target_, errno);
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (::rmdir(folder->c_str()) != 0) break;
  }
  return {};
}

}  // namespace nl::clients
