// Record: what `connect` did to the files of one client, kept for `disconnect`.
//
// One JSON file per client below the state folder, mode 0600, written before the first of the
// user's files is touched. A copy of every file as it was lies beside it. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "clients/edit.h"

namespace nl::clients {

struct FileRecord {
  std::string path;    // as the client names it
  std::string target;  // behind its links
  Format format = Format::json;
  bool existed = false;
  bool forced = false;               // although it was read-only
  std::vector<std::string> folders;  // made for it, outermost first
  std::string backup;                // the copy; empty = there was no file
  std::vector<Change> changes;
};

struct Record {
  std::string client;
  std::string url;  // of the gateway
  std::vector<FileRecord> files;
};

std::string record_text(const Record& record);
// Errors: config.
Result<Record> parse_record(std::string_view text);

class RecordFolder {
 public:
  explicit RecordFolder(std::string folder) : folder_(std::move(folder)) {}

  // Nothing when `client` is not connected. Errors: io, config.
  Result<std::optional<Record>> find(const std::string& client) const;
  Result<void> keep(const Record& record) const;
  // Also the copies, unless `copies` says otherwise.
  enum class Copies : std::uint8_t { remove, stay };
  Result<void> forget(const Record& record, Copies copies) const;
  // Keeps `text`, the file `path` of `client`, as it is; the copy's path. Errors: io.
  Result<std::string> back_up(const std::string& client, const std::string& path,
                              std::string_view text) const;

 private:
  std::string path_of(const std::string& client) const { return folder_ + "/" + client + ".json"; }
  std::string folder_;
};

}  // namespace nl::clients
