#include "gateway/whole.h"

#include "base/log.h"
#include "dialect/json_prefix.h"

namespace nl::gateway {
namespace {

// Taps events and, when translating, folds them into a writer.
class Fold final : public dialect::EventSink {
 public:
  Fold(Turn& turn, dialect::Writer* writer, const std::optional<EnginePace>& engine_pace)
      : pace(engine_pace), loop_(turn.exchange.loop()), turn_(turn), writer_(writer) {}

  void write_to(dialect::Writer& writer) { writer_ = &writer; }
  Duration silence() const { return pace ? loop_.now() - pace->last() : Duration(); }

  void on_event(const chat::Event& event) override {
    tap.usage.merge(event.usage);
    if (turn_.kept) turn_.kept->add(event);
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
    if (pace) keep_pace(*pace, event, loop_.now());
    if (writer_ == nullptr) return;
    writer_->fold(starts_tool(event) ? with_declared_name(event, turn_.request) : event);
  }

  AnswerTap tap;
  std::optional<Error> error;
  bool finished = false;
  std::optional<EnginePace> pace;

 private:
  const http::Loop& loop_;
  Turn& turn_;
  dialect::Writer* writer_;
};

// A stream where one body was asked for, or the engine's, which always streams: so its progress is
// seen, and the client's leaving stops it.
class FoldedStream {
 public:
  FoldedStream(dialect::Framer framer, dialect::Reader& reader, AnswerBound& sink)
      : framer_(std::move(framer)), reader_(reader), sink_(sink) {}

  Result<void> feed(std::string_view piece) {
    const Result<void> fed = framer_.feed(piece);
    if (!fed) return fed;
    while (const std::optional<dialect::SseFrame> frame = framer_.next()) {
      if (Result<void> read = reader_.frame(*frame, sink_); !read) return read;
      sink_.end_if_full();
      if (sink_.stopped()) break;
    }
    return {};
  }
  bool stopped() const { return sink_.stopped(); }
  Result<void> end() {
    if (stopped()) return {};
    if (const std::optional<dialect::SseFrame> last = framer_.finish()) {
      if (Result<void> read = reader_.frame(*last, sink_); !read) return read;
    }
    reader_.end(sink_);
    return {};
  }

 private:
  dialect::Framer framer_;
  dialect::Reader& reader_;
  AnswerBound& sink_;
};

// What the events so far say of the answer as a whole.
Result<void> judge(const Fold& fold, Backup backup) {
  if (fold.error) return std::unexpected(*fold.error);
  if (!fold.finished) return fail(ErrorCode::truncated, "the stream ended without its last event");
  const bool meant =
      fold.tap.stop == chat::StopReason::refusal || fold.tap.stop == chat::StopReason::pause;
  if (fold.tap.content_events == 0 && backup == Backup::another_target && !meant) {
    return fail(ErrorCode::empty_answer, "an empty answer");
  }
  return {};
}

http::asio::awaitable<Result<void>> read_events(provider::Opening& opening, FoldedStream& stream,
                                                Fold& fold, const RelaySetup& setup) {
  while (!fold.error && !stream.stopped()) {
    const Instant until = fold.pace ? fold.pace->deadline() : setup.deadline;
    Result<std::string_view> piece = co_await opening.read(until);
    if (!piece) {
      if (piece.error().code != ErrorCode::timeout) {
        co_return std::unexpected(std::move(piece.error()));
      }
      if (!fold.pace) co_return fail(ErrorCode::timeout, "no whole answer in time");
      co_return std::unexpected(stalled(setup.provider, fold.silence(), setup.options.silence));
    }
    if (piece->empty()) break;
    const Result<void> fed = stream.feed(*piece);
    if (!fed) co_return fed;
  }
  const Result<void> ended = stream.end();
  if (!ended) co_return ended;
  co_return judge(fold, setup.backup);
}

}  // namespace

http::asio::awaitable<Result<WholeBody>> read_body(provider::Opening& opening, Instant until,
                                                   std::size_t limit) {
  WholeBody body;
  for (;;) {
    std::optional<Result<std::string_view>> piece = opening.read_now();
    if (!piece) piece = co_await opening.read(until);
    if (!*piece) {
      if (piece->error().code == ErrorCode::timeout) {
        co_return fail(ErrorCode::timeout, "no whole answer in time");
      }
      co_return std::unexpected(std::move(piece->error()));
    }
    if ((*piece)->empty()) co_return body;
    body.text.append(**piece);
    if (body.text.size() <= limit) continue;
    body.text.resize(limit);
    body.end = WholeBody::End::at_limit;
    co_return body;
  }
}

Result<void> read_events(const WholeBody& body, dialect::Reader& reader, AnswerBound& bound) {
  if (body.end == WholeBody::End::its_own) return reader.whole(body.text, bound);
  const std::optional<std::string> closed = dialect::close_json(body.text);
  bound.say_cut();
  const Result<void> read = closed ? reader.whole(*closed, bound) : Result<void>();
  // What is too large and no answer either may be one from another target.
  if (!bound.stopped()) return fail(ErrorCode::protocol, "the answer is larger than its limit");
  return read;
}

http::asio::awaitable<WholeResult> read_whole_answer(Turn& turn, const RelaySetup& setup,
                                                     provider::Opening& opening) {
  WholeResult result;
  const bool same = setup.provider.dialect().id() == turn.dialect.id() && !opening.event_stream &&
                    !read_into_events(setup);
  const std::unique_ptr<dialect::Reader> reader = setup.provider.dialect().make_reader();
  std::unique_ptr<dialect::Writer> writer;
  if (!same) writer = turn.dialect.make_writer(answer_context(turn));
  Fold fold(turn, writer.get(), setup.pace);
  std::unique_ptr<ToolCheck> check;
  if (setup.check) check = std::make_unique<ToolCheck>(*setup.check, fold);
  AnswerBound bound(answer_limits(turn, setup.options),
                    check ? static_cast<dialect::EventSink&>(*check) : fold);

  Result<WholeBody> body = WholeBody();
  Result<void> read;
  if (opening.event_stream) {
    FoldedStream stream(dialect::Framer(setup.provider.dialect().framing()), *reader, bound);
    read = co_await read_events(opening, stream, fold, setup);
  } else {
    body = co_await read_body(opening, setup.deadline, setup.options.answer_bytes_max);
    if (!body) {
      result.error = std::move(body.error());
      co_return result;
    }
    if (body->end == WholeBody::End::at_limit && !writer) {
      writer = turn.dialect.make_writer(answer_context(turn));
      fold.write_to(*writer);
    }
    read = read_events(*body, *reader, bound);
  }
  if (bound.stopped()) {
    log::warn("request {}: the answer of {} did not end; ended with max_tokens after {} bytes",
              turn.id, setup.provider.setting().name, fold.tap.content_bytes);
  }
  result.tap = std::move(fold.tap);
  result.tap.ended_by_us = bound.stopped();
  // The last target's empty answer is passed on honestly, unless it is an error in disguise.
  const bool honest =
      !read && read.error().code == ErrorCode::empty_answer && setup.backup == Backup::none;
  if (fold.error) {
    result.error = std::move(fold.error);
  } else if (!read && !honest) {
    result.error = std::move(read.error());
  } else if (writer) {
    result.body = writer->whole();
  } else if (setup.model == turn.model) {
    result.body = std::move(body->text);
  } else {
    dialect::Document document;
    dialect::SpliceOptions options;
    options.model = turn.model;
    result.body =
        document.parse(body->text) ? turn.dialect.splice(document, options) : std::move(body->text);
  }
  co_return result;
}

}  // namespace nl::gateway
