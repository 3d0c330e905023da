// LedgerFixture: the world of the ledger's tests: a folder of its own that goes away with it, and
// rows to record.
//
// For tests alone.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "state/ledger.h"

namespace nl::state {

namespace fs = std::filesystem;

class LedgerFixture {
 protected:
  LedgerFixture() {
    std::string pattern = (fs::temp_directory_path() / "ledger-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path = (folder_ / "state" / "ledger.db").string();
  }
  ~LedgerFixture() {
    ledger.reset();
    fs::remove_all(folder_);
  }

  void open() {
    auto opened = open_ledger(path);
    ledger = opened ? std::move(opened->ledger) : nullptr;
    note = opened ? opened->note : "not opened: " + opened.error().message;
  }
  void record(const RequestRow& row) { ledger->record(row); }
  LedgerReader reader() const { return LedgerReader(path); }
  std::size_t files_put_aside() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path())) {
      const std::string file = entry.path().filename().string();
      count += file.starts_with("ledger.db.damaged-") && !file.ends_with("-wal");
    }
    return count;
  }
  static RequestRow row(const std::string& id, std::int64_t started = 1'000) {
    RequestRow made;
    made.id = id;
    made.started_unix_ms = started;
    made.duration_ms = 500;
    made.dialect = "anthropic";
    made.model_asked = "claude-opus";
    made.outcome = "ok";
    made.status = 200;
    made.tier = "frontier";
    made.provider = "anthropic";
    made.model = "claude-opus";
    made.preferred = "anthropic/claude-opus";
    made.usage.input = 10;
    made.usage.output = 20;
    made.cost_micro_usd = 550;
    return made;
  }

  fs::path folder_;
  std::string path;
  std::string note;
  std::unique_ptr<Ledger> ledger;
};

}  // namespace nl::state
