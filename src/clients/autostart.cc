#include "clients/autostart.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/whole_file.h"
#include "clients/kept_file.h"

namespace nl::clients {
namespace {

constexpr std::string_view kUnitName = "nightlight.service";
constexpr std::string_view kRecord = "autostart";
constexpr std::string_view kOwnLine =
    "# Written by `nightlight autostart on`; `nightlight autostart off` removes it.\n";

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// As ExecStart= takes a word.
std::string systemd_word(const std::string& word) {
  std::string out;
  bool quotes = word.empty();
  for (const char c : word) {
    if (c == '%' || c == '$') out += c;  // twice: neither a specifier nor a variable
    if (c == '"' || c == '\\') out += '\\';
    if (std::strchr(" \t;'\"\\", c) != nullptr) quotes = true;
    out += c;
  }
  return quotes ? "\"" + out + "\"" : out;
}

std::string xml_text(std::string text) {
  text = replaced(std::move(text), "&", "&amp;");
  text = replaced(std::move(text), "<", "&lt;");
  return replaced(std::move(text), ">", "&gt;");
}

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_link(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

std::string exec_line(std::string_view unit) {
  const std::size_t at = unit.find("\nExecStart=");
  if (at == std::string_view::npos) return "";
  return std::string(unit.substr(at, unit.find('\n', at + 1) - at));
}

// A package's unit that starts the very same command.
std::string packaged_unit(const AutostartPlaces& places, const std::string& text) {
  for (const std::string& path : places.packaged) {
    const auto file = KeptFile::look(path);
    if (file && file->exists() && exec_line(file->text()) == exec_line(text)) return path;
  }
  return "";
}

// What turn_on() has written as `path`, or nothing.
const FileRecord* written_as(const std::optional<Record>& record, const std::string& path) {
  if (!record) return nullptr;
  const auto found = std::ranges::find_if(
      record->files, [&](const FileRecord& file) { return file.path == path; });
  return found == record->files.end() ? nullptr : &*found;
}

bool is_as_written(const FileRecord* known, const std::string& text) {
  return known != nullptr && known->changes.size() == 1 && known->changes.front().inserted == text;
}

FileRecord made_file(const std::string& path, const std::string& text,
                     std::vector<std::string> folders) {
  FileRecord file;
  file.path = file.target = path;
  file.format = Format::variables;
  file.folders = std::move(folders);
  file.changes.push_back({{"unit"}, "", std::nullopt, text, 0, 1});
  return file;
}

// The user's own folder's unit: written, rewritten where it is ours, or left alone.
Result<TurnedOn::Which> place_unit(const AutostartPlaces& places, const std::string& text,
                                   Record& record, const FileRecord* known) {
  const auto file = KeptFile::look(places.unit);
  if (!file) return std::unexpected(file.error());
  if (file->exists() && !is_as_written(known, file->text())) {
    return file->text() == text ? TurnedOn::Which::kept : TurnedOn::Which::users;
  }
  if (file->exists() && file->text() == text) {
    record.files.push_back(*known);
    return TurnedOn::Which::kept;
  }
  if (auto allowed = file->check(ReadOnly::refuse); !allowed) {
    return std::unexpected(std::move(allowed.error()));
  }
  auto folders = file->replace(text);
  if (!folders) return std::unexpected(std::move(folders.error()));
  if (folders->empty() && known != nullptr) *folders = known->folders;
  record.files.push_back(made_file(places.unit, text, std::move(*folders)));
  return TurnedOn::Which::written;
}

Result<void> place_link(const AutostartPlaces& places, const std::string& unit, Record& record,
                        const FileRecord* known) {
  if (is_link(places.link) && is_file(places.link)) {
    if (known != nullptr) record.files.push_back(*known);
    return {};
  }
  auto folders = make_folders(places.link.substr(0, places.link.rfind('/')));
  if (!folders) return std::unexpected(std::move(folders.error()));
  // One that leads nowhere, from a program that is gone.
  if (is_link(places.link)) ::unlink(places.link.c_str());
  if (::symlink(unit.c_str(), places.link.c_str()) != 0) {
    return fail(ErrorCode::io, places.link + ": " + std::strerror(errno));
  }
  record.files.push_back(made_file(places.link, unit, std::move(*folders)));
  return {};
}

void remove_folders(const FileRecord* known) {
  if (known == nullptr) return;
  for (auto folder = known->folders.rbegin(); folder != known->folders.rend(); ++folder) {
    if (::rmdir(folder->c_str()) != 0) return;
  }
}

}  // namespace

std::string systemd_unit(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) {
    line += (line.empty() ? "ExecStart=" : " ") + systemd_word(word);
  }
  return std::string(kOwnLine) +
         replaced(std::string(kSystemdUnit), "ExecStart=/usr/bin/nightlight up", line);
}

std::string launchd_agent(const std::vector<std::string>& command, const std::string& home) {
  std::string words;
  for (const std::string& word : command) {
    words += (words.empty() ? "" : "\n    ") + ("<string>" + xml_text(word) + "</string>");
  }
  std::string text =
      replaced(std::string(kLaunchdAgent),
               "<string>/usr/local/bin/nightlight</string>\n    <string>up</string>", words);
  text = replaced(std::move(text), "/Users/YOU", xml_text(home));
  return replaced(std::move(text),
                  fmt::format("<!-- Replace {0} and put it at ~/Library/LaunchAgents/"
                              "dev.nightlight.plist. -->",
                              xml_text(home)),
                  "<!-- Written by `nightlight autostart on`; `nightlight autostart off` removes "
                  "it. -->");
}

Result<AutostartPlaces> autostart_places(Manager manager, const Variables& variables) {
  const std::string home = variables("HOME");
  if (!home.starts_with('/')) return fail(ErrorCode::config, "HOME names no folder");
  AutostartPlaces places;
  if (manager == Manager::launchd) {
    places.unit = home + "/Library/LaunchAgents/dev.nightlight.plist";
    return places;
  }
  std::string config = variables("XDG_CONFIG_HOME");
  if (!config.starts_with('/')) config = home + "/.config";
  const std::string folder = config + "/systemd/user";
  places.unit = fmt::format("{}/{}", folder, kUnitName);
  places.link = fmt::format("{}/default.target.wants/{}", folder, kUnitName);
  for (const char* packaged : {"/etc/systemd/user", "/usr/local/lib/systemd/user",
                               "/usr/lib/systemd/user", "/lib/systemd/user"}) {
    places.packaged.push_back(fmt::format("{}/{}", packaged, kUnitName));
  }
  return places;
}

AutostartState autostart_state(const AutostartPlaces& places, const RecordFolder& records) {
  AutostartState state;
  if (is_file(places.unit)) state.unit = places.unit;
  for (const std::string& path : places.packaged) {
    if (state.unit.empty() && is_file(path)) state.unit = path;
  }
  state.on = !state.unit.empty() && (places.link.empty() || is_file(places.link));
  const auto record = records.find(std::string(kRecord));
  const auto file = KeptFile::look(places.unit);
  state.is_ours = record && file && file->exists() &&
                  is_as_written(written_as(*record, places.unit), file->text());
  return state;
}

Result<TurnedOn> turn_on(const AutostartPlaces& places, const std::string& text,
                         const RecordFolder& records) {
  const auto before = records.find(std::string(kRecord));
  if (!before) return std::unexpected(before.error());
  Record record{std::string(kRecord), "", {}};
  TurnedOn done{packaged_unit(places, text), TurnedOn::Which::packaged};
  const FileRecord* known = written_as(*before, places.unit);
  if (done.unit.empty() || is_file(places.unit)) {
    const auto which = place_unit(places, text, record, known);
    if (!which) return std::unexpected(which.error());
    done = {places.unit, *which};
    // Known to be ours before anything else can go wrong.
    if (!record.files.empty()) {
      Record so_far = record;
      if (const FileRecord* link = written_as(*before, places.link)) so_far.files.push_back(*link);
      if (auto kept = records.keep(so_far); !kept) return std::unexpected(std::move(kept.error()));
    }
  }
  if (!places.link.empty()) {
    const FileRecord* link = written_as(*before, places.link);
    if (auto linked = place_link(places, done.unit, record, link); !linked) {
      return std::unexpected(std::move(linked.error()));
    }
  }
  if (record.files.empty()) return done;
  if (auto kept = records.keep(record); !kept) return std::unexpected(std::move(kept.error()));
  return done;
}

Result<TurnedOff> turn_off(const AutostartPlaces& places, const RecordFolder& records) {
  const auto record = records.find(std::string(kRecord));
  if (!record) return std::unexpected(record.error());
  TurnedOff done;
  done.was_on = autostart_state(places, records).on;
  if (!places.link.empty() && is_link(places.link)) {
    if (::unlink(places.link.c_str()) != 0) {
      return fail(ErrorCode::io, places.link + ": " + std::strerror(errno));
    }
    remove_folders(written_as(*record, places.link));
  }
  const auto file = KeptFile::look(places.unit);
  if (!file) return std::unexpected(file.error());
  const FileRecord* known = written_as(*record, places.unit);
  if (file->exists() && is_as_written(known, file->text())) {
    if (auto gone = file->remove(known->folders); !gone) return std::unexpected(gone.error());
  } else if (file->exists()) {
    done.stays = places.unit;
  }
  if (*record) {
    if (auto gone = records.forget(**record, RecordFolder::Copies::remove); !gone) {
      return std::unexpected(std::move(gone.error()));
    }
  }
  return done;
}

}  // namespace nl::clients
