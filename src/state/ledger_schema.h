// The ledger's tables, and how a row is written to and read from them: one place for the order of
// columns, shared by the writer and the reader. For this module's own files only.
//
// Version 2. Money is micro-dollars; an unknown count, price or moment is NULL, never zero.
#pragma once

#include <cstdint>
#include <string>

#include "state/ledger.h"
#include "state/sqlite.h"

namespace nl::state {

constexpr std::int64_t kSchemaVersion = 2;

extern const char* const kCreateTables;
extern const char* const kCreateAttemptsView;  // and sets the version
extern const char* const kUpgradeFrom1;        // to be followed by kCreateAttemptsView
// Inserts `rows` requests at once.
std::string insert_requests(std::size_t rows);
extern const char* const kInsertAttempt;
// "SELECT <columns> FROM requests ", to be continued by a condition. Column 0 is the row number.
extern const char* const kSelectRequest;
// By row number, in order.
extern const char* const kSelectAttempts;

// The attempt that the request's row says everything about, so that none is kept beside it: an only
// one that went well and is what the request says itself. Null when there is none such.
const AttemptRow* only_attempt(const RequestRow& row);
// Binds the values of the `index`th row that the statement inserts.
void bind_request(Statement& statement, std::size_t index, const RequestRow& row);
void bind_attempt(Statement& statement, std::int64_t request, std::int64_t place,
                  const AttemptRow& row);
RequestRow read_request(const Statement& statement);
AttemptRow read_attempt(const Statement& statement);

}  // namespace nl::state
