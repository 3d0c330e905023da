#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "documents/document.h"
#include "documents/format.h"
#include "documents/input_file.h"

namespace nl::documents {
namespace {

namespace fs = std::filesystem;

constexpr int kDepthMax = 64;
// Of any kind, so that a wrong folder ends early.
constexpr std::size_t kEntriesMax = 1'000'000;

enum class Place : std::uint8_t { files, left_out, nowhere };

struct Placed {
  Place place = Place::nowhere;
  std::string why;  // it is left out
};

// One that cannot be opened is no reason to be silent about it: reading it says why.
Placed placed(const fs::path& path) {
  auto file = InputFile::open(path);
  if (!file) return {Place::files, ""};
  std::string head;
  const auto size = file->read(head, kHeadBytes);
  if (!size) return {Place::files, ""};
  if (*size == 0) return {};
  Told told = tell_format(path.filename().string(), head);
  if (told.format != Format::unread) return {Place::files, ""};
  return {Place::left_out, std::move(told.detail)};
}

void put(const fs::directory_entry& entry, fs::file_type type, Listing& listing) {
  Placed found;
  if (type == fs::file_type::symlink) found = {Place::left_out, "a link, which is not followed"};
  if (type == fs::file_type::regular) found = placed(entry.path());
  if (found.place == Place::files) listing.files.push_back(entry.path());
  if (found.place == Place::left_out) {
    listing.left_out.push_back({entry.path(), std::move(found.why)});
  }
}

}  // namespace

Result<Listing> list_documents(const fs::path& folder, std::size_t files_max) {
  Listing listing;
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
    if (hidden) continue;
    put(*each, type, listing);
    if (listing.files.size() > files_max) {
      return fail(ErrorCode::too_large,
                  fmt::format("{}: over {} documents", shown(folder), files_max));
    }
  }
  if (error) return fail(ErrorCode::io, shown(folder) + ": " + error.message());
  std::ranges::sort(listing.files);
  std::ranges::sort(listing.left_out, {}, &LeftOut::file);
  if (listing.left_out.size() > kLeftOutMax) listing.left_out.resize(kLeftOutMax);
  return listing;
}

}  // namespace nl::documents
