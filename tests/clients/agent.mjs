// The part both SDK clients share: options, the pretend tools, and the JSON result lines.
// Options come as one JSON argument; every line printed is one JSON object.
import { createRequire } from "node:module";
import path from "node:path";
import url from "node:url";

const here = path.dirname(url.fileURLToPath(import.meta.url));
const folder = process.env.NL_CLIENTS ?? here;
export const load = createRequire(path.join(folder, "resolve.js"));

export const options = {
  base: "",            // base URL as the SDK takes it
  key: "sk-test",
  token: "",           // a bearer token instead of the key (Anthropic)
  model: "claude-opus-5-5",
  stream: true,
  tools: true,
  prompt: "Run one shell command to print a greeting, then say done.",
  system: "",
  maxTokens: 1000,
  maxRetries: 0,
  timeoutMs: 60000,
  maxTurns: 8,
  reverse: false,      // give the tool results back in the opposite order
  image: false,        // put an image into each tool result and into the prompt
  thinking: false,
  headers: {},
  abortAfterMs: 0,     // the client walks away
  request: {},         // further fields for the request body
  ...JSON.parse(process.argv[2] ?? "{}"),
};

// A PNG of one pixel.
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9" +
  "awAAAABJRU5ErkJggg==";

export const schema = {
  type: "object",
  properties: { command: { type: "string" }, description: { type: "string" } },
  required: ["command"],
};

export function print(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

// Only `echo WORD` exists in this pretend shell.
export function bash(input) {
  const said = /^echo (.*)$/.exec(input?.command ?? "");
  return said ? said[1] : `no such command: ${JSON.stringify(input)}`;
}

export function describe(error) {
  return {
    class: error?.constructor?.name ?? typeof error,
    status: error?.status ?? null,
    message: String(error?.message ?? error).slice(0, 400),
    body: error?.error ?? null,
    retryAfter: error?.headers?.get?.("retry-after") ?? null,
  };
}

// Runs turn() until it reports that nothing is left to do; prints an error line when it throws.
export async function run(turn) {
  const started = Date.now();
  try {
    for (let n = 1; n <= options.maxTurns; n++) {
      const t0 = Date.now();
      const line = await turn(n);
      print({ turn: n, ms: Date.now() - t0, ...line });
      if (!line.calls?.length) break;
    }
    print({ done: true, ms: Date.now() - started });
  } catch (error) {
    print({ error: describe(error), ms: Date.now() - started });
    process.exitCode = 1;
  }
}
