// LedgerFile: the ledger's one writing connection, which also checkpoints; blocking.
//
// Opens or creates the file (0600, missing folders 0700), puts a damaged or newer one aside as
// <name>.damaged-<unix ms>, and writes batches in one transaction each. What may pass (a lock, a
// full disk) is `later`: the caller keeps its rows and tries again. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "state/ledger.h"
#include "state/sqlite.h"

namespace nl::state {

class LedgerFile {
 public:
  explicit LedgerFile(std::string path) : path_(std::move(path)) {}

  enum class Outcome : std::uint8_t {
    done,
    later,    // locked, full, or not to be opened at the moment
    refused,  // these rows can never be written
  };

  // Opens if need be. Fails with io only for what a person has to put right: the folder cannot be
  // used. `later` leaves the file closed; write() opens it again.
  Result<Outcome> open();
  Outcome write(std::span<const RequestRow> rows);
  // What happened at opening that a person should know; empty = nothing.
  const std::string& note() const { return note_; }

 private:
  enum class Found : std::uint8_t { good, later, damaged, unusable };

  Found make_ready();
  Found connect();
  Found look_inside();
  Found check();
  Found make_tables(const char* sql);
  bool statements_fit();
  Result<void> put_aside(const std::string& why);
  void close();
  bool is_still_ours() const;
  // SQLITE_OK or a failure.
  int insert(std::span<const RequestRow> rows);
  int insert_many(std::span<const RequestRow> rows);
  int insert_one(const RequestRow& row);

  std::string path_;
  std::string note_;
  std::string why_;  // why the file is damaged or unusable
  Database database_;
  Statement insert_request_;
  Statement insert_many_;
  Statement insert_attempt_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace nl::state
