#include "gateway/whole.h"

namespace nl::gateway {
namespace {

// Taps events and, when translating, folds them into a writer.
class Fold final : public dialect::EventSink {
 public:
  Fold(const Turn& turn, dialect::Writer* writer)
      : loop_(turn.exchange.loop()), request_(turn.request), writer_(writer) {}

  void on_event(const chat::Event& event) override {
    tap.usage.merge(event.usage);
    tap.content_bytes += static_cast<std::int64_t>(event.text.escaped.size());
    if (chat::is_content(event)) {
      ++tap.content_events;
      if (!tap.first_content) tap.first_content = loop_.now();
    }
    if (event.kind == chat::EventKind::start) tap.model = event.name.utf8();
    if (event.kind == chat::EventKind::finish) {
      tap.stop = event.stop;
      finished = true;
    }
    if (event.kind == chat::EventKind::error) {
      error = Error(ErrorCode::stream_error, event.error_message, event.error_status);
      tap.error_type = event.error_type;
      tap.error_status = event.error_status;
      return;
    }
    if (writer_ == nullptr) return;
    writer_->fold(starts_tool(event) ? with_declared_name(event, request_) : event);
  }

  AnswerTap tap;
  std::optional<Error> error;
  bool finished = false;

 private:
  const http::Loop& loop_;
  const chat::Request& request_;
  dialect::Writer* writer_;
};

http::asio::awaitable<Result<std::string>> read_body(provider::Opening& opening, Instant until,
                                                     std::size_t limit) {
  std::string body;
  for (;;) {
    Result<std::string_view> piece = co_await opening.read(until);
    if (!piece) {
      if (piece.error().code == ErrorCode::timeout) {
        co_return fail(ErrorCode::timeout, "no whole answer in time");
      }
      co_return std::unexpected(std::move(piece.error()));
    }
    if (piece->empty()) co_return body;
    if (body.size() + piece->size() > limit) {
      co_return fail(ErrorCode::protocol, "the answer is larger than its limit");
    }
    body.append(*piece);
  }
}

Result<void> read_frames(std::string_view body, dialect::Framer framer, dialect::Reader& reader,
                         Fold& fold) {
  const Result<void> fed = framer.feed(body);
  if (!fed) return fed;
  for (std::optional<dialect::SseFrame> frame = framer.next();; frame = framer.next()) {
    if (!frame) frame = framer.finish();
    if (!frame) break;
    const Result<void> read = reader.frame(*frame, fold);
    if (!read) return read;
  }
  reader.end(fold);
  if (!fold.error && !fold.finished) {
    return fail(ErrorCode::truncated, "the stream ended without its last event");
  }
  return {};
}

}  // namespace

http::asio::awaitable<WholeResult> read_whole_answer(Turn& turn, const RelaySetup& setup,
                                                     provider::Opening& opening) {
  WholeResult result;
  const bool same = setup.provider.dialect().id() == turn.dialect.id() && !opening.event_stream;
  const std::unique_ptr<dialect::Reader> reader = setup.provider.dialect().make_reader();
  const dialect::Framer framer(setup.provider.dialect().framing());
  std::unique_ptr<dialect::Writer> writer;
  if (!same) writer = turn.dialect.make_writer(answer_context(turn));
  Fold fold(turn, writer.get());

  Result<std::string> body =
      co_await read_body(opening, setup.deadline, setup.options.answer_bytes_max);
  if (!body) {
    result.error = std::move(body.error());
    co_return result;
  }
  Result<void> read =
      opening.event_stream ? read_frames(*body, framer, *reader, fold) : reader->whole(*body, fold);
  result.tap = std::move(fold.tap);
  // The last target's empty answer is passed on honestly, unless it is an error in disguise.
  const bool honest =
      !read && read.error().code == ErrorCode::empty_answer && setup.backup == Backup::none;
  if (fold.error) {
    result.error = std::move(fold.error);
  } else if (!read && !honest) {
    result.error = std::move(read.error());
  } else if (!same) {
    result.body = writer->whole();
  } else if (setup.model == turn.model) {
    result.body = std::move(*body);
  } else {
    dialect::Document document;
    dialect::SpliceOptions options;
    options.model = turn.model;
    result.body = document.parse(*body) ? turn.dialect.splice(document, options) : std::move(*body);
  }
  co_return result;
}

}  // namespace nl::gateway
