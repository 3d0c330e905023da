// Connection: what connecting or disconnecting a client changes, worked out first and done then.
//
// A plan is refused unless taking it back would give every file byte for byte as it was without us;
// so disconnecting needs no copy, only what was put in. Who has changed a file in between keeps the
// change. Any thread.
#pragma once

#include <string>
#include <vector>

#include "clients/client.h"
#include "clients/kept_file.h"
#include "clients/record.h"

namespace nl::clients {

struct FilePlan {
  KeptFile file;                  // as it is
  std::string text;               // as it is to be
  std::string without;            // connect: as it would be without us
  bool vanish = false;            // it was not there before us: it goes again
  bool as_before = false;         // disconnect: byte for byte as it was before
  std::vector<std::string> left;  // for people: what stays because it is no longer ours
  FileRecord record;
  bool changes() const { return vanish || !file.exists() || text != file.text(); }
};

struct Plan {
  Record record;  // what is to be kept; disconnect: what was
  std::vector<FilePlan> files;
  bool changes() const;
};

// Connects as though it were not connected yet, whatever the record says. Errors: config, io, with
// the file's name.
Result<Plan> plan_connect(const Client& client, const Wanted& wanted, const Variables& variables,
                          const RecordFolder& records);
// Errors: not_found when there is no record; config, io.
Result<Plan> plan_disconnect(const Client& client, const RecordFolder& records);

// Does what `plan` says; `plan.record` then has the copies. Errors: io; files done stay done, and
// the record knows all of them.
Result<void> carry_out_connect(Plan& plan, const RecordFolder& records, ReadOnly rule);
Result<void> carry_out_disconnect(const Plan& plan, const RecordFolder& records, ReadOnly rule);

enum class Standing : std::uint8_t { none, connected, changed };
struct State {
  Standing standing = Standing::none;
  std::string url;      // of the gateway it was pointed at
  std::string trouble;  // why that cannot be told
};
State state_of(const Client& client, const RecordFolder& records);

}  // namespace nl::clients
