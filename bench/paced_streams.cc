// paced_streams: both ends of streams that tell how long their events were on the way.
//
//   paced_streams cloud EVENTS MILLISECONDS        prints its port; answers until it is killed
//   paced_streams windows PORT WINDOWS FILE...     prints each event's delay, in milliseconds
//
// The cloud answers every request in Anthropic's dialect with EVENTS texts, one each MILLISECONDS;
// each says when it was sent. A window sends the requests in its FILEs (window i has files i,
// i + WINDOWS and so on; a file is one whole request), each after the answer to the one before.
// Both ends are cheap, one blocking thread a stream: what they cost is in every delay, and costs
// more where a core is busy. Any failure ends the program with a line.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::string_view kMark = "sent@";

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "paced_streams: {}\n", why);
  std::fflush(nullptr);
  ::_exit(1);  // other threads are at work
}

long number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) {
    give_up(fmt::format("{} is no number above 0", text));
  }
  return value;
}

void send_chunk(tcp::socket& to, std::string_view kind, std::string_view rest) {
  const std::string data =
      fmt::format("event: {}\ndata: {{\"type\":\"{}\"{}}}\n\n", kind, kind, rest);
  asio::write(to, asio::buffer(fmt::format("{:x}\r\n{}\r\n", data.size(), data)));
}

void answer(tcp::socket& to, long events, std::chrono::milliseconds pace) {
  asio::write(to, asio::buffer(std::string_view("HTTP/1.1 200 OK\r\n"
                                                "content-type: text/event-stream\r\n"
                                                "transfer-encoding: chunked\r\n\r\n")));
  send_chunk(to, "message_start",
             R"(,"message":{"id":"msg_1","type":"message","role":"assistant","content":[],)"
             R"("model":"m-1","stop_reason":null,"stop_sequence":null,)"
             R"("usage":{"input_tokens":1,"output_tokens":1}})");
  send_chunk(to, "content_block_start", R"(,"index":0,"content_block":{"type":"text","text":""})");
  for (long i = 0; i < events; ++i) {
    std::this_thread::sleep_for(pace);
    send_chunk(to, "content_block_delta",
               fmt::format(R"(,"index":0,"delta":{{"type":"text_delta","text":"{}{} "}})", kMark,
                           now_ns()));
  }
  send_chunk(to, "content_block_stop", R"(,"index":0)");
  send_chunk(to, "message_delta",
             R"(,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1})");
  send_chunk(to, "message_stop", "");
  asio::write(to, asio::buffer(std::string_view("0\r\n\r\n")));
}

// The length of the body that `head` announces.
std::size_t body_length(std::string_view head) {
  constexpr std::string_view kLength = "content-length: ";
  std::string lower(head);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t at = lower.find(kLength);
  if (at == std::string::npos) give_up("a request without a length");
  const std::size_t from = at + kLength.size();
  return static_cast<std::size_t>(number(head.substr(from, head.find('\r', from) - from)));
}

void serve(tcp::socket peer, long events, std::chrono::milliseconds pace) {
  try {
    peer.set_option(tcp::no_delay(true));
    std::string inbox;
    for (;;) {
      const std::size_t head =
          asio::read_until(peer, asio::dynamic_buffer(inbox), std::string_view("\r\n\r\n"));
      const std::size_t whole = head + body_length(std::string_view(inbox).substr(0, head));
      if (whole > inbox.size()) {
        asio::read(peer, asio::dynamic_buffer(inbox), asio::transfer_exactly(whole - inbox.size()));
      }
      inbox.erase(0, whole);
      answer(peer, events, pace);
    }
  } catch (const boost::system::system_error&) {
    // The gateway has no more use for this connection.
  }
}

[[noreturn]] void cloud(long events, std::chrono::milliseconds pace) {
  asio::io_context io;
  tcp::acceptor door(io, {asio::ip::address_v4::loopback(), 0});
  fmt::print("{}\n", door.local_endpoint().port());
  std::fflush(stdout);
  std::vector<std::jthread> served;
  for (;;) served.emplace_back(serve, door.accept(), events, pace);
}

// Takes the stamps out of `text`, which may end within one; returns the part still to be looked at.
std::size_t take_stamps(std::string_view text, std::int64_t now, std::vector<double>& delays) {
  std::size_t from = 0;
  for (;;) {
    const std::size_t mark = text.find(kMark, from);
    if (mark == std::string_view::npos) {
      return text.size() - std::min(text.size() - from, kMark.size() - 1);
    }
    const std::size_t digits = mark + kMark.size();
    const std::size_t end = text.find(' ', digits);
    if (end == std::string_view::npos) return mark;
    delays.push_back(static_cast<double>(now - number(text.substr(digits, end - digits))) / 1e6);
    from = end;
  }
}

// Sends one request and reads its answer to the end.
void ask(unsigned short port, const std::string& request, std::vector<double>& delays) {
  constexpr std::string_view kEnd = "\r\n0\r\n\r\n";
  asio::io_context io;
  tcp::socket peer(io);
  peer.connect({asio::ip::address_v4::loopback(), port});
  peer.set_option(tcp::no_delay(true));
  asio::write(peer, asio::buffer(request));
  std::string inbox;
  std::vector<char> part(65536);
  std::size_t looked = 0;
  while (!std::string_view(inbox).ends_with(kEnd)) {
    const std::size_t got = peer.read_some(asio::buffer(part));
    const std::int64_t now = now_ns();
    inbox.append(part.data(), got);
    looked += take_stamps(std::string_view(inbox).substr(looked), now, delays);
  }
  if (!inbox.starts_with("HTTP/1.1 200")) give_up(inbox);
}

void windows(unsigned short port, std::size_t count, const std::vector<std::string>& files) {
  std::vector<std::vector<double>> delays(count);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      try {
        for (std::size_t file = i; file < files.size(); file += count) {
          std::ifstream in(files[file], std::ios::binary);
          ask(port, {std::istreambuf_iterator<char>(in), {}}, delays[i]);
        }
      } catch (const std::exception& error) {
        give_up(error.what());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<double>& of_one : delays) {
    for (const double delay : of_one) fmt::print("{:.4f}\n", delay);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3 && words[0] == "cloud") {
    cloud(number(words[1]), std::chrono::milliseconds(number(words[2])));
  }
  if (words.size() < 4 || words[0] != "windows") {
    give_up("cloud EVENTS MILLISECONDS, or windows PORT WINDOWS FILE...");
  }
  windows(static_cast<unsigned short>(number(words[1])), static_cast<std::size_t>(number(words[2])),
          {words.begin() + 3, words.end()});
}
