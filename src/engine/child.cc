#include "engine/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <csignal>

#include "base/log.h"
#include "engine/last_lines.h"
#include "engine/memory_end.h"

namespace nl::engine {

namespace asio = boost::asio;

namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(50);

}  // namespace

struct Child::Watch {
  Watch(http::Loop& loop, const Spawned& spawned)
      : pid(spawned.pid),
        network(spawned.network),
        output(loop.io(), spawned.output),
        process(loop.io()),
        look(loop.io()) {
    if (spawned.pid_descriptor >= 0) process.assign(spawned.pid_descriptor);
  }
  ~Watch() {
    if (ended || released) return;
    kill_group(pid, SIGKILL);
    (void)wait_now(pid);
  }

  void note_end(const WaitResult& result) {
    ended = true;
    end = result.end;
    drain();
    boost::system::error_code ignored;
    output.close(ignored);
    process.close(ignored);
    if (changed != nullptr) changed->notify();
  }
  // What it said right before its end is the reason of it.
  void drain() {
    for (int i = 0; i < 64; ++i) {
      boost::system::error_code error;
      const std::size_t got = output.is_open() ? output.read_some(asio::buffer(buffer), error) : 0;
      if (error || got == 0) return;
      take(got);
    }
  }
  void take(std::size_t bytes) {
    lines.feed(std::string_view(buffer.data(), bytes),
               [](std::string_view line) { log::debug("engine: {}", line); });
  }

  static void read_output(std::shared_ptr<Watch> self) {
    Watch& watch = *self;
    watch.output.async_read_some(
        asio::buffer(watch.buffer),
        [self = std::move(self)](const boost::system::error_code& error, std::size_t bytes) {
          if (error || self->ended) return;
          self->take(bytes);
          if (self->released) return;
          read_output(self);
        });
  }
  static void await_end(std::shared_ptr<Watch> self) {
    Watch& watch = *self;
    const auto looked = [self](const boost::system::error_code& error) {
      if (error || self->released) return;
      const WaitResult result = wait_now(self->pid);
      if (result.what == Wait::running) return await_end(self);
      self->note_end(result);
    };
    if (watch.process.is_open()) {
      watch.process.async_wait(asio::posix::stream_descriptor::wait_read, looked);
    } else {
      watch.look.expires_after(kLookEvery);
      watch.look.async_wait(looked);
    }
  }

  pid_t pid;
  NetworkRule network;
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor process;
  asio::steady_timer look;
  std::array<char, 4096> buffer{};
  LastLines lines;
  http::Wakeup* changed = nullptr;
  bool ended = false;
  bool released = false;
  std::uint64_t kills_before = memory_kills();
  ChildEnd end;
};

Child::Child(http::Loop& loop, const Spawned& spawned, http::Wakeup& changed)
    : watch_(std::make_shared<Watch>(loop, spawned)) {
  watch_->changed = &changed;
  Watch::read_output(watch_);
  Watch::await_end(watch_);
}

Child::~Child() {
  watch_->changed = nullptr;
  if (!watch_->ended && !watch_->released) kill_group(watch_->pid, SIGKILL);
}

Spawned Child::release() {
  watch_->released = true;
  Spawned spawned;
  spawned.pid = watch_->pid;
  spawned.network = watch_->network;
  spawned.output = watch_->output.release();
  if (watch_->process.is_open()) spawned.pid_descriptor = watch_->process.release();
  watch_->look.cancel();
  return spawned;
}

pid_t Child::pid() const {
  return watch_->pid;
}
NetworkRule Child::network() const {
  return watch_->network;
}
bool Child::ended() const {
  return watch_->ended;
}

std::string Child::reason() const {
  const std::string said = watch_->lines.telling();
  const std::string how = describe(watch_->end);
  return said.empty() ? how : how + ": " + said;
}

bool Child::ended_for_memory() const {
  const std::uint64_t kills = memory_kills() - std::min(memory_kills(), watch_->kills_before);
  return engine::ended_for_memory(watch_->end, watch_->lines.all(), kills);
}

std::string Child::last_words() const {
  return watch_->lines.all();
}

void Child::ask_to_end() {
  if (!watch_->ended) kill_group(watch_->pid, SIGTERM);
}
void Child::kill() {
  if (!watch_->ended) kill_group(watch_->pid, SIGKILL);
}

std::uint64_t Child::resident_bytes() const {
#ifdef __linux__
  const std::string path = fmt::format("/proc/{}/statm", watch_->pid);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t got = ::read(file, text.data(), text.size());
  ::close(file);
  if (got <= 0) return 0;
  const std::string_view seen(text.data(), static_cast<std::size_t>(got));
  const std::string_view second = seen.substr(std::min(seen.find(' '), seen.size() - 1) + 1);
  std::uint64_t pages = 0;
  std::from_chars(second.data(), second.data() + second.size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
#else
  return 0;
#endif
}

}  // namespace nl::engine
