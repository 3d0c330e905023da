// Confinement: what a program that reads strangers' files gives up before it looks at them.
//
// For a process that only turns its standard input into its standard output with large libraries.
// Afterwards it can read what those need (their folders, fonts, character sets) and nothing else:
// no network, program, process or file of the user. A forbidden call fails with EPERM. Landlock and
// seccomp on Linux, x86-64 and ARM64, as far as the kernel has them; elsewhere resource limits
// alone. Call once, at the start, while one thread runs; it cannot be taken back.
#pragma once

namespace nl {

// What the system could be made to hold back.
struct Confinement {
  bool files = false;  // those outside of the system's folders
  bool calls = false;  // system calls but those of reading
};

Confinement confine_to_reading();

}  // namespace nl
