// The vendor's OpenAI SDK (Chat Completions) in a tool loop.
// Usage: node openai_sdk.mjs '{"base":"http://.../v1"}'
import { bash, load, options as o, pixel, run, schema } from "./agent.mjs";

const { default: OpenAI } = load("openai");
const client = new OpenAI({
  baseURL: o.base,
  apiKey: o.token || o.key,
  maxRetries: o.maxRetries,
  timeout: o.timeoutMs,
  defaultHeaders: o.headers,
});

const image = { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } };
const messages = [
  ...(o.system ? [{ role: "system", content: o.system }] : []),
  { role: "user", content: o.image ? [{ type: "text", text: o.prompt }, image] : o.prompt },
];

function request() {
  const made = { name: "Bash", description: "Runs a command", parameters: schema };
  return {
    model: o.model,
    max_completion_tokens: o.maxTokens,
    messages,
    ...(o.tools ? { tools: [{ type: "function", function: made }] } : {}),
    ...(o.stream ? { stream_options: { include_usage: true } } : {}),
    ...o.request,
  };
}

async function ask() {
  const signal = o.abortAfterMs ? AbortSignal.timeout(o.abortAfterMs) : undefined;
  if (!o.stream) {
    const call = client.chat.completions.create(request(), { signal });
    const { data, response } = await call.withResponse();
    return { whole: data, response, chunks: 0 };
  }
  let chunks = 0;
  const stream = client.chat.completions.stream(request(), { signal });
  stream.on("chunk", () => chunks++);
  return { whole: await stream.finalChatCompletion(), response: null, chunks };
}

await run(async () => {
  const { whole, response, chunks } = await ask();
  const choice = whole.choices[0];
  const calls = choice.message.tool_calls ?? [];
  messages.push(choice.message);
  const results = calls.map((c) => ({
    role: "tool",
    tool_call_id: c.id,
    content: bash(JSON.parse(c.function.arguments)),
  }));
  messages.push(...(o.reverse ? results.reverse() : results));
  return {
    id: whole.id,
    model: whole.model,
    text: choice.message.content ?? "",
    stop: choice.finish_reason,
    calls: calls.map((c) => ({ id: c.id, name: c.function.name, input: c.function.arguments })),
    usage: whole.usage ?? null,
    chunks,
    headers: Object.fromEntries([...(response?.headers ?? [])].filter(([k]) => /^x-night/.test(k))),
  };
});
