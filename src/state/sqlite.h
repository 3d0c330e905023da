// Database and Statement: the two SQLite handles, owned; results as codes, text bound by length.
//
// For this module's own files only. A Database is used by one thread at a time. SQLite's result
// codes pass through as they are: what BUSY, FULL or CORRUPT mean is for the caller to say.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nl::state {

struct CloseDatabase {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};
struct FinishStatement {
  void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
};

class Database {
 public:
  Database() = default;

  // SQLITE_OK or the code of the failure; the handle is closed again on failure.
  int open(const std::string& path, int flags);
  bool is_open() const { return handle_ != nullptr; }
  void close() { handle_.reset(); }
  int run(const char* sql) { return sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr); }
  int changes() const { return sqlite3_changes(handle_.get()); }
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  sqlite3* handle() const { return handle_.get(); }

 private:
  std::unique_ptr<sqlite3, CloseDatabase> handle_;
};

class Statement {
 public:
  Statement() = default;

  // SQLITE_OK or why `sql` does not compile against the schema.
  int prepare(const Database& database, std::string_view sql);
  // Bound values stay from run to run: binding what is bound already costs a comparison.
  Statement& bind(int place, std::int64_t value);
  Statement& bind(int place, std::string_view value);
  Statement& bind_null(int place);
  // SQLITE_ROW, SQLITE_DONE or a failure.
  int step() { return sqlite3_step(handle_.get()); }
  // Runs to the end and makes ready for the next use. SQLITE_DONE or a failure.
  int run();
  // Makes ready for the next use.
  void rewind() { sqlite3_reset(handle_.get()); }
  std::int64_t number(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  std::string text(int column) const;
  bool is_null(int column) const;
  void close() { handle_.reset(); }

 private:
  struct Bound {
    enum class Kind : std::uint8_t { null, number, text } kind = Kind::null;
    std::int64_t number = 0;
    std::string text;  // SQLite reads it here
  };

  std::vector<Bound> bound_;  // by place; never resized while anything is bound
  std::unique_ptr<sqlite3_stmt, FinishStatement> handle_;
};

}  // namespace nl::state
