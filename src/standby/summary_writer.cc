#include "standby/summary_writer.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace nl::standby {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kTextBytesMax = 64 * 1024;
// Less than this tells nothing.
constexpr std::size_t kSummaryBytesMin = 40;
constexpr std::size_t kSummaryBytesMax = 8 * 1024;
// A text goes in circles where most runs of so many words were met before.
constexpr std::size_t kRunOfWords = 6;
constexpr std::size_t kRunsMin = 24;
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kMarkup[] = {"<|", "|>", "<tool_call", "<channel", "</think"};

class Collector final : public dialect::EventSink {
 public:
  std::string escaped;
  chat::StopReason stop = chat::StopReason::none;
  Result<void> said{};

  void on_event(const chat::Event& event) override {
    switch (event.kind) {
      case chat::EventKind::delta:
        if (event.delta == chat::DeltaKind::text && event.block == chat::BlockKind::text) {
          escaped += event.text.escaped;
        }
        break;
      case chat::EventKind::finish:
        stop = event.stop;
        break;
      case chat::EventKind::error:
        said = fail(ErrorCode::stream_error, "the local server: " + event.error_message);
        break;
      case chat::EventKind::start:
      case chat::EventKind::block_start:
      case chat::EventKind::block_stop:
      case chat::EventKind::usage:
      case chat::EventKind::ping:
      case chat::EventKind::progress:
        break;
    }
  }
};

// An answer's text, and every frame of it as a sign of life.
class AnswerTaker final : public FrameSink {
 public:
  AnswerTaker(const dialect::Dialect& dialect, ReadingSink& sink)
      : reader_(dialect.make_reader()), sink_(sink) {}

  Result<void> on_frame(const dialect::SseFrame& frame) override {
    sink_.on_progress(0, 0);
    if (auto taken = reader_->frame(frame, collector_); !taken) return taken;
    if (collector_.escaped.size() > kTextBytesMax) {
      return fail(ErrorCode::too_large, "the summary does not end");
    }
    return collector_.said;
  }
  Result<Written> written() {
    reader_->end(collector_);
    if (!reader_->finished()) return fail(ErrorCode::truncated, "the summary was broken off");
    Written made;
    made.text = chat::JsonText{collector_.escaped}.utf8();
    made.stop = collector_.stop;
    return made;
  }

 private:
  const std::unique_ptr<dialect::Reader> reader_;
  ReadingSink& sink_;
  Collector collector_;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool has_controls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && kSpace.find(c) == std::string_view::npos) ||
           c == 0x7f;
  });
}

bool goes_in_circles(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  if (words.size() < kRunsMin + kRunOfWords) return false;
  const std::size_t runs = words.size() - kRunOfWords + 1;
  std::unordered_set<std::string_view> met;
  for (std::size_t i = 0; i < runs; ++i) {
    const std::string_view last = words[i + kRunOfWords - 1];
    met.emplace(words[i].data(), static_cast<std::size_t>(last.end() - words[i].begin()));
  }
  return met.size() * 2 < runs;
}

}  // namespace

asio::awaitable<Result<Written>> written_answer(provider::Provider& provider,
                                                const std::string& body, ReadingSink& sink,
                                                http::Cancel& cancel) {
  AnswerTaker taker(provider.dialect(), sink);
  const Result<void> followed = co_await follow(provider, body, taker, cancel);
  if (!followed) co_return std::unexpected(followed.error());
  co_return taker.written();
}

std::string usable_summary(const Written& written) {
  std::string_view text = trimmed(written.text);
  const bool whole = written.stop == chat::StopReason::end_turn;
  if (!whole && written.stop != chat::StopReason::max_tokens) return {};
  if (text.size() > kSummaryBytesMax || has_controls(text) || goes_in_circles(text)) return {};
  for (const std::string_view mark : kMarkup) {
    if (text.find(mark) != std::string_view::npos) return {};
  }
  // What ran out of room ends with the last thing it said whole.
  if (!whole) text = text.substr(0, text.find_last_of(".\n") + 1);
  text = trimmed(text);
  return text.size() < kSummaryBytesMin ? std::string() : std::string(text);
}

}  // namespace nl::standby
