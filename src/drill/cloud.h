// DrillCloud: a scripted cloud on loopback, one of the drill's two stand-ins.
//
// Speaks one dialect, slowly, and can be switched while it speaks. Dark is real: the listener and
// every connection are closed, in the middle of a sentence too, and the port refuses until the
// cloud comes back on it. Loop thread; the Loop outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "drill/brain.h"
#include "http/server.h"

namespace nl::drill {

enum class CloudMode : std::uint8_t { up, limit, dark };
const char* name(CloudMode mode);

struct DrillCloudOptions {
  std::string who;  // begins its sentences: "tier 1 stand-in"
  dialect::DialectId dialect = dialect::DialectId::anthropic;
  int steps = 3;           // shell steps of a task
  Duration word_pause{};   // between two words
  Duration limit_reset{};  // how long a limit is said to last
};

class DrillCloud final : public http::Handler {
 public:
  DrillCloud(http::Loop& loop, DrillCloudOptions options);
  ~DrillCloud() override;

  // Binds a free port of 127.0.0.1, the same one again after it was dark. Errors: io.
  Result<std::uint16_t> listen();
  // Errors: io, when its port is taken on the way back.
  Result<void> set_mode(CloudMode mode);
  // Goes dark by itself once its streams have said so many words from now on.
  void go_dark_after(int words) { words_left_ = words; }
  CloudMode mode() const { return mode_; }

  std::optional<http::Answer> admit(const http::RequestHead& head,
                                    std::string_view local_address) override;
  http::asio::awaitable<void> handle(http::Exchange& exchange) override;
  http::Answer refuse(const Error& error, std::string_view target) override;

 private:
  http::asio::awaitable<void> speak(http::Exchange& exchange, const DrillTurn& turn);
  http::asio::awaitable<void> pause(Duration time);

  http::Loop& loop_;
  DrillCloudOptions options_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  CloudMode mode_ = CloudMode::dark;
  int words_left_ = 0;  // 0 = no cut is set
};

}  // namespace nl::drill
