// The built-in profiles, as the files that a user would write. Data; profiles.cc reads them.
//
// Words of our own: no client's prompt text is repeated here. `marks`, `begins`, `ends`, `keep*`
// and `leave_*` hold the few words by which a client's parts are known.
#pragma once

#include <array>
#include <string_view>

namespace nl::app {

inline constexpr std::array<std::string_view, 3> kBuiltInProfiles = {
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
)",
    R"(
# How opencode's requests are put for a model on this machine. A copy of this file in
# ~/.config/nightlight/profiles/, changed, takes its place.
name = "opencode"
agents = ["opencode/*"]

# Its prompts differ with the model's name; they begin alike. Agents with a prompt of the user's,
# and its small calls (titles), are kept whole.
marks = ["You are opencode,", "You are OpenCode,"]
# From here on it tells of the machine, the project's and the user's AGENTS.md, and skills.
begins = ["Here is some useful information", "<env>", "Instructions from:"]
system = """
You are a coding agent in a terminal. Work towards the user's goal with the tools given; act, then \
say briefly what you did.
Rules:
- Read a file before you change it; make the smallest change that does the job; keep the \
project's style.
- Find things with grep and glob; run the project's tests and checks after a change.
- Call tools with exactly the fields of their schema. Paths are absolute. Never invent a result.
- If a call was refused or failed, read why and do something else; do not repeat it.
- Ask before anything that destroys data or leaves this machine. Commit only when you are asked to.
- Answer in a few lines of Markdown; name code as path:line. Texts in <system-reminder> come from \
the tool, not from the user; follow them.
"""

core_tools = ["bash", "read", "edit", "write", "apply_patch", "grep", "glob"]
description_bytes = 160
property_bytes = 64

[[tool]]
name = "bash"
description = """Runs a shell command and gives its output. Quote paths with spaces; state \
workdir instead of cd, and a timeout in milliseconds for slow commands."""
keep = ["Be aware", "Use `"]  # paragraphs of the client's that stay
[[tool]]
name = "read"
description = """Gives a file's lines with their numbers, or a folder's entries; offset and limit \
for a part of a long file."""
[[tool]]
name = "edit"
description = """Replaces oldString by newString in a file that was read before, without the line \
numbers that read shows. oldString must occur exactly once, or set replaceAll."""
[[tool]]
name = "write"
description = "Writes a whole file, replacing what is there. Read it first if it exists."
[[tool]]
name = "apply_patch"
description = """Changes files. patchText is a line *** Begin Patch, then per file one line \
*** Add File: PATH, *** Update File: PATH or *** Delete File: PATH and its lines, then \
*** End Patch. In an added file each line starts with +. In an updated one, after a line that \
starts with @@, lines start with - (taken out), + (put in) or a space (stay, a few around the \
change)."""
[[tool]]
name = "grep"
description = "Searches file contents for a regular expression; include limits it to some files."
[[tool]]
name = "glob"
description = "Lists files whose paths match a pattern."
[[tool]]
name = "task"
description = """Hands a self-contained task to a helper, who sees only the prompt and answers \
once. subagent_type is one of these:"""
keep = ["Available agent types"]
[[tool]]
name = "skill"
description = "Loads one of the skills that the system text lists."
[[tool]]
name = "todowrite"
description = """Keeps the list of steps of a longer task: always the whole list. status: pending, \
in_progress (one at a time), completed or cancelled; priority: high, medium or low."""
[[tool]]
name = "webfetch"
description = "Fetches a web page as text, markdown or html."
)",
    R"(
# How Qwen Code's requests are put for a model on this machine. A copy of this file in
# ~/.config/nightlight/profiles/, changed, takes its place.
name = "qwen-code"
agents = ["QwenCode/*"]

marks = ["You are Qwen Code,"]
# From here on: tools to be looked up, QWEN.md and AGENTS.md, the memory, what the user appended.
begins = ["## Deferred Tools", "---"]
ends = ["# Final Reminder"]  # its own last paragraph, where nothing of that follows
keep_sections = ["# Outside of Sandbox", "# Sandbox", "# macOS Seatbelt", "# Git Repository"]
system = """
You are a coding agent in a terminal. Work towards the user's goal with the tools given; act, then \
say briefly what you did.
Rules:
- Read a file before you change it; make the smallest change that does the job; keep the \
project's style.
- Find things with grep_search and glob; run the project's tests and checks after a change.
- Call tools with exactly the fields of their schema. Paths are absolute. Never invent a result.
- If a call was refused or failed, read why and do something else; do not repeat it.
- Ask before anything that destroys data or leaves this machine. Commit only when you are asked to.
- Answer in a few lines of Markdown; name code as path:line. Texts in <system-reminder> come from \
the tool, not from the user; follow them.
- The section headed by a path to MEMORY.md, if there is one, lists what earlier conversations \
left. When the user wants something remembered, write it to a file of its own beside MEMORY.md and \
add a line with its name there.
"""

# Of the sections that are kept, not of the user's texts.
leave_out = [
  "- When asked to commit",
  "  - `git ",
  "    - `git ",
  "- Combine shell",
  "- Always propose",
  "- Prefer commit",
  "- Keep the user",
  "- After each commit",
  "- If a commit fails",
]
# How to keep a memory, at length; what is in it stays.
leave_sections = [
  "# auto memory",
  "## Types of memory",
  "## What NOT to save",
  "## How to save memories",
  "## When to access memories",
  "## Before recommending",
  "## Memory and other forms",
]

core_tools = [
  "run_shell_command",
  "read_file",
  "edit",
  "write_file",
  "grep_search",
  "glob",
  "list_directory",
]
description_bytes = 160
property_bytes = 64

[[tool]]
name = "run_shell_command"
description = """Runs a shell command and gives its output. Quote paths with spaces; state a \
timeout in milliseconds for slow commands; is_background for one that does not end by itself."""
[[tool]]
name = "read_file"
description = "Gives a file's text; offset (from 0) and limit, in lines, for a part of a long file."
[[tool]]
name = "edit"
description = """Replaces old_string by new_string in a file that was read before. old_string \
must occur exactly once, or set replace_all."""
[[tool]]
name = "write_file"
description = "Writes a whole file, replacing what is there."
[[tool]]
name = "grep_search"
description = "Searches file contents for a regular expression; glob limits it to some files."
[[tool]]
name = "glob"
description = "Lists files whose paths match a pattern."
[[tool]]
name = "list_directory"
description = "Lists what is right in a folder."
[[tool]]
name = "agent"
description = """Hands a self-contained task to a helper, who sees only the prompt and answers \
once. subagent_type is one of these:"""
keep = ["Available agent types"]
[[tool]]
name = "skill"
description = "Runs one of these skills, by its name:"
keep = ["<available_skills>"]
[[tool]]
name = "tool_search"
description = """Loads tools that the section Deferred Tools names, for later calls. query: \
select:NAME,NAME or words to look for."""
[[tool]]
name = "todo_write"
description = """Keeps the list of steps of a longer task: always the whole list. status: pending, \
in_progress (one at a time) or completed."""
[[tool]]
name = "web_fetch"
description = "Fetches a web page and answers the prompt about it."
[[tool]]
name = "monitor"
description = """Runs a command that goes on in the background; each line that it prints is told \
to you. Not for commands that end by themselves."""
[[tool]]
name = "send_message"
description = "Sends a text to a task in the background."
)"};

}  // namespace nl::app
