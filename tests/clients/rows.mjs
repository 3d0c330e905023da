// Many single requests with the vendors' SDKs in one process. Reads one JSON object from stdin:
// {"at_once": 4, "rows": [{id, sdk, base, key, model, stream, tries, timeoutMs, request}]} and
// prints one JSON line per row: {id, tries: [{text, stop, calls, usage ... | error, partial}]}.
import fs from "node:fs";
import { describe, load, print } from "./agent.mjs";

const { default: Anthropic } = load("@anthropic-ai/sdk");
const { default: OpenAI } = load("openai");
const work = JSON.parse(fs.readFileSync(0, "utf8"));

function ours(response) {
  const all = [...(response?.headers ?? [])];
  return Object.fromEntries(all.filter(([name]) => /^x-night|^retry-after/.test(name)));
}

async function askAnthropic(row, seen) {
  const client = new Anthropic({
    baseURL: row.base, apiKey: row.key, maxRetries: 0, timeout: row.timeoutMs,
  });
  let message, response;
  if (row.stream) {
    const stream = client.messages.stream(row.request);
    stream.on("text", (part) => (seen.partial += part));
    message = await stream.finalMessage();
    response = stream.response;
  } else {
    ({ data: message, response } = await client.messages.create(row.request).withResponse());
  }
  return {
    text: message.content.filter((b) => b.type === "text").map((b) => b.text).join(""),
    model: message.model,
    stop: message.stop_reason,
    calls: message.content.filter((b) => b.type === "tool_use").map((b) => b.input),
    usage: message.usage,
    headers: ours(response),
  };
}

async function askOpenai(row, seen) {
  const client = new OpenAI({
    baseURL: row.base + "/v1", apiKey: row.key, maxRetries: 0, timeout: row.timeoutMs,
  });
  let whole, response;
  if (row.stream) {
    const stream = client.chat.completions.stream(row.request);
    stream.on("content", (part) => (seen.partial += part));
    whole = await stream.finalChatCompletion();
  } else {
    const call = client.chat.completions.create(row.request);
    ({ data: whole, response } = await call.withResponse());
  }
  const choice = whole.choices[0];
  return {
    text: choice.message.content ?? "",
    model: whole.model,
    stop: choice.finish_reason,
    calls: (choice.message.tool_calls ?? []).map((c) => JSON.parse(c.function.arguments)),
    usage: whole.usage ?? null,
    headers: ours(response),
  };
}

async function run(row) {
  const tries = [];
  for (let n = 0; n < (row.tries ?? 1); n++) {
    const started = Date.now();
    const seen = { partial: "" };
    try {
      const ask = row.sdk === "anthropic" ? askAnthropic : askOpenai;
      tries.push({ ...(await ask(row, seen)), ms: Date.now() - started });
    } catch (error) {
      tries.push({ error: describe(error), partial: seen.partial, ms: Date.now() - started });
    }
  }
  print({ id: row.id, tries });
}

const left = [...work.rows];
async function worker() {
  while (left.length) await run(left.shift());
}
await Promise.all(Array.from({ length: work.at_once ?? 4 }, worker));
