// DrillClient: asks the drill's gateway as the vendors' SDKs do, in either dialect, stream or not.
//
// Blocking, with a loop of its own per call; several questions may be asked at once. It only reads
// what a client sees: status, headers, words, tool calls, and how the answer ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "dialect/dialect.h"
#include "http/client.h"

namespace nl::drill {

struct DrillMessage {
  enum class Role : std::uint8_t { user, assistant, tool };
  Role role = Role::user;
  std::string text;
  std::string call_id;    // of the assistant's tool call, or of the result's
  std::string arguments;  // the call's, as JSON
};

enum class DrillForm : std::uint8_t { whole, stream };
enum class DrillTools : std::uint8_t { none, shell };

struct DrillQuestion {
  dialect::DialectId dialect = dialect::DialectId::anthropic;
  DrillForm form = DrillForm::whole;
  DrillTools tools = DrillTools::none;
  std::vector<DrillMessage> messages;
};

struct DrillAnswer {
  int status = 0;
  std::string text;
  std::string call_id, call_name, arguments;  // the first tool call
  std::string tier, provider, reason, request_id;
  std::string trouble;  // why it is no complete answer; empty = it is one
  bool ok() const { return trouble.empty(); }
};

// The body of `question`.
std::string drill_body(const DrillQuestion& question);
// What a body or the data of stream events says, added to `answer`. A stream is complete once
// `finished` comes back true.
void read_drill_whole(dialect::DialectId dialect, std::string_view body, DrillAnswer& answer);
bool read_drill_event(dialect::DialectId dialect, std::string_view data, DrillAnswer& answer);

class DrillClient {
 public:
  DrillClient(http::Endpoint gateway, const std::atomic<bool>& stopped)
      : gateway_(std::move(gateway)), stopped_(stopped) {}

  // One answer per question, asked at the same time.
  std::vector<DrillAnswer> ask(const std::vector<DrillQuestion>& questions, Duration within) const;
  // The body of a 200 to a GET.
  Result<std::string> get(const std::string& target, Duration within) const;

 private:
  http::Endpoint gateway_;
  const std::atomic<bool>& stopped_;
};

}  // namespace nl::drill
