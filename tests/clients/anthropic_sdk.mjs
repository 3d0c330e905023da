// The vendor's Anthropic SDK in a tool loop. Usage: node anthropic_sdk.mjs '{"base":"http://..."}'
import { bash, load, options as o, pixel, run, schema } from "./agent.mjs";

const { default: Anthropic } = load("@anthropic-ai/sdk");
const client = new Anthropic({
  baseURL: o.base,
  apiKey: o.token ? null : o.key,
  authToken: o.token || null,
  maxRetries: o.maxRetries,
  timeout: o.timeoutMs,
  defaultHeaders: o.headers,
});

const image = { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } };
const messages = [
  { role: "user", content: o.image ? [image, { type: "text", text: o.prompt }] : o.prompt },
];

function request() {
  const tools = [{ name: "Bash", description: "Runs a command", input_schema: schema }];
  return {
    model: o.model,
    max_tokens: o.maxTokens,
    messages,
    ...(o.system ? { system: o.system } : {}),
    ...(o.tools ? { tools } : {}),
    ...(o.thinking ? { thinking: { type: "adaptive" } } : {}),
    ...o.request,
  };
}

async function ask() {
  const signal = o.abortAfterMs ? AbortSignal.timeout(o.abortAfterMs) : undefined;
  if (!o.stream) {
    const { data, response } = await client.messages.create(request(), { signal }).withResponse();
    return { message: data, response, events: null };
  }
  const events = {};
  const stream = client.messages.stream(request(), { signal });
  stream.on("streamEvent", (e) => (events[e.type] = (events[e.type] ?? 0) + 1));
  const message = await stream.finalMessage();
  return { message, response: stream.response, events };
}

await run(async () => {
  const { message, response, events } = await ask();
  const calls = message.content.filter((b) => b.type === "tool_use");
  messages.push({ role: "assistant", content: message.content });
  if (calls.length) {
    const results = calls.map((c) => ({
      type: "tool_result",
      tool_use_id: c.id,
      content: o.image ? [{ type: "text", text: bash(c.input) }, image] : bash(c.input),
    }));
    messages.push({ role: "user", content: o.reverse ? results.reverse() : results });
  }
  return {
    id: message.id,
    model: message.model,
    text: message.content.filter((b) => b.type === "text").map((b) => b.text).join(""),
    thinking: message.content.filter((b) => b.type === "thinking").length,
    stop: message.stop_reason,
    calls: calls.map((c) => ({ id: c.id, name: c.name, input: c.input })),
    usage: message.usage,
    events,
    headers: Object.fromEntries([...(response?.headers ?? [])].filter(([k]) => /^x-night/.test(k))),
  };
});
