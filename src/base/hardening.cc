#include "base/hardening.h"

#include <sys/resource.h>

#include <csignal>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace nl {

void harden_process() {
  std::signal(SIGPIPE, SIG_IGN);
  struct rlimit none {};
  setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
  // Each stream holds two sockets: take what the system allows.
  struct rlimit files {};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kKept = 8 << 20;
  mallopt(M_TRIM_THRESHOLD, kKept);
  mallopt(M_MMAP_THRESHOLD, kKept / 2);
  mallopt(M_TOP_PAD, 256 << 10);
#endif
}

}  // namespace nl
