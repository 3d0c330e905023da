#include "base/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace nl {
namespace {

bool executable(const std::string& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(file.c_str(), X_OK) == 0;
}

std::vector<char*> argv_of(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

Error said_by_system(const std::string& what) {
  return Error(ErrorCode::io, what + ": " + std::strerror(errno));
}

// In the grandchild: only calls that are safe after fork.
[[noreturn]] void exec_quietly(char* const* argv, int log) {
  const int nowhere = open("/dev/null", O_RDONLY);
  if (nowhere >= 0) dup2(nowhere, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(argv[0], argv);
  _exit(127);
}

}  // namespace

std::optional<std::string> find_program(std::string_view name, std::string_view path) {
  if (name.find('/') != std::string_view::npos) {
    std::string file(name);
    if (executable(file)) return file;
    return std::nullopt;
  }
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    // An empty or relative entry would mean the working directory.
    if (folder.starts_with('/')) {
      std::string file = std::string(folder) + "/" + std::string(name);
      if (executable(file)) return file;
    }
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  return std::nullopt;
}

std::string own_program() {
  char buffer[4096];
  const ssize_t size = readlink("/proc/self/exe", buffer, sizeof buffer);
  if (size <= 0 || static_cast<std::size_t>(size) == sizeof buffer) return "";
  return std::string(buffer, static_cast<std::size_t>(size));
}

Result<void> start_detached(const std::vector<std::string>& arguments,
                            const std::string& log_path) {
  const std::vector<char*> argv = argv_of(arguments);
  const int log =
      open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (log < 0) return std::unexpected(said_by_system(log_path));
  const pid_t child = fork();
  if (child < 0) {
    const Error error = said_by_system("fork");
    close(log);
    return std::unexpected(error);
  }
  if (child == 0) {
    setsid();
    // The second fork makes it nobody's child, so that the client we become gets no stranger.
    const pid_t grandchild = fork();
    if (grandchild == 0) exec_quietly(argv.data(), log);
    _exit(grandchild < 0 ? 1 : 0);
  }
  close(log);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return fail(ErrorCode::io, "the system refused another process");
  return {};
}

Result<int> run_in_foreground(const std::vector<std::string>& arguments) {
  const std::vector<char*> argv = argv_of(arguments);
  struct sigaction ignored {};
  struct sigaction before {};
  ignored.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignored, &before);
  const pid_t child = fork();
  if (child == 0) {
    sigaction(SIGINT, &before, nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  const int refused = errno;
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  sigaction(SIGINT, &before, nullptr);
  if (child < 0) {
    return fail(ErrorCode::io,
                std::string("the system refused another process: ") + std::strerror(refused));
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Error become(const std::vector<std::string>& arguments) {
  const std::vector<char*> argv = argv_of(arguments);
  execv(argv[0], argv.data());
  return said_by_system(arguments.front());
}

Error become(const std::string& program, const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment) {
  const std::vector<char*> argv = argv_of(arguments);
  const std::vector<char*> variables = argv_of(environment);
  execve(program.c_str(), argv.data(), variables.data());
  return said_by_system(program);
}

}  // namespace nl
