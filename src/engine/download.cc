#include "engine/download.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "engine/retries.h"

namespace nl::engine {
namespace {

namespace asio = http::asio;

constexpr auto kLocateWithin = std::chrono::seconds(20);
constexpr auto kSlice = std::chrono::milliseconds(100);
constexpr auto kSaveEvery = std::chrono::seconds(1);
constexpr std::uint64_t kSaveBytes = 16ULL << 20;
// A try that brought less than this does not count as progress.
constexpr std::uint64_t kProgressBytes = 256 * 1024;
constexpr std::size_t kSmallBytesMax = 4U << 20;

std::unexpected<Error> changed() {
  return fail(ErrorCode::not_an_answer,
              "the file changed at its source while it was pulled; pull again");
}

class Download {
 public:
  Download(const DownloadOptions& options, const DownloadOrder& order, const DownloadWatch& watch,
           PartialFile& file)
      : options_(options),
        order_(order),
        located_(order.located),
        watch_(watch),
        file_(file),
        loop_(clock_),
        client_(loop_, options.client) {}

  // Fetches the parts from `first` up to `stop` and returns when all is done or given up.
  Result<void> run(std::size_t first, std::size_t stop);

 private:
  asio::awaitable<void> work();
  asio::awaitable<void> fetch_part(std::size_t index);
  // One try. Errors: whatever ended it.
  asio::awaitable<Result<void>> fetch_once(std::size_t index);
  Result<void> check_head(const http::ResponseHead& head, const Part& part) const;
  asio::awaitable<void> pause(Duration length);
  asio::awaitable<Result<void>> locate_again();
  void give_up(Error error);
  void tick();

  const SystemClock clock_;
  const DownloadOptions& options_;
  const DownloadOrder& order_;
  Located located_;
  const DownloadWatch& watch_;
  PartialFile& file_;
  std::optional<Error> error_;
  std::vector<http::Cancel*> running_;
  std::size_t next_ = 0;
  std::size_t stop_ = 0;
  std::size_t workers_ = 0;
  Instant saved_at_{};
  std::uint64_t saved_bytes_ = 0;
  http::Loop loop_;
  http::Client client_;
};

void Download::give_up(Error error) {
  if (error_) return;
  error_ = std::move(error);
  for (http::Cancel* cancel : running_) cancel->fire();
}

void Download::tick() {
  const std::uint64_t done = file_.done();
  const Instant now = loop_.now();
  if (done != saved_bytes_ &&
      (done - saved_bytes_ >= kSaveBytes || now - saved_at_ >= kSaveEvery)) {
    const auto saved = file_.save();
    if (!saved) give_up(saved.error());
    saved_at_ = now;
    saved_bytes_ = done;
  }
  watch_.progress(done, file_.size());
}

Result<void> Download::run(std::size_t first, std::size_t stop) {
  next_ = first;
  stop_ = stop;
  saved_at_ = loop_.now();
  saved_bytes_ = file_.done();
  const std::size_t wanted = located_.ranges ? options_.connections : 1;
  workers_ = std::min(wanted, stop - first);
  const std::size_t spawned = workers_;
  for (std::size_t i = 0; i < spawned; ++i) {
    asio::co_spawn(loop_.io(), work(), [this](const std::exception_ptr& thrown) {
      if (thrown) give_up(Error(ErrorCode::internal, "the pull ended unexpectedly"));
      --workers_;
    });
  }
  while (workers_ > 0) {
    loop_.io().restart();
    loop_.io().run_for(kSlice);
    tick();
  }
  const auto saved = file_.save();
  if (error_) return std::unexpected(*error_);
  return saved;
}

asio::awaitable<void> Download::work() {
  while (next_ < stop_ && !error_) {
    const std::size_t index = next_++;
    co_await fetch_part(index);
  }
}

asio::awaitable<void> Download::fetch_part(std::size_t index) {
  Retries retries(options_.tries, options_.first_pause);
  while (!error_ && file_.part(index).done < file_.part(index).end - file_.part(index).begin) {
    const std::uint64_t before = file_.part(index).done;
    auto fetched = co_await fetch_once(index);
    if (fetched) continue;
    if (error_) co_return;
    const std::uint64_t after = file_.part(index).done;
    if (after > before && after - before >= kProgressBytes) retries.start_over();
    const auto wait = retries.pause_after(fetched.error());
    if (!wait) {
      give_up(std::move(fetched.error()));
      co_return;
    }
    watch_.trouble(fetched.error().message, *wait);
    co_await pause(*wait);
    auto again = co_await locate_again();
    if (!again && !may_pass(again.error())) give_up(std::move(again.error()));
  }
}

asio::awaitable<Result<void>> Download::locate_again() {
  const Instant until = loop_.now() + kLocateWithin;
  auto found = co_await locate(client_, order_.origin, until);
  if (!found) co_return std::unexpected(std::move(found.error()));
  // Mirrors may tag the same bytes differently; where a digest is known, it decides at the end.
  const bool same = found->bytes == file_.size() &&
                    (!order_.digest.empty() || found->version == located_.version);
  if (!same) {
    co_return changed();
  }
  located_.at = std::move(found->at);
  located_.tag = std::move(found->tag);
  co_return Result<void>();
}

Result<void> Download::check_head(const http::ResponseHead& head, const Part& part) const {
  if (head.status == 200 && !located_.ranges) {
    const bool fits = head.framing != http::Framing::length || head.content_length == file_.size();
    if (fits) return refuse_packed(head);
    return fail(ErrorCode::not_an_answer, "the file has another size than it was said to have");
  }
  if (head.status == 200) {
    return fail(ErrorCode::not_an_answer, "the server answers a part with the whole file");
  }
  if (head.status != 206) {
    if (head.status >= 300 && head.status < 400) {
      return fail(ErrorCode::config, "a second redirect is not followed");
    }
    return std::unexpected(refusal(head, located_.at));
  }
  const auto plain = refuse_packed(head);
  if (!plain) return plain;
  // Where no digest decides at the end, a part of another version would stay.
  const std::string tag = version_of(head.headers);
  const bool other = !tag.empty() && !located_.tag.empty() && tag != located_.tag;
  if (other && order_.digest.empty()) return changed();
  const auto total = total_of_range(head.headers.find("content-range").value_or(""),
                                    part.begin + part.done, part.end - 1);
  if (!total) return std::unexpected(total.error());
  if (*total == file_.size()) return {};
  return fail(ErrorCode::not_an_answer, "the file has another size than it was said to have");
}

asio::awaitable<Result<void>> Download::fetch_once(std::size_t index) {
  if (!located_.ranges) file_.restart(index);
  const Part part = file_.part(index);
  const Origin at = located_.at;
  const std::string range =
      located_.ranges ? fmt::format("range: bytes={}-{}\r\n", part.begin + part.done, part.end - 1)
                      : std::string();
  const std::string headers = pull_headers(range);
  http::Outgoing outgoing;
  outgoing.method = "GET";
  outgoing.target = at.target;
  outgoing.headers = headers;
  http::Cancel cancel;
  running_.push_back(&cancel);
  Result<void> ended;
  const Instant head_until = loop_.now() + options_.stall;
  const auto call = co_await client_.send(at.endpoint, outgoing, cancel, head_until);
  if (call) {
    ended = check_head((*call)->head(), part);
  } else {
    ended = std::unexpected(call.error());
  }
  while (ended && !(*call)->complete()) {
    const Instant until = loop_.now() + options_.stall;
    const auto piece = co_await (*call)->read(until);
    if (piece) {
      ended = file_.write(index, *piece);
    } else {
      ended = std::unexpected(piece.error());
    }
  }
  running_.erase(std::find(running_.begin(), running_.end(), &cancel));
  if (ended && file_.part(index).done < part.end - part.begin) {
    ended = fail(ErrorCode::truncated, "the answer ended before its part did");
  }
  co_return ended;
}

asio::awaitable<void> Download::pause(Duration length) {
  const Instant until = loop_.now() + length;
  asio::steady_timer timer(loop_.io());
  while (!error_ && loop_.now() < until) {
    timer.expires_after(std::min<Duration>(kSlice, until - loop_.now()));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

// Runs what `make` gives on a loop of its own, once.
template <typename T, typename Make>
Result<T> run_once(const http::ClientOptions& options, const Make& make) {
  const SystemClock clock;
  http::Loop loop(clock);
  http::Client client(loop, options);
  Result<T> out = fail(ErrorCode::timeout, "no answer in time");
  const Instant until = clock.now() + kLocateWithin;
  asio::co_spawn(loop.io(), make(client, until),
                 [&](const std::exception_ptr& thrown, Result<T> result) {
                   if (!thrown) out = std::move(result);
                   loop.io().stop();
                 });
  loop.io().run_for(kLocateWithin + std::chrono::seconds(2));
  return out;
}

// Nobody is there, or wants a login: said at once, where no part has come yet.
bool is_final(const Error& error) {
  return error.code == ErrorCode::dns || error.code == ErrorCode::connect ||
         error.code == ErrorCode::tls || error.status == 403;
}

// The same, and again where the server is only in trouble; one that hangs is said at once.
template <typename T, typename Make>
Result<T> run_now(const DownloadOptions& options, const Origin& origin, const Trouble& trouble,
                  const Make& make) {
  Retries retries(options.first_tries, options.first_pause);
  for (;;) {
    auto out = run_once<T>(options.client, make);
    if (!out && out.error().code == ErrorCode::timeout) {
      return fail(ErrorCode::timeout,
                  fmt::format("{} did not answer within {}: see whether the network is there, and "
                              "pull again",
                              origin.endpoint.authority(), kLocateWithin));
    }
    if (out || is_final(out.error())) return out;
    const auto wait = retries.pause_after(out.error());
    if (!wait) return out;
    trouble(out.error().message, *wait);
    std::this_thread::sleep_for(*wait);
  }
}

asio::awaitable<Result<std::string>> get_small(http::Client& client, const Origin& origin,
                                               const std::string& headers, Instant until) {
  http::Cancel cancel;
  http::Outgoing outgoing;
  outgoing.method = "GET";
  outgoing.target = origin.target;
  outgoing.headers = headers;
  const auto call = co_await client.send(origin.endpoint, outgoing, cancel, until);
  if (!call) co_return std::unexpected(call.error());
  const http::ResponseHead& head = (*call)->head();
  if (head.status != 200) co_return std::unexpected(refusal(head, origin));
  std::string body;
  while (!(*call)->complete()) {
    const auto piece = co_await (*call)->read(until);
    if (!piece) co_return std::unexpected(piece.error());
    body.append(*piece);
    if (body.size() > kSmallBytesMax) {
      co_return fail(ErrorCode::too_large, "the answer is larger than 4 MiB");
    }
  }
  co_return body;
}

}  // namespace

Result<Located> locate_now(const DownloadOptions& options, const Origin& origin,
                           const Trouble& trouble) {
  return run_now<Located>(options, origin, trouble, [&](http::Client& with, Instant until) {
    return locate(with, origin, until);
  });
}

Result<std::string> fetch_small(const DownloadOptions& options, const Origin& origin,
                                std::string_view accept, const Trouble& trouble) {
  const std::string headers = pull_headers(fmt::format("accept: {}\r\n", accept));
  return run_now<std::string>(options, origin, trouble, [&](http::Client& with, Instant until) {
    return get_small(with, origin, headers, until);
  });
}

Result<PartialFile> download(const DownloadOptions& options, const DownloadOrder& order,
                             const DownloadWatch& watch) {
  PartSizes sizes = options.sizes;
  std::string version = order.digest.empty() ? order.located.version : order.digest;
  if (!order.located.ranges) {
    // What an earlier pull has in several parts is of no use: all of it comes as one.
    sizes.head_bytes = order.located.bytes;
    version += "-whole";
  }
  auto file = PartialFile::open(order.path, order.located.bytes, version, sizes);
  if (!file) return file;
  Download running(options, order, watch, *file);
  auto ended = running.run(0, 1);
  if (ended) ended = watch.head(*file);
  if (ended && file->parts() > 1) ended = running.run(1, file->parts());
  if (!ended) return std::unexpected(std::move(ended.error()));
  return file;
}

}  // namespace nl::engine
