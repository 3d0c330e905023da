#include "work/research_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/whole_file.h"
#include "dialect/json.h"
#include "dialect/json_writer.h"

namespace nl::work {
namespace {

constexpr std::size_t kLineBytesMax = 8u << 20;

std::unexpected<Error> io_error(std::string_view what) {
  return fail(ErrorCode::io, fmt::format("the journal {}: {}", what, std::strerror(errno)));
}

// Places in the file are kept in memory, so nobody else may write to it. A file system without
// locks goes on without one.
bool locked(int descriptor) {
  struct flock all {};
  all.l_type = F_WRLCK;
  all.l_whence = SEEK_SET;
  return ::fcntl(descriptor, F_SETLK, &all) == 0 || (errno != EACCES && errno != EAGAIN);
}

std::size_t size_of(const dialect::Value& value) {
  return static_cast<std::size_t>(std::max<std::int64_t>(value.integer().value_or(0), 0));
}

std::string line_of(const PartNotes& notes) {
  std::string line;
  dialect::JsonWriter json(line);
  json.begin_object().string("part", notes.document).string("name", notes.name);
  json.integer("from", static_cast<std::int64_t>(notes.from));
  json.integer("to", static_cast<std::int64_t>(notes.to)).string("who", notes.who);
  json.key("claims").begin_array();
  for (const Claim& claim : notes.claims) {
    json.begin_object().string("claim", claim.text).string("quote", claim.quote);
    json.string("place", claim.place).boolean("found", claim.found).end_object();
  }
  json.end_array().end_object();
  return line += '\n';
}

}  // namespace

Result<ResearchJournal> ResearchJournal::open(const std::string& path, const std::string& key,
                                              Start start) {
  if (auto made = make_folders(std::filesystem::path(path).parent_path().string()); !made) {
    return std::unexpected(made.error());
  }
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_error(path + " cannot be opened");
  ResearchJournal journal(descriptor);
  if (!locked(descriptor)) {
    return fail(ErrorCode::io, fmt::format("another nightlight is at this research: wait for its "
                                           "end, or give this one its own --out ({})",
                                           path));
  }
  if (start == Start::anew && ::ftruncate(descriptor, 0) != 0) {
    return io_error(path + " cannot be begun anew");
  }
  if (Result<void> loaded = journal.load(key); !loaded) {
    return fail(loaded.error().code, fmt::format("{} ({})", loaded.error().message, path));
  }
  return journal;
}

ResearchJournal::~ResearchJournal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ResearchJournal::ResearchJournal(ResearchJournal&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      parts_(std::move(other.parts_)),
      texts_(std::move(other.texts_)) {}

// Line by line, so that a long journal does not have to fit in memory.
Result<void> ResearchJournal::load(const std::string& key) {
  std::string pending;
  std::array<char, 65536> bytes;
  std::uint64_t place = 0;
  std::uint64_t read_to = 0;
  bool first = true;
  for (;;) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(read_to));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot be read");
    if (got == 0) break;
    read_to += static_cast<std::uint64_t>(got);
    pending.append(bytes.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos;
         end = pending.find('\n', begin)) {
      const std::string_view line = std::string_view(pending).substr(begin, end - begin);
      if (first && line != key) {
        return fail(ErrorCode::config, "there is the journal of another question already");
      }
      if (!first) take(line, place);
      first = false;
      place += end + 1 - begin;
      begin = end + 1;
    }
    pending.erase(0, begin);
    if (pending.size() > kLineBytesMax) return fail(ErrorCode::config, "this is no journal");
  }
  size_ = place;
  // What a killed run has left of its last line.
  if (read_to > place && ::ftruncate(descriptor_, static_cast<off_t>(place)) != 0) {
    return io_error("cannot be mended");
  }
  for (auto& [digest, parts] : parts_) std::ranges::sort(parts, {}, &Part::from);
  if (!first) return {};
  const auto begun = append(key + '\n');
  return begun ? Result<void>() : std::unexpected(begun.error());
}

void ResearchJournal::take(std::string_view line, std::uint64_t place) {
  dialect::Document document;
  if (!document.parse(line)) return;
  const dialect::Value root = document.root();
  if (const dialect::Value digest = root["part"]) {
    std::vector<Part>& parts = parts_[digest.text().utf8()];
    const std::size_t from = size_of(root["from"]);
    std::erase_if(parts, [from](const Part& part) { return part.from == from; });
    parts.push_back({from, size_of(root["to"]), place});
  } else if (const dialect::Value made = root["text_of"]) {
    texts_[made.text().utf8()] = place;
  }
}

// The line is on the disk when this returns: what it says was paid for.
Result<std::uint64_t> ResearchJournal::append(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      // Half a line would hide the next one. The error is what counts.
      (void)!::ftruncate(descriptor_, static_cast<off_t>(size_));
      errno = reason;
      return io_error("cannot be written");
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(descriptor_) != 0 && errno != EINVAL) return io_error("cannot be flushed");
  return std::exchange(size_, size_ + line.size());
}

Result<std::string> ResearchJournal::line_at(std::uint64_t place) const {
  std::string line;
  std::array<char, 16384> bytes;
  while (line.size() < kLineBytesMax) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(place + line.size()));
    if (got <= 0) break;
    const std::string_view piece(bytes.data(), static_cast<std::size_t>(got));
    const std::size_t end = piece.find('\n');
    line.append(piece.substr(0, end));
    if (end != std::string_view::npos) return line;
  }
  return fail(ErrorCode::io, "the journal has changed while it was read");
}

std::optional<std::size_t> ResearchJournal::part_end(const std::string& document,
                                                     std::size_t from) const {
  const auto parts = parts_.find(document);
  if (parts == parts_.end()) return std::nullopt;
  const auto part = std::ranges::find(parts->second, from, &Part::from);
  if (part == parts->second.end() || part->to <= from) return std::nullopt;
  return part->to;
}

Result<void> ResearchJournal::add(const PartNotes& notes) {
  const auto place = append(line_of(notes));
  if (!place) return std::unexpected(place.error());
  std::vector<Part>& parts = parts_[notes.document];
  std::erase_if(parts, [&](const Part& part) { return part.from == notes.from; });
  parts.push_back({notes.from, notes.to, *place});
  std::ranges::sort(parts, {}, &Part::from);
  return {};
}

// Those that follow each other from the beginning; a part of an older cut is passed over.
std::vector<std::uint64_t> ResearchJournal::parts_of(const std::string& document) const {
  std::vector<std::uint64_t> places;
  const auto parts = parts_.find(document);
  if (parts == parts_.end()) return places;
  std::size_t at = 0;
  for (const Part& part : parts->second) {
    if (part.from != at) continue;
    places.push_back(part.place);
    at = part.to;
  }
  return places;
}

Result<PartNotes> ResearchJournal::read(std::uint64_t place) const {
  const auto line = line_at(place);
  if (!line) return std::unexpected(line.error());
  dialect::Document document;
  if (const auto parsed = document.parse(*line); !parsed) return std::unexpected(parsed.error());
  const dialect::Value root = document.root();
  PartNotes notes;
  notes.document = root["part"].text().utf8();
  notes.name = root["name"].text().utf8();
  notes.from = size_of(root["from"]);
  notes.to = size_of(root["to"]);
  notes.who = root["who"].text().utf8();
  for (dialect::Value item = root["claims"].first(); item; item = item.next()) {
    Claim claim;
    claim.text = item["claim"].text().utf8();
    claim.quote = item["quote"].text().utf8();
    claim.place = item["place"].text().utf8();
    claim.found = item["found"].boolean().value_or(false);
    notes.claims.push_back(std::move(claim));
  }
  return notes;
}

std::optional<MadeText> ResearchJournal::text(const std::string& digest) const {
  const auto place = texts_.find(digest);
  if (place == texts_.end()) return std::nullopt;
  const auto line = line_at(place->second);
  dialect::Document document;
  if (!line || !document.parse(*line)) return std::nullopt;
  return MadeText{document.root()["text"].text().utf8(),
                  document.root()["cut"].boolean().value_or(false)};
}

Result<void> ResearchJournal::add_text(const std::string& digest, const MadeText& made) {
  std::string line;
  dialect::JsonWriter json(line);
  json.begin_object().string("text_of", digest).string("text", made.text);
  json.boolean("cut", made.cut).end_object();
  const auto place = append(line += '\n');
  if (!place) return std::unexpected(place.error());
  texts_[digest] = *place;
  return {};
}

}  // namespace nl::work
