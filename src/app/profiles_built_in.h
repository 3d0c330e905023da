// The built-in profiles, as the files that a user would write. Data; profiles.cc reads them.
//
// Words of our own: no client's prompt text is repeated here. `marks`, `keep_sections` and
// `leave_out` hold the few words by which a client's parts are known.
#pragma once

#include <array>
#include <string_view>

namespace nl::app {

inline constexpr std::array<std::string_view, 1> kBuiltInProfiles = {
    R"(# How Claude Code's requests are put for a model on this machine. A copy of this file in
# ~/.config/nightlight/profiles/, changed, takes its place.
name = "claude-code"
agents = ["claude-cli/*"]  # the client's user-agent; * is special

# A system text with one of these in it is the client's own and gives way to `system`; the sections
# named below stay of it. Any other system text is kept whole.
marks = ["# Harness", "# Doing tasks", "# Tone and style"]
# Beginnings of its last paragraphs: what is behind them (--append-system-prompt) is the user's own.
ends = ["# Context management", "When you have enough", "Do build", "<total_tokens>"]
keep_sections = ["# Environment", "# Language", "# Output Style", "# MCP Server Instructions"]
system = """
You are a coding agent in a terminal. Work towards the user's goal with the tools given; act, then \
say briefly what you did.
Rules:
- Read a file before you change it; make the smallest change that does the job; keep the \
project's style.
- Find things with the search tools or with grep; run the tests after a change.
- Call tools with exactly the fields of their schema. Paths are absolute. Never invent a result.
- If a call was refused or failed, read why and do something else; do not repeat it.
- Ask before anything that destroys data or leaves this machine. Say plainly what failed.
- Answer in a few lines of Markdown; name code as path:line. Texts in <system-reminder> come from \
the tool, not from the user.
"""

# Beginnings of lines, and of paragraphs with the list behind them, that are left out of what stays
# and of the client's reminders.
leave_out = [
  "The following deferred tools",
  "The following skills",
  "Available agent types",
  "When you launch multiple agents",
  "You are powered by",
  "<total_tokens>",
  " - The most recent Claude",
  " - Claude Code is available",
  " - Fast mode",
  " - Downloaded files",
  " - In `curl`",
]

core_tools = ["Bash", "Read", "Edit", "Write", "Grep", "Glob"]
description_bytes = 160    # of a tool without words of ours below
property_bytes = 64        # of a field in a schema

[[tool]]
name = "Bash"
description = """Runs a shell command and gives its output. Quote paths with spaces; chain with \
&&; state a timeout in milliseconds for slow commands."""
[[tool]]
name = "Read"
description = "Gives a file's lines with their numbers; offset and limit for a part of a long file."
[[tool]]
name = "Edit"
description = """Replaces old_string by new_string in a file that was read before. old_string \
must occur exactly once, or set replace_all."""
[[tool]]
name = "Write"
description = "Writes a whole file, replacing what is there."
[[tool]]
name = "Grep"
description = "Searches file contents for a regular expression."
[[tool]]
name = "Glob"
description = "Lists files whose paths match a pattern."
[[tool]]
name = "Agent"
description = "Hands a self-contained task to a helper, who sees only the prompt and answers once."
[[tool]]
name = "Skill"
description = "Runs a named skill of the user's."
[[tool]]
name = "WebFetch"
description = "Fetches a web page and answers a question about it."
[[tool]]
name = "WebSearch"
description = "Searches the web."
)"};

}  // namespace nl::app
