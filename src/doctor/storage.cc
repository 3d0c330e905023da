#include "doctor/storage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "base/random.h"
#include "doctor/clock.h"

namespace nl::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDatabase("SQLite format 3\0", 16);

std::string megabytes(std::uint64_t bytes) {
  if (bytes >= 10'000'000'000) return fmt::format("{} GB", bytes / 1'000'000'000);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

// Writes a page's worth and takes it away again: what a full or read-only disk refuses.
int try_to_write(const std::string& folder) {
  const std::string path = folder + "/" + random_id(10, ".doctor-");
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  const std::array<char, 4096> page{};
  int failure = 0;
  const ssize_t written = ::write(file, page.data(), page.size());
  if (written < 0) failure = errno;
  if (written >= 0 && static_cast<std::size_t>(written) < page.size()) failure = ENOSPC;
  if (failure == 0 && ::fsync(file) != 0 && errno != EINVAL) failure = errno;
  ::close(file);
  ::unlink(path.c_str());
  return failure;
}

Findings check_state(const FolderFacts& state) {
  if (state.is_full || (state.trouble.empty() && state.free_bytes < kStateWarning)) {
    Finding finding = found(Kind::state_full,
                            fmt::format("{} has {} left", state.path, megabytes(state.free_bytes)));
    if (!state.is_full && state.free_bytes >= kStateFault) finding.severity = Severity::warning;
    return {std::move(finding)};
  }
  if (state.trouble.empty()) return {};
  return {found(Kind::state_unwritable,
                fmt::format("{} cannot be written: {}", state.path, state.trouble),
                fmt::format("make {} writable for you; the ledger is kept there", state.path))};
}

Findings check_ledger(const LedgerFacts& ledger) {
  Findings findings;
  if (!ledger.there) return findings;
  if (!ledger.is_database) {
    findings.push_back(
        found(Kind::ledger_damaged, fmt::format("{} is no database any more", ledger.path)));
  }
  if (!ledger.writable) {
    findings.push_back(
        found(Kind::ledger_unwritable, fmt::format("{} cannot be written", ledger.path),
              fmt::format("chmod u+w '{}', or mount its disk for writing", ledger.path)));
  }
  return findings;
}

Findings check_models(const FolderFacts& models, bool has_model) {
  if (models.path.empty()) return {};
  const std::uint64_t wanted = has_model ? kStateWarning : kModelRoom;
  if (models.free_bytes < wanted || models.is_full) {
    return {found(
        Kind::models_full,
        has_model ? fmt::format("{} has {} left", models.path, megabytes(models.free_bytes))
                  : fmt::format("{} has {} left; the smallest model needs about {}", models.path,
                                megabytes(models.free_bytes), megabytes(kModelRoom)))};
  }
  if (models.trouble.empty()) return {};
  return {found(Kind::models_full,
                fmt::format("{} cannot be written: {}", models.path, models.trouble),
                fmt::format("make {} writable, or name another place: export "
                            "NIGHTLIGHT_MODELS=/PATH",
                            models.path))};
}

Finding open_file(const SecretFile& file) {
  Finding finding = found(file.is_config ? Kind::config_open : Kind::key_file_open,
                          fmt::format("{} can be {} by others (mode {:04o})", file.path,
                                      (file.mode & 022) != 0 ? "written" : "read", file.mode),
                          fmt::format("chmod 600 '{}' (`--fix` does it)", file.path));
  finding.repair = Repair{RepairKind::make_private, {file.path}};
  return finding;
}

}  // namespace

FolderFacts look_at_folder(const std::string& path) {
  FolderFacts facts;
  facts.path = path;
  std::error_code error;
  fs::path there = path;
  while (there.has_relative_path() && !fs::exists(there, error)) there = there.parent_path();
  facts.looked_at = there.string();
  struct statvfs disk {};
  if (::statvfs(there.c_str(), &disk) == 0) {
    facts.free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  }
  if (!fs::is_directory(there, error)) {
    facts.trouble = there.string() + " is no folder";
    return facts;
  }
  // What is not there yet is only looked at: nothing is left in a folder that is not ours.
  int failure = 0;
  if (there == fs::path(path)) {
    failure = try_to_write(there.string());
  } else if (::access(there.c_str(), W_OK) != 0) {
    failure = errno;
  }
  if (failure == 0) return facts;
  facts.trouble = std::strerror(failure);
  facts.is_full = failure == ENOSPC || failure == EDQUOT;
  return facts;
}

LedgerFacts look_at_ledger(const std::string& path) {
  LedgerFacts facts;
  facts.path = path;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return facts;
  facts.there = true;
  facts.writable = ::access(path.c_str(), W_OK) == 0;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    facts.writable = false;
    return facts;
  }
  std::array<char, 16> head{};
  const ssize_t got = ::read(file, head.data(), head.size());
  ::close(file);
  // An empty file is a database that nothing has been written to.
  facts.is_database =
      S_ISREG(status.st_mode) &&
      (got == 0 ||
       std::string_view(head.data(), got < 0 ? 0 : static_cast<std::size_t>(got)) == kDatabase);
  return facts;
}

Findings check_storage(const StorageFacts& storage) {
  Findings findings = check_state(storage.state);
  append(findings, check_ledger(storage.ledger));
  append(findings, check_models(storage.models, storage.has_model));
  return findings;
}

Findings check_config(const ConfigFacts& config) {
  Findings findings;
  for (const SecretFile& file : config.files) {
    // A configuration without a key in it may be read by anybody: its reader says if it has one.
    const bool read_matters =
        !file.is_config ||
        config.trouble.find("a secret in a file that others may read") != std::string::npos;
    const bool open = (file.mode & 022) != 0 || (read_matters && (file.mode & 077) != 0);
    if (open) findings.push_back(open_file(file));
  }
  const bool told = !findings.empty();
  std::istringstream lines(config.trouble);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || (told && line.find("others may") != std::string::npos)) continue;
    findings.push_back(found(Kind::config_mistake, line));
  }
  return findings;
}

Findings check_pulls(const std::vector<PartialPull>& pulls, WallTime now) {
  Findings findings;
  for (const PartialPull& pull : pulls) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - pull.touched);
    Finding finding =
        found(Kind::pull_unfinished, fmt::format("a pull was broken off {} ago; {} of it are here",
                                                 span_text(age), megabytes(pull.bytes)));
    if (age > kPullForgotten) finding.repair = Repair{RepairKind::remove_file, pull.files};
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings check_drill(std::optional<WallTime> last, WallTime now) {
  if (!last) return {found(Kind::drill_old, "the blackout was never rehearsed here")};
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - *last);
  if (age < kDrillDue) return {};
  return {found(Kind::drill_old, fmt::format("the last drill was {} ago", span_text(age)))};
}

}  // namespace nl::doctor
