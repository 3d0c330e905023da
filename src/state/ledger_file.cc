#include "state/ledger_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "state/ledger_schema.h"

namespace nl::state {

namespace {

// Start-up must not wait for a check: it is broken off after this, and left out for a file of which
// one step alone takes longer. Damage that it misses is met by a write, which puts the file aside.
constexpr std::chrono::milliseconds kCheckMax{100};
constexpr std::int64_t kCheckedBytesMax = 32 << 20;
constexpr int kBusyMs = 200;
constexpr std::size_t kManyRows = 32;

// Codes after which the same call may work later.
bool may_pass(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
      return true;
    default:
      return false;
  }
}

bool is_damage(int code) {
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

std::string reason_of(int error) {
  return std::error_code(error, std::generic_category()).message();
}

int past_deadline(void* deadline) {
  return std::chrono::steady_clock::now() >
         *static_cast<std::chrono::steady_clock::time_point*>(deadline);
}

// Trouble of the machine that passes, as opposed to a path that is wrong.
bool is_shortage(int error) {
  return error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE ||
         error == ENOMEM || error == EINTR;
}

// Creates the missing folders down to `folder`, readable by nobody else. 0 or an errno.
int make_folder(const std::filesystem::path& folder) {
  if (folder.empty()) return 0;
  struct stat info {};
  if (::stat(folder.c_str(), &info) == 0) return S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
  if (errno != ENOENT) return errno;
  if (folder.has_parent_path() && folder.parent_path() != folder) {
    const int above = make_folder(folder.parent_path());
    if (above != 0) return above;
  }
  return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

}  // namespace

Result<LedgerFile::Outcome> LedgerFile::open() {
  if (database_.is_open()) return Outcome::done;
  // The second round begins a new file after the first put a damaged one aside.
  for (int round = 0; round < 2; ++round) {
    Found found = make_ready();
    if (found == Found::good) found = connect();
    if (found != Found::good) close();
    switch (found) {
      case Found::good:
        return Outcome::done;
      case Found::later:
        return Outcome::later;
      case Found::unusable:
        return fail(ErrorCode::io, why_);
      case Found::damaged: {
        auto aside = put_aside(why_);
        if (!aside) return std::unexpected(aside.error());
        break;
      }
    }
  }
  return fail(ErrorCode::io, fmt::format("ledger {} cannot be made: {}", path_, why_));
}

// The folder, and the file itself with its mode before SQLite sees it. A file that is there is not
// opened here: closing it again would take the locks of this process's readers away.
LedgerFile::Found LedgerFile::make_ready() {
  const auto unusable = [this](const std::string& what, int error) {
    why_ = fmt::format("{} cannot be used: {}", what, reason_of(error));
    return is_shortage(error) ? Found::later : Found::unusable;
  };
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  if (const int error = make_folder(folder); error != 0) {
    return unusable("ledger folder " + folder.string(), error);
  }
  const int made = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) {
    ::close(made);
  } else if (errno != EEXIST) {
    return unusable("ledger " + path_, errno);
  }
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return unusable("ledger " + path_, errno);
  if (!S_ISREG(info.st_mode)) {
    why_ = "it is not a file";
    return Found::damaged;
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  if (::access(path_.c_str(), R_OK | W_OK) != 0) {
    // Not ours to write: a new one takes its place, if the folder allows it.
    why_ = "it may not be written";
    return Found::damaged;
  }
  ::chmod(path_.c_str(), 0600);
  return Found::good;
}

LedgerFile::Found LedgerFile::connect() {
  const int code = database_.open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (code != SQLITE_OK) {
    why_ = fmt::format("ledger {} cannot be opened: {}", path_, sqlite3_errstr(code));
    if (is_damage(code)) return Found::damaged;
    return (code & 0xff) == SQLITE_CANTOPEN ? Found::unusable : Found::later;
  }
  sqlite3_busy_timeout(database_.handle(), kBusyMs);
  for (const char* setting :
       {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
        "PRAGMA wal_autocheckpoint = 1000", "PRAGMA journal_size_limit = 4194304",
        "PRAGMA trusted_schema = OFF", "PRAGMA cache_size = -4096"}) {
    const int set = database_.run(setting);
    if (set == SQLITE_OK) continue;
    why_ = sqlite3_errstr(set);
    return may_pass(set) ? Found::later : Found::damaged;
  }
  return look_inside();
}

// The structure first, then whether the indexes agree with the tables, as far as the time goes.
LedgerFile::Found LedgerFile::check() {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0 || info.st_size > kCheckedBytesMax) return Found::good;
  auto deadline = std::chrono::steady_clock::now() + kCheckMax;
  sqlite3_progress_handler(database_.handle(), 1000, past_deadline, &deadline);
  int code = SQLITE_ROW;
  bool whole = true;
  for (const char* question : {"PRAGMA quick_check(1)", "PRAGMA integrity_check(1)"}) {
    Statement check;
    code = check.prepare(database_, question);
    if (code == SQLITE_OK) code = check.step();
    if (code != SQLITE_ROW) break;
    whole = check.text(0) == "ok";
    if (!whole) break;
  }
  sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr);
  if (is_damage(code) || !whole) {
    why_ = "it is damaged";
    return Found::damaged;
  }
  if (code == SQLITE_ROW || (code & 0xff) == SQLITE_INTERRUPT) return Found::good;
  why_ = sqlite3_errstr(code);
  return may_pass(code) ? Found::later : Found::damaged;
}

LedgerFile::Found LedgerFile::look_inside() {
  const Found checked = check();
  if (checked != Found::good) return checked;
  Statement version;
  int code = version.prepare(database_, "PRAGMA user_version");
  if (code == SQLITE_OK) code = version.step();
  if (code != SQLITE_ROW) {
    why_ = sqlite3_errstr(code);
    return may_pass(code) ? Found::later : Found::damaged;
  }
  const std::int64_t found = version.number(0);
  version.close();
  // Known only after the first page was read: a changed format number makes a file read-only.
  if (sqlite3_db_readonly(database_.handle(), "main") == 1) {
    why_ = "it may not be written";
    return Found::damaged;
  }
  if (found == 0 || found == 1) {
    const Found made = make_tables(found == 0 ? kCreateTables : kUpgradeFrom1);
    if (made != Found::good) return made;
  } else if (found != kSchemaVersion) {
    why_ = fmt::format("its version {} is not this program's", found);
    return Found::damaged;
  }
  if (statements_fit()) return Found::good;
  why_ = "its tables are not a ledger's";
  return Found::damaged;
}

LedgerFile::Found LedgerFile::make_tables(const char* sql) {
  int code = database_.run("BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = database_.run(sql);
  if (code == SQLITE_OK) code = database_.run(kCreateAttemptsView);
  if (code == SQLITE_OK) code = database_.run("COMMIT");
  if (code == SQLITE_OK) return Found::good;
  database_.run("ROLLBACK");
  why_ = sqlite3_errstr(code);
  // A table of that name is already there: somebody else's database.
  return may_pass(code) ? Found::later : Found::damaged;
}

bool LedgerFile::statements_fit() {
  Statement request;
  Statement attempts;
  return insert_request_.prepare(database_, insert_requests(1)) == SQLITE_OK &&
         insert_many_.prepare(database_, insert_requests(kManyRows)) == SQLITE_OK &&
         insert_attempt_.prepare(database_, kInsertAttempt) == SQLITE_OK &&
         request.prepare(database_, kSelectRequest) == SQLITE_OK &&
         attempts.prepare(database_, kSelectAttempts) == SQLITE_OK;
}

Result<void> LedgerFile::put_aside(const std::string& why) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::string aside = fmt::format("{}.damaged-{}", path_, unix_ms);
  if (::rename(path_.c_str(), aside.c_str()) != 0) {
    return fail(ErrorCode::io, fmt::format("ledger {} cannot be used ({}) nor put aside: {}", path_,
                                           why, reason_of(errno)));
  }
  // The log belongs to the file it was written for, and must not meet the new one.
  ::rename((path_ + "-wal").c_str(), (aside + "-wal").c_str());
  ::unlink((path_ + "-shm").c_str());
  note_ = fmt::format("ledger put aside as {}: {}", aside, why);
  return {};
}

void LedgerFile::close() {
  insert_request_.close();
  insert_many_.close();
  insert_attempt_.close();
  database_.close();
}

// False when somebody moved or deleted the file: rows would go where nobody finds them.
bool LedgerFile::is_still_ours() const {
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_;
}

LedgerFile::Outcome LedgerFile::write(std::span<const RequestRow> rows) {
  if (database_.is_open() && !is_still_ours()) close();
  if (!database_.is_open()) {
    const auto opened = open();
    if (!opened) return Outcome::later;
    if (*opened != Outcome::done) return *opened;
  }
  int code = database_.run("BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = insert(rows);
  if (code == SQLITE_OK) code = database_.run("COMMIT");
  if (code == SQLITE_OK) return Outcome::done;
  database_.run("ROLLBACK");
  if (is_damage(code)) {
    close();
    // When it cannot even be put aside, a later try may.
    const auto aside = put_aside("it was damaged while in use");
    if (!aside) note_ = aside.error().message;
    return Outcome::later;
  }
  return may_pass(code) ? Outcome::later : Outcome::refused;
}

// A statement that inserts many rows opens the table and its indexes once for all of them.
int LedgerFile::insert(std::span<const RequestRow> rows) {
  while (!rows.empty()) {
    const auto next = rows.first(std::min(rows.size(), kManyRows));
    const bool many = next.size() == kManyRows && std::ranges::all_of(next, only_attempt);
    const int code = many ? insert_many(next) : insert_one(rows.front());
    if (code != SQLITE_OK) return code;
    rows = rows.subspan(many ? kManyRows : 1);
  }
  return SQLITE_OK;
}

int LedgerFile::insert_many(std::span<const RequestRow> rows) {
  std::size_t index = 0;
  for (const RequestRow& row : rows) bind_request(insert_many_, index++, row);
  const int code = insert_many_.run();
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int LedgerFile::insert_one(const RequestRow& row) {
  bind_request(insert_request_, 0, row);
  int code = insert_request_.run();
  if (code != SQLITE_DONE) return code;
  const bool known_already = database_.changes() == 0;
  if (known_already || only_attempt(row) != nullptr) return SQLITE_OK;
  const std::int64_t request = database_.last_row();
  std::int64_t place = 0;
  for (const AttemptRow& attempt : row.attempts) {
    bind_attempt(insert_attempt_, request, place++, attempt);
    code = insert_attempt_.run();
    if (code != SQLITE_DONE) return code;
  }
  return SQLITE_OK;
}

}  // namespace nl::state
