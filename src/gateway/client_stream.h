// ClientStream: the client's side of one answer while it is awaited and while it streams.
//
// Watches for the client leaving (then fires the turn's Cancel), sends the early head when nothing
// was committed in time, and a filler whenever a stream has been silent for that long. The relay
// writes through it. All on the loop's thread: the timer only writes while no write is suspended.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/options.h"
#include "gateway/turn.h"
#include "http/wheel.h"

namespace nl::gateway {

class ClientStream final : private http::Timer {
 public:
  // Starts watching. `turn` and `options` outlive it.
  ClientStream(Turn& turn, const GatewayOptions& options);

  // True once any byte of the answer has gone out: no status is possible any more.
  bool head_sent() const { return head_sent_; }
  // True when the head went out with our own opening, so that a target's opening is dropped.
  bool opened_by_us() const { return opened_by_us_; }
  bool committed() const { return committed_; }

  // The first content: `headers` are the answer's header lines (unused after an early head).
  http::asio::awaitable<Result<void>> commit(std::string_view headers, std::string_view bytes);
  http::asio::awaitable<Result<void>> write(std::string_view bytes);
  // The terminal sequence has been written: ends the body.
  http::asio::awaitable<Result<void>> finish();
  // Ends the answer with the dialect's in-stream error.
  http::asio::awaitable<void> fail_stream(const Error& error);
  // The id of the answer that the client sees, once known: fillers carry it.
  void set_answer_id(std::string_view id) { answer_id_ = id; }

 private:
  void on_deadline() override;
  void rearm(Instant now);
  void send_filler(Instant now);
  // A writer that has opened the answer already, for fillers and the error event.
  dialect::Writer& opened_writer();

  Turn& turn_;
  const GatewayOptions& options_;
  http::Wheel& wheel_;
  std::unique_ptr<dialect::Writer> writer_;
  std::string answer_id_;  // empty: our own
  Instant last_write_{};
  bool streams_ = false;
  bool head_sent_ = false;
  bool opened_by_us_ = false;
  bool committed_ = false;
  bool ended_ = false;
};

// The x-nightlight-* header lines of an early head, when nobody answers yet.
std::string pending_headers(const Turn& turn);

}  // namespace nl::gateway
