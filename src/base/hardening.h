// Hardening: what the process gives up at its start so that keys cannot leak from it.
//
// No core file, no ptrace or /proc/PID/environ by other processes of the same user, no death by a
// closed pipe. Best effort: a system without one of these goes on without it. Call once, before any
// key is read. System-specific calls live here alone.
#pragma once

namespace nl {

void harden_process();

}  // namespace nl
