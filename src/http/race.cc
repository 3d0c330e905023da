#include "http/race.h"

#include <boost/asio/ip/tcp.hpp>

namespace nl::http {
namespace {

namespace ip = asio::ip;

}  // namespace

class Race::NextAddress final : public Timer {
 public:
  explicit NextAddress(Race& race) : race_(race) {}
  void start(const std::shared_ptr<Race>& self, Wheel& wheel, Instant at) {
    // Weak: a timer must not keep its own owner alive.
    self_ = self;
    wheel.arm(*this, at);
  }

 private:
  void on_deadline() override {
    if (const auto self = self_.lock()) race_.start_next(self);
  }

  Race& race_;
  std::weak_ptr<Race> self_;
};

Race::Race(Loop& loop, std::vector<Address> addresses, std::uint16_t port)
    : loop_(loop),
      addresses_(std::move(addresses)),
      port_(port),
      wakeup_(loop),
      next_address_(std::make_unique<NextAddress>(*this)) {
  sockets_.reserve(addresses_.size());
}

Race::~Race() = default;

void Race::start_next(const std::shared_ptr<Race>& self) {
  while (!over() && sockets_.size() < addresses_.size()) {
    const Address& address = addresses_[sockets_.size()];
    boost::system::error_code failure;
    const ip::tcp::endpoint target(ip::make_address(address.host, failure), port_);
    Transport::Socket& socket = sockets_.emplace_back(loop_.io());
    if (!failure) socket.open(target.protocol(), failure);
    if (failure) {
      last_failure_ = failure.message();
      continue;
    }
    ++pending_;
    const std::size_t index = sockets_.size() - 1;
    socket.async_connect(target, [self, index](const boost::system::error_code& result) {
      self->connected(self, index, result);
    });
    if (sockets_.size() < addresses_.size()) {
      next_address_->start(self, loop_.wheel(), loop_.now() + second_address_);
    }
    return;
  }
  if (!over() && pending_ == 0) {
    failed_ = true;
    wakeup_.notify();
  }
}

void Race::connected(const std::shared_ptr<Race>& self, std::size_t index,
                     const boost::system::error_code& failure) {
  --pending_;
  if (over()) return;
  if (failure) {
    last_failure_ = failure.message();
    boost::system::error_code ignored;
    sockets_[index].close(ignored);
    start_next(self);
    return;
  }
  winner_ = static_cast<int>(index);
  wakeup_.notify();
}

void Race::cancel() {
  cancelled_ = true;
  wakeup_.notify();
}

void Race::close_all_but(int winner) {
  next_address_->disarm();
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    boost::system::error_code ignored;
    if (static_cast<int>(i) != winner) sockets_[i].close(ignored);
  }
}

asio::awaitable<Result<Transport::Socket>> Race::run(std::shared_ptr<Race> race,
                                                     RaceTiming timing) {
  race->second_address_ = timing.second_address;
  Alarm deadline(race->wakeup_);
  race->loop_.wheel().arm(deadline, timing.until);
  race->start_next(race);
  co_await race->wakeup_.wait();
  const bool timed_out = !race->over();
  race->failed_ = race->failed_ || timed_out;
  race->close_all_but(race->winner_);
  if (race->cancelled_) co_return fail(ErrorCode::cancelled, "connection attempt was given up");
  if (timed_out) co_return fail(ErrorCode::connect, "connection attempt timed out");
  if (race->winner_ < 0) co_return fail(ErrorCode::connect, race->last_failure_);
  co_return std::move(race->sockets_[static_cast<std::size_t>(race->winner_)]);
}

}  // namespace nl::http
