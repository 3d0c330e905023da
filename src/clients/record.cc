#include "clients/record.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>
#include <filesystem>

#include "base/whole_file.h"
#include "clients/json_text.h"
#include "clients/kept_file.h"

namespace nl::clients {
namespace {

std::string texts(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& one : all) out += (out.empty() ? "" : ",") + json_quoted(one);
  return "[" + out + "]";
}

std::string change_text(const Change& change) {
  std::string out =
      fmt::format("{{\"path\":{},\"written\":{}", texts(change.path), json_quoted(change.written));
  if (change.before) return out + fmt::format(",\"before\":{}}}", json_quoted(*change.before));
  return out + fmt::format(",\"inserted\":{},\"lead\":\"{}\",\"made\":\"{}\"}}",
                           json_quoted(change.inserted), change.lead, change.made);
}

std::string file_text(const FileRecord& file) {
  std::string changes;
  for (const Change& change : file.changes) {
    changes += (changes.empty() ? "\n      " : ",\n      ") + change_text(change);
  }
  return fmt::format(
      "{{\"path\":{},\"target\":{},\"format\":\"{}\",\"existed\":{},\"forced\":{},"
      "\"folders\":{},\"backup\":{},\n     \"changes\":[{}]}}",
      json_quoted(file.path), json_quoted(file.target), name(file.format), file.existed,
      file.forced, texts(file.folders), json_quoted(file.backup), changes);
}

// The values of one object; what is missing reads as empty.
class Fields {
 public:
  Fields(const JsonText& json, const JsonNode& node) : json_(json), node_(node) {}

  const JsonNode* node(std::string_view name) const {
    const JsonMember* member = member_named(node_, name);
    return member == nullptr ? nullptr : &member->value;
  }
  std::string text(std::string_view name) const {
    const JsonNode* found = node(name);
    return found == nullptr ? "" : json_.text_of(*found);
  }
  bool flag(std::string_view name) const {
    const JsonNode* found = node(name);
    return found != nullptr && json_.raw(*found) == "true";
  }
  std::size_t count(std::string_view name) const {
    const std::string digits = text(name);
    std::size_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> all;
    const JsonNode* found = node(name);
    if (found == nullptr) return all;
    for (const JsonNode& item : found->items) all.push_back(json_.text_of(item));
    return all;
  }

 private:
  const JsonText& json_;
  const JsonNode& node_;
};

Change read_change(const Fields& fields) {
  Change change{fields.texts("path"), fields.text("written"), std::nullopt, "", 0, 0};
  if (fields.node("before") != nullptr) {
    change.before = fields.text("before");
    return change;
  }
  change.inserted = fields.text("inserted");
  change.lead = fields.count("lead");
  change.made = fields.count("made");
  return change;
}

bool is_sound(const Change& change) {
  if (change.path.empty()) return false;
  if (change.before) return true;
  return !change.inserted.empty() && change.lead < change.inserted.size() && change.made > 0 &&
         change.made <= change.path.size() + 1;
}

}  // namespace

std::string record_text(const Record& record) {
  std::string files;
  for (const FileRecord& file : record.files) {
    files += (files.empty() ? "\n    " : ",\n    ") + file_text(file);
  }
  return fmt::format("{{\"version\":\"1\",\"client\":{},\"url\":{},\"files\":[{}]}}\n",
                     json_quoted(record.client), json_quoted(record.url), files);
}

Result<Record> parse_record(std::string_view text) {
  const auto json = JsonText::read(text);
  if (!json) return std::unexpected(json.error());
  const auto unsound = []() { return fail(ErrorCode::config, "is no record of `connect`"); };
  if (json->root() == nullptr) return unsound();
  const Fields top(*json, *json->root());
  const JsonNode* files = top.node("files");
  if (top.text("version") != "1" || files == nullptr) return unsound();
  Record record{top.text("client"), top.text("url"), {}};
  for (const JsonNode& node : files->items) {
    const Fields fields(*json, node);
    FileRecord file;
    file.path = fields.text("path");
    file.target = fields.text("target");
    const auto format = format_named(fields.text("format"));
    const JsonNode* changes = fields.node("changes");
    if (!format || file.path.empty() || changes == nullptr) return unsound();
    file.format = *format;
    file.existed = fields.flag("existed");
    file.forced = fields.flag("forced");
    file.folders = fields.texts("folders");
    file.backup = fields.text("backup");
    for (const JsonNode& change : changes->items) {
      file.changes.push_back(read_change(Fields(*json, change)));
      if (!is_sound(file.changes.back())) return unsound();
    }
    record.files.push_back(std::move(file));
  }
  return record;
}

Result<std::optional<Record>> RecordFolder::find(const std::string& client) const {
  const auto file = KeptFile::look(path_of(client));
  if (!file) return std::unexpected(file.error());
  if (!file->exists()) return std::nullopt;
  auto record = parse_record(file->text());
  if (!record) {
    return fail(ErrorCode::config, path_of(client) + ": " + record.error().message);
  }
  return std::optional<Record>(std::move(*record));
}

Result<void> RecordFolder::keep(const Record& record) const {
  return write_whole_file(path_of(record.client), record_text(record));
}

Result<void> RecordFolder::forget(const Record& record, Copies copies) const {
  std::error_code error;
  std::filesystem::remove(path_of(record.client), error);
  if (error) return fail(ErrorCode::io, path_of(record.client) + ": " + error.message());
  if (copies == Copies::stay) return {};
  for (const FileRecord& file : record.files) {
    if (!file.backup.empty()) std::filesystem::remove(file.backup, error);
  }
  return {};
}

Result<std::string> RecordFolder::back_up(const std::string& client, const std::string& path,
                                          std::string_view text) const {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  const std::string stem =
      fmt::format("{}/{}.{:04}{:02}{:02}-{:02}{:02}{:02}", folder_, client, parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  const std::string file = std::filesystem::path(path).filename().string();
  std::string copy = stem + "." + file;
  std::error_code error;
  for (int i = 2; std::filesystem::exists(copy, error); ++i) {
    copy = fmt::format("{}-{}.{}", stem, i, file);
  }
  if (auto written = write_whole_file(copy, text); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return copy;
}

}  // namespace nl::clients
