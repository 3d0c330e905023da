#include "state/sqlite.h"

namespace nl::state {

int Database::open(const std::string& path, int flags) {
  // Nobody asks for the statistics of SQLite's memory, and they cost a lock at every allocation.
  static const int without_statistics = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)without_statistics;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) handle_.reset();
  if (handle_) sqlite3_extended_result_codes(handle_.get(), 0);
  return code;
}

int Statement::prepare(const Database& database, std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  handle_.reset(handle);
  const int places = handle == nullptr ? 0 : sqlite3_bind_parameter_count(handle);
  bound_ = std::vector<Bound>(static_cast<std::size_t>(places) + 1);
  return code;
}

Statement& Statement::bind(int place, std::int64_t value) {
  Bound& bound = bound_[static_cast<std::size_t>(place)];
  if (bound.kind == Bound::Kind::number && bound.number == value) return *this;
  bound.kind = Bound::Kind::number;
  bound.number = value;
  sqlite3_bind_int64(handle_.get(), place, value);
  return *this;
}

Statement& Statement::bind(int place, std::string_view value) {
  Bound& bound = bound_[static_cast<std::size_t>(place)];
  if (bound.kind == Bound::Kind::text && bound.text == value) return *this;
  bound.kind = Bound::Kind::text;
  bound.text = value;
  sqlite3_bind_text64(handle_.get(), place, bound.text.data(), bound.text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_null(int place) {
  Bound& bound = bound_[static_cast<std::size_t>(place)];
  if (bound.kind == Bound::Kind::null) return *this;
  bound.kind = Bound::Kind::null;
  sqlite3_bind_null(handle_.get(), place);
  return *this;
}

int Statement::run() {
  const int code = step();
  sqlite3_reset(handle_.get());
  return code;
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

}  // namespace nl::state
