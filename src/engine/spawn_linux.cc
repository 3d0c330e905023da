#ifdef __linux__

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <utility>

#include "engine/sandbox_linux.h"
#include "engine/spawn.h"

namespace nl::engine {
namespace {

constexpr int kReport = 3;  // the descriptor on which a child tells why it could not start

// Everything the child needs, made before the fork: no allocation is allowed after it.
struct Orders {
  std::vector<char*> argv;
  std::vector<sock_filter> filter;
  rlimit memory{};
  rlimit files{};
  int niceness = 0;
  std::string oom_score;
  pid_t parent = 0;
  int output = -1;
  int report = -1;
};

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }
  void reset(int value = -1) {
    if (value_ >= 0) ::close(value_);
    value_ = value;
  }

 private:
  int value_;
};

// --- In the child: only calls that are safe between fork and exec. ---

[[noreturn]] void give_up(int report) {
  const int why = errno;
  (void)!::write(report, &why, sizeof why);
  ::_exit(127);
}

void close_others() {
  if (::syscall(SYS_close_range, kReport + 1, ~0U, 0) == 0) return;
  rlimit limit{};
  const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536;
  const int most = known ? static_cast<int>(limit.rlim_cur) : 65536;
  for (int descriptor = kReport + 1; descriptor < most; ++descriptor) ::close(descriptor);
}

// Standard streams and the report get the first four numbers; nothing else stays open.
int arrange_descriptors(const Orders& orders) {
  // Copies above the four first, so that no dup2 closes what is still needed.
  const int output = ::fcntl(orders.output, F_DUPFD, kReport + 1);
  const int report = ::fcntl(orders.report, F_DUPFD, kReport + 1);
  if (output < 0 || report < 0) give_up(orders.report);
  const int nowhere = ::open("/dev/null", O_RDONLY);
  if (nowhere < 0) give_up(report);
  const bool arranged = ::dup2(nowhere, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                        ::dup2(output, STDERR_FILENO) >= 0 && ::dup2(report, kReport) >= 0;
  if (!arranged) give_up(report);
  // Closed by the exec itself: that is how the parent learns of success.
  if (::fcntl(kReport, F_SETFD, FD_CLOEXEC) != 0) give_up(kReport);
  close_others();
  return kReport;
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Where this process is not dumpable its files in /proc belong to root: the parent tries again.
void raise_oom_score(const Orders& orders) {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY);
  if (file < 0) return;
  (void)!::write(file, orders.oom_score.data(), orders.oom_score.size());
  ::close(file);
}

// Started by root it must not stay root in more than name. Nobody else has any to lose.
void drop_capabilities() {
  for (unsigned long capability = 0; capability < 64; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  (void)::syscall(SYS_capset, &header, none);
}

[[noreturn]] void become_child(const Orders& orders) {
  // The signal comes when the parent dies from now on; before, it has another pid already.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) give_up(orders.report);
  if (::getppid() != orders.parent) ::_exit(127);
  ::setpgid(0, 0);
  const int report = arrange_descriptors(orders);
  reset_signals();
  raise_oom_score(orders);
  ::setpriority(PRIO_PROCESS, 0, orders.niceness);
  ::umask(077);
  if (::chdir("/") != 0) give_up(report);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_NOFILE, &orders.files);
  if (orders.memory.rlim_max > 0) ::setrlimit(RLIMIT_AS, &orders.memory);
  drop_capabilities();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(report);
  if (!orders.filter.empty()) {
    const sock_fprog program{static_cast<unsigned short>(orders.filter.size()),
                             const_cast<sock_filter*>(orders.filter.data())};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) give_up(report);
  }
  char* const no_environment[] = {nullptr};
  ::execve(orders.argv.front(), orders.argv.data(), no_environment);
  give_up(report);
}

// --- In the parent. ---

Error said_by_system(const std::string& what, int error) {
  return Error(ErrorCode::io, what + ": " + std::strerror(error));
}

bool open_pipe(Descriptor& reading, Descriptor& writing) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  reading.reset(ends[0]);
  writing.reset(ends[1]);
  return true;
}

// 0 = the program runs, else why it does not.
int await_exec(int report) {
  int why = 0;
  ssize_t got = -1;
  do {
    got = ::read(report, &why, sizeof why);
  } while (got < 0 && errno == EINTR);
  return got == sizeof why ? why : 0;
}

void raise_oom_score_of(pid_t pid, const std::string& score) {
  const std::string path = "/proc/" + std::to_string(pid) + "/oom_score_adj";
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() >= 0) (void)!::write(file.get(), score.data(), score.size());
}

Orders make_orders(const SpawnOptions& options) {
  Orders orders;
  for (const std::string& argument : options.arguments) {
    orders.argv.push_back(const_cast<char*>(argument.c_str()));
  }
  orders.argv.push_back(nullptr);
  orders.filter = network_filter();
  orders.memory = {options.memory_bytes_max, options.memory_bytes_max};
  orders.files = {options.files_max, options.files_max};
  orders.niceness = options.niceness;
  orders.oom_score = std::to_string(options.oom_score_adjust);
  orders.parent = ::getpid();
  return orders;
}

}  // namespace

int open_process(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

Result<Begun> begin_spawn(const SpawnOptions& options) {
  assert(!options.arguments.empty());
  Orders orders = make_orders(options);
  Descriptor output, output_end, report, report_end;
  if (!open_pipe(output, output_end) || !open_pipe(report, report_end)) {
    return std::unexpected(said_by_system("pipe", errno));
  }
  orders.output = output_end.get();
  orders.report = report_end.get();
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(said_by_system("fork", errno));
  if (pid == 0) become_child(orders);
  ::setpgid(pid, pid);  // both sides do it: whoever comes first
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  Begun begun;
  begun.spawned.pid = pid;
  begun.spawned.pid_descriptor = open_process(pid);
  begun.spawned.network = orders.filter.empty() ? NetworkRule::open : NetworkRule::unix_only;
  begun.spawned.output = output.release();
  begun.report = report.release();
  begun.program = options.arguments.front();
  begun.oom_score = orders.oom_score;
  return begun;
}

Result<Spawned> finish_spawn(const Begun& begun) {
  const Descriptor report(begun.report);
  const pid_t pid = begun.spawned.pid;
  const int why = await_exec(report.get());
  if (why != 0) {
    kill_group(pid, SIGKILL);
    while (wait_now(pid).what == Wait::running) ::usleep(1000);
    const Descriptor output(begun.spawned.output);
    const Descriptor process(begun.spawned.pid_descriptor);
    return std::unexpected(said_by_system(begun.program, why));
  }
  raise_oom_score_of(pid, begun.oom_score);
  return begun.spawned;
}

}  // namespace nl::engine

#endif
