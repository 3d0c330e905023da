#include "base/log.h"
#include "standby/standby_core.h"

namespace nl::standby {
namespace {

namespace asio = boost::asio;

// One that was broken off is not begun anew at once: whoever came may come again.
constexpr Duration kAfterInterruption = std::chrono::seconds(60);

}  // namespace

// The next standing summary, if one is wanted and it is quiet; false = there was none to write. A
// turn, a real request or anything that speaks against reading ends it, and it is offered again.
asio::awaitable<bool> Standby::Core::summarise() {
  if (!target_->forms || loop_.now() < summary_at_) co_return false;
  const std::shared_ptr<chat::LocalForm> forms = target_->forms;
  std::optional<chat::IdleWork> work = forms->idle_work(target_->asked.model);
  if (!work) co_return false;
  Result<Written> written = fail(ErrorCode::cancelled, "a real request came first");
  // In this order, as for a reading.
  reading_ = true;
  if (local_.load() == 0) written = co_await write(work->request);
  reading_ = false;
  if (!written && written.error().code == ErrorCode::cancelled) {
    forms->return_idle(std::move(*work));
    summary_at_ = loop_.now() + kAfterInterruption;
    co_return true;
  }
  const std::string summary = written ? usable_summary(*written) : std::string();
  forms->finish_idle(*work, summary);
  if (!written) log::debug("standby: no summary: {}", written.error().message);
  if (!summary.empty()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.summaries;
  }
  co_return true;
}

// A summary's prompt begins like no conversation, so the engine puts those aside by itself; whether
// there was room for that shows when they are read again.
asio::awaitable<Result<Written>> Standby::Core::write(const chat::Request& request) {
  const Result<std::string> body = provider_->dialect().encode_request(request, target_->asked);
  if (!body) co_return std::unexpected(body.error());
  http::Cancel cancel;
  count_time(loop_.now());
  cancel_ = &cancel;
  writing_ = true;
  begun_ = unwanted_ = false;
  resident_ = 0;
  publish();
  Result<Written> written = co_await written_answer(*provider_, *body, *this, cancel);
  count_time(loop_.now());
  cancel_ = nullptr;
  writing_ = false;
  if (unwanted_) co_await let_go();
  if (!written && unwanted_ && local_.load() > 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.preempted;
  }
  book_.doubt_warm();
  publish();
  co_return written;
}

}  // namespace nl::standby
