#include "base/process_filter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

namespace nl {
namespace {

constexpr int kDescriptorsMax = 1024;
constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

std::unexpected<Error> refused(const std::string& what) {
  return fail(ErrorCode::io, what + ": " + std::strerror(errno));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> made;
  for (const std::string& text : texts) made.push_back(const_cast<char*>(text.c_str()));
  made.push_back(nullptr);
  return made;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  void reset() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

// A file without a name that holds `input`, at its start; -1 and errno when that failed.
int nameless_file(std::string_view input) {
#ifdef __linux__
  const int file = memfd_create("input", MFD_CLOEXEC);
#else
  std::FILE* made = std::tmpfile();
  const int file = made == nullptr ? -1 : fcntl(fileno(made), F_DUPFD_CLOEXEC, 0);
  if (made != nullptr) std::fclose(made);
#endif
  while (file >= 0 && !input.empty()) {
    const ssize_t written = write(file, input.data(), input.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      close(file);
      return -1;
    }
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  if (file >= 0) lseek(file, 0, SEEK_SET);
  return file;
}

// Made before the fork: nothing may be allocated after it.
struct Orders {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  int input = -1;
  int output = -1;
  pid_t parent = -1;
  rlim_t memory_bytes = 0;
  rlim_t processor_seconds = 0;
};

template <typename Resource>
void limit(Resource resource, rlim_t most) {
  const rlimit both{most, most};
  setrlimit(resource, &both);
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(const Orders& orders) {
  setsid();
  dup2(orders.input, STDIN_FILENO);
  dup2(orders.output, STDOUT_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  for (int descriptor = STDERR_FILENO + 1; descriptor < kDescriptorsMax; ++descriptor) {
    close(descriptor);
  }
  signal(SIGPIPE, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, orders.processor_seconds);
  if (orders.memory_bytes != 0) limit(RLIMIT_AS, orders.memory_bytes);
#ifdef __linux__
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != orders.parent) _exit(127);
#endif
  if (chdir("/") != 0) _exit(127);
  execve(orders.arguments.front(), orders.arguments.data(), orders.environment.data());
  _exit(127);
}

struct Bounds {
  Instant until;
  std::size_t output_bytes_max = 0;
};

// Reads until the end of `pipe` or a bound; which bound it was, if any.
std::optional<FilterEnd> collect(int pipe, const Bounds& bounds, std::string& output) {
  const SystemClock clock;
  std::string piece(kReadBytes, '\0');
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(bounds.until - clock.now()).count();
    if (left <= 0) return FilterEnd::timed_out;
    pollfd waiting{pipe, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t size = read(pipe, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    if (output.size() + static_cast<std::size_t>(size) > bounds.output_bytes_max) {
      return FilterEnd::too_much;
    }
    output.append(piece, 0, static_cast<std::size_t>(size));
  }
}

// Its status. One that closed its output and goes on is ended at `until`.
int wait_for(pid_t pid, Instant until) {
  const SystemClock clock;
  int status = 0;
  while (clock.now() < until) {
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// The same descriptor above the standard ones, which the child's are copied over.
int above_standard(int descriptor) {
  if (descriptor < 0) return descriptor;
  const int raised = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  close(descriptor);
  return raised;
}

}  // namespace

Result<FilterOutcome> run_filter(const FilterOrder& order) {
  assert(!order.arguments.empty());
  if (access(order.arguments.front().c_str(), X_OK) != 0) return refused(order.arguments.front());
  const Descriptor input(above_standard(nameless_file(order.input)));
  if (input.get() < 0) return refused("a file for the input");
  int ends[2];
  if (pipe(ends) != 0) return refused("pipe");
  const Descriptor from(above_standard(ends[0]));
  Descriptor to(above_standard(ends[1]));
  if (from.get() < 0 || to.get() < 0) return refused("pipe");

  Orders orders;
  orders.arguments = pointers(order.arguments);
  orders.environment = pointers(order.environment);
  orders.input = input.get();
  orders.output = to.get();
  orders.parent = getpid();
  orders.memory_bytes = order.memory_bytes_max;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(order.time_max).count();
  orders.processor_seconds = static_cast<rlim_t>(seconds) + 1;
  const pid_t pid = fork();
  if (pid == 0) become(orders);
  if (pid < 0) return refused("fork");
  to.reset();

  FilterOutcome outcome;
  const Bounds bounds{SystemClock().now() + order.time_max, order.output_bytes_max};
  const std::optional<FilterEnd> bound = collect(from.get(), bounds, outcome.output);
  if (bound) kill(pid, SIGKILL);
  const int status = wait_for(pid, bounds.until);
  outcome.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  if (bound) {
    outcome.end = *bound;
  } else if (WIFSIGNALED(status)) {
    outcome.end = outcome.status == SIGXCPU ? FilterEnd::timed_out : FilterEnd::crashed;
  } else {
    outcome.end = outcome.status == 0 ? FilterEnd::done : FilterEnd::failed;
  }
  return outcome;
}

}  // namespace nl
