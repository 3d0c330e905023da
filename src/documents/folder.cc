#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "documents/document.h"
#include "documents/format.h"
#include "documents/input_file.h"

namespace nl::documents {
namespace {

namespace fs = std::filesystem;

constexpr int kDepthMax = 64;
// Of any kind, so that a wrong folder ends early.
constexpr std::size_t kEntriesMax = 1'000'000;

bool would_be_read(const fs::path& path) {
  auto file = InputFile::open(path);
  if (!file) return false;
  std::string head;
  const auto size = file->read(head, kHeadBytes);
  return size && *size > 0 && tell_format(path.filename().string(), head).format != Format::unread;
}

}  // namespace

Result<std::vector<fs::path>> list_documents(const fs::path& folder, std::size_t files_max) {
  std::vector<fs::path> files;
  std::size_t entries = 0;
  std::error_code error;
  fs::recursive_directory_iterator each(folder, fs::directory_options::skip_permission_denied,
                                        error);
  for (; !error && each != fs::recursive_directory_iterator(); each.increment(error)) {
    if (++entries > kEntriesMax) {
      return fail(ErrorCode::too_large,
                  fmt::format("{}: over {} files and folders", shown(folder), kEntriesMax));
    }
    std::error_code unknown;
    const fs::file_type type = each->symlink_status(unknown).type();
    const bool hidden = each->path().filename().native().starts_with('.');
    if (type == fs::file_type::directory && (hidden || each.depth() >= kDepthMax)) {
      each.disable_recursion_pending();
    }
    if (type != fs::file_type::regular || hidden || !would_be_read(each->path())) continue;
    files.push_back(each->path());
    if (files.size() > files_max) {
      return fail(ErrorCode::too_large,
                  fmt::format("{}: over {} documents", shown(folder), files_max));
    }
  }
  if (error) return fail(ErrorCode::io, shown(folder) + ": " + error.message());
  std::ranges::sort(files);
  return files;
}

}  // namespace nl::documents
