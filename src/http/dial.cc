#include "http/dial.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "http/cancel.h"
#include "http/race.h"
#include "http/socket.h"

namespace nl::http {
namespace {

constexpr std::size_t kUnixPathBytesMax = 107;

void abort_transport(void* transport) {
  static_cast<Transport*>(transport)->abort();
}
void cancel_race(void* race) {
  static_cast<Race*>(race)->cancel();
}
void notify(void* wakeup) {
  static_cast<Wakeup*>(wakeup)->notify();
}

std::unexpected<Error> given_up() {
  return fail(ErrorCode::cancelled, "connection attempt was given up");
}

std::string tunnel_request(const Endpoint& endpoint, const Proxy& proxy) {
  const std::string host =
      endpoint.host.find(':') == std::string::npos ? endpoint.host : "[" + endpoint.host + "]";
  const std::string authority = host + ":" + std::to_string(endpoint.port);
  std::string text = "CONNECT " + authority + " HTTP/1.1\r\nhost: " + authority + "\r\n";
  if (!proxy.authorization.empty()) {
    text += "proxy-authorization: ";
    text += proxy.authorization.reveal();
    text += "\r\n";
  }
  return text + "\r\n";
}

}  // namespace

Dialer::Dialer(Loop& loop, const ClientOptions& options)
    : loop_(loop),
      options_(options),
      resolver_(loop, options.lookup),
      proxies_(options.https_proxy, options.no_proxy) {}

asio::awaitable<Result<std::unique_ptr<Transport>>> Dialer::dial(const Endpoint& endpoint,
                                                                 Cancel& cancel, Instant until) {
  const auto proxy = proxies_.proxy_for(endpoint);
  if (!proxy) co_return std::unexpected(proxy.error());

  Result<Transport::Socket> socket = fail(ErrorCode::connect, "not tried");
  if (endpoint.scheme == Scheme::unix_socket) {
    socket = co_await connect_unix(endpoint.host);
    if (socket && endpoint.listener_group != 0 &&
        !peer_in_group(socket->native_handle(), endpoint.listener_group)) {
      socket = fail(ErrorCode::connect, "another program listens on " + endpoint.host);
    }
  } else if (proxy->has_value()) {
    socket = co_await connect((*proxy)->host, (*proxy)->port, cancel, until);
  } else {
    socket = co_await connect(endpoint.host, endpoint.port, cancel, until);
  }
  if (cancel.fired()) co_return given_up();
  if (!socket) co_return std::unexpected(socket.error());

  auto transport = std::make_unique<Transport>(loop_, std::move(*socket));
  if (endpoint.scheme == Scheme::https) {
    const CancelScope scope(cancel, abort_transport, transport.get());
    const Instant tls_until = std::min(until, loop_.now() + options_.budgets.tls);
    Result<void> done;
    if (proxy->has_value()) {
      done = co_await open_tunnel(*transport, endpoint, **proxy, tls_until);
    }
    if (done) done = co_await secure(*transport, endpoint, tls_until);
    if (cancel.fired()) co_return given_up();
    if (!done) co_return std::unexpected(done.error());
  }
  co_return transport;
}

asio::awaitable<Result<Transport::Socket>> Dialer::connect(std::string host, std::uint16_t port,
                                                           Cancel& cancel, Instant until) {
  Wakeup wakeup(loop_);
  Result<std::vector<Address>> addresses = std::vector<Address>();
  {
    const CancelScope scope(cancel, notify, &wakeup);
    const Instant dns_until = std::min(until, loop_.now() + options_.budgets.dns);
    addresses = co_await resolver_.resolve(host, dns_until, wakeup);
  }
  if (cancel.fired()) co_return given_up();
  if (!addresses) co_return std::unexpected(addresses.error());

  auto race = std::make_shared<Race>(loop_, std::move(*addresses), port);
  const CancelScope scope(cancel, cancel_race, race.get());
  const RaceTiming timing{options_.budgets.second_address,
                          std::min(until, loop_.now() + options_.budgets.connect)};
  Result<Transport::Socket> socket = co_await Race::run(race, timing);
  if (!socket && socket.error().code == ErrorCode::connect) {
    socket.error().message = "cannot connect to " + host + ": " + socket.error().message;
  }
  co_return socket;
}

asio::awaitable<Result<Transport::Socket>> Dialer::connect_unix(const std::string& path) {
  if (path.size() > kUnixPathBytesMax) {
    co_return fail(ErrorCode::config, "path of a socket is too long: " + path);
  }
  const asio::local::stream_protocol::endpoint target(path);
  Transport::Socket socket(loop_.io());
  boost::system::error_code failure;
  socket.open(target.protocol(), failure);
  // Connecting to a unix socket never waits for the peer.
  if (!failure) socket.connect(target, failure);
  if (failure) {
    co_return fail(ErrorCode::connect, "cannot connect to " + path + ": " + failure.message());
  }
  co_return socket;
}

asio::awaitable<Result<void>> Dialer::open_tunnel(Transport& transport, const Endpoint& endpoint,
                                                  const Proxy& proxy, Instant until) {
  const std::string request = tunnel_request(endpoint, proxy);
  const auto sent = co_await transport.write_all(request, std::string_view(), until);
  if (!sent) co_return std::unexpected(sent.error());
  std::string answer;
  std::size_t end = 0;
  while (end == 0) {
    const std::size_t filled = answer.size();
    answer.resize(filled + 512);
    const auto got = co_await transport.read_some(std::span(answer).subspan(filled), until);
    if (!got || *got == 0) co_return fail(ErrorCode::connect, "proxy gave no answer");
    answer.resize(filled + *got);
    const auto found = find_head_end(answer, kResponseHeadBytesMax);
    if (!found) co_return fail(ErrorCode::connect, "proxy gave a malformed answer");
    end = *found;
  }
  const auto head = parse_response_head(std::string_view(answer).substr(0, end), "HEAD");
  if (!head || end != answer.size()) {
    co_return fail(ErrorCode::connect, "proxy gave a malformed answer");
  }
  if (head->status / 100 != 2) {
    co_return fail(ErrorCode::connect, "proxy refused with " + std::to_string(head->status));
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> Dialer::secure(Transport& transport, const Endpoint& endpoint,
                                             Instant until) {
  if (!tls_) {
    auto context = TlsContext::create(options_.extra_ca_file);
    if (!context) co_return std::unexpected(context.error());
    tls_ = std::move(*context);
  }
  auto session = tls_->open(transport.native(), endpoint.host, endpoint.authority());
  if (!session) co_return std::unexpected(session.error());
  auto done = co_await transport.start_tls(std::move(*session), until);
  if (!done && done.error().code != ErrorCode::cancelled) {
    done.error().code = ErrorCode::tls;
    done.error().message = endpoint.host + ": " + done.error().message;
  }
  co_return done;
}

}  // namespace nl::http
