#include "base/process_child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace nl {
namespace {

constexpr int kDescriptorsMax = 1024;
constexpr Duration kBetween = std::chrono::milliseconds(5);

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> made;
  for (const std::string& text : texts) made.push_back(const_cast<char*>(text.c_str()));
  made.push_back(nullptr);
  return made;
}

std::unexpected<Error> refused(const std::string& what) {
  return fail(ErrorCode::io, what + ": " + std::strerror(errno));
}

// Made before the fork: nothing may be allocated after it.
struct Orders {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* folder = nullptr;
  int output = -1;
  int errors = -1;
  pid_t parent = -1;
};

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(const Orders& orders) {
  if (orders.output >= 0) {
    setsid();
    const int nowhere = open("/dev/null", O_RDONLY);
    if (nowhere >= 0) dup2(nowhere, STDIN_FILENO);
    dup2(orders.output, STDOUT_FILENO);
    dup2(orders.errors >= 0 ? orders.errors : orders.output, STDERR_FILENO);
  }
  for (int descriptor = STDERR_FILENO + 1; descriptor < kDescriptorsMax; ++descriptor) {
    close(descriptor);
  }
  signal(SIGPIPE, SIG_DFL);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != orders.parent) _exit(127);
#endif
  if (chdir(orders.folder) != 0) _exit(127);
  execve(orders.arguments.front(), orders.arguments.data(), orders.environment.data());
  _exit(127);
}

int open_log(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<Child> Child::start(const ChildOrder& order) {
  Orders orders;
  orders.arguments = pointers(order.arguments);
  orders.environment = pointers(order.environment);
  orders.folder = order.folder.c_str();
  orders.parent = getpid();
  const bool has_log = !order.output.empty();
  if (has_log) {
    orders.output = open_log(order.output);
    if (orders.output < 0) return refused(order.output);
    if (!order.errors.empty()) orders.errors = open_log(order.errors);
  }
  const pid_t pid = fork();
  if (pid == 0) become(orders);
  const int why = errno;
  if (orders.output >= 0) close(orders.output);
  if (orders.errors >= 0) close(orders.errors);
  errno = why;
  if (pid < 0) return refused("fork");
  return Child(pid, has_log);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      leads_group_(other.leads_group_),
      status_(std::move(other.status_)) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  end(std::chrono::seconds(3));
  pid_ = std::exchange(other.pid_, -1);
  leads_group_ = other.leads_group_;
  status_ = std::move(other.status_);
  return *this;
}

std::optional<int> Child::poll() {
  if (status_ || pid_ < 0) return status_;
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) status_ = code_of(status);
  return status_;
}

void Child::signal(int number) const {
  ::kill(leads_group_ ? -pid_ : pid_, number);
}

int Child::end(Duration grace) {
  if (pid_ < 0) return -1;
  if (!poll()) {
    signal(SIGTERM);
    const SystemClock clock;
    const Instant until = clock.now() + grace;
    while (!poll() && clock.now() < until) std::this_thread::sleep_for(kBetween);
  }
  // What it started and left behind is in its group.
  if (leads_group_ || !status_) signal(SIGKILL);
  int status = 0;
  while (!status_) {
    const pid_t ended = waitpid(pid_, &status, 0);
    if (ended == pid_ || (ended < 0 && errno != EINTR)) status_ = code_of(status);
  }
  pid_ = -1;
  return *status_;
}

}  // namespace nl
