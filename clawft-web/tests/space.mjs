// `weft serve` at `url` with a network in between: it breaks where a test says so. `lose` answers to
// what was made are lost.
export function through(url) {
  const at = { lose: 0, down: false, seen: [], statuses: [], segments: new Map() };
  at.serve = async (request, response, { pathname, search }) => {
    if (!pathname.startsWith("/sync/v1/")) return false;
    const parts = [];
    for await (const data of request) parts.push(data);
    const { method, headers } = request;
    const path = pathname.slice("/sync/v1/".length) + search;
    at.seen.push({ method, path });
    if (at.down) return response.destroy(), true;
    const end = new AbortController();
    response.on("close", () => end.abort());
    const sent = Object.fromEntries(["authorization", "if-none-match", "content-type"].flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
    const body = Buffer.concat(parts);
    try {
      const answer = await fetch(new URL(pathname + search, url), { method, headers: sent, body: method === "PUT" ? body : undefined, signal: end.signal });
      const bytes = Buffer.from(await answer.arrayBuffer());
      at.statuses.push(`${method} ${answer.status}`);
      if (answer.status === 201) at.segments.set(path, body);
      if (answer.status === 201 && at.lose > 0) {
        at.lose -= 1;
        response.destroy();
      } else response.writeHead(answer.status).end(bytes);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
    return true;
  };
  at.release = () => undefined;
  return at;
}

// `/sync/v1` as `weft serve` has it, in memory: names are made once. `lose` answers are lost after
// they are done.
export function space() {
  const [segments, tokens, waiting, bases] = [new Map(), new Map(), new Set(), new Map()];
  const at = { lose: 0, down: false, seen: [], statuses: [], segments };
  const heads = (space) => {
    const found = {};
    for (const name of [...segments.keys()].sort()) {
      const [of, device, seq] = name.split("/");
      if (of === space) found[device] = seq;
    }
    const last = {};
    for (const [, { of, device, seq }] of [...bases].sort()) if (of === space) last[device] = seq;
    return { cursor: JSON.stringify(found).replace(/\W/g, ""), heads: found, bases: last };
  };
  // Status and body of a request; null where the connection breaks.
  at.answer = async (method, path, headers, body, signal) => {
    at.seen.push({ method, path });
    if (at.down) return null;
    const [of, what, seq] = path.split("?")[0].split("/");
    const token = headers.authorization;
    if (!token) return { status: 401 };
    if (tokens.has(of) && tokens.get(of) !== token) return { status: 403 };
    if (what === "heads") return { status: 200, body: JSON.stringify(heads(of)) };
    if (what === "wait") {
      const since = new URLSearchParams(path.split("?")[1]).get("since");
      if (heads(of).cursor === since) {
        await new Promise((done) => {
          waiting.add(done);
          signal?.addEventListener("abort", () => {
            waiting.delete(done);
            done();
          });
        });
      }
      return { status: 200, body: JSON.stringify(heads(of)) };
    }
    const name = `${of}/${what}/${seq}`;
    if (method === "GET") return segments.has(name) ? { status: 200, body: segments.get(name) } : { status: 404 };
    if (headers["if-none-match"] !== "*") return { status: 428 };
    if (segments.has(name) || bases.has(name)) return { status: 412 };
    if (seq.endsWith(".base")) {
      bases.set(name, { of, device: what, seq: seq.slice(0, 16), covers: JSON.parse(new TextDecoder().decode(body)).covers });
      return { status: 201 };
    }
    tokens.set(of, token);
    segments.set(name, body);
    for (const done of waiting) done();
    waiting.clear();
    if (at.lose > 0) {
      at.lose -= 1;
      return null;
    }
    return { status: 201 };
  };
  // As thirty days later: what a base covers is gone. Gives how many segments that were.
  at.clear = () => {
    let count = 0;
    for (const { of, covers } of [...bases.values()]) {
      for (const name of [...segments.keys(), ...bases.keys()]) {
        const [space, device, seq] = name.split("/");
        if (space !== of || !(seq.slice(0, 16) <= covers[device])) continue;
        count += segments.delete(name);
        bases.delete(name);
      }
    }
    return count;
  };
  // As `fetch` would.
  at.fetch = async (url, { method = "GET", headers = {}, body, signal } = {}) => {
    const answer = await at.answer(method, String(url).split("/sync/v1/")[1], headers, body && new Uint8Array(body), signal);
    if (!answer) throw new TypeError("the connection broke");
    return new Response(answer.body ?? null, { status: answer.status });
  };
  // For `serve`.
  at.serve = async (request, response, url) => {
    if (!url.pathname.startsWith("/sync/v1/")) return false;
    const parts = [];
    for await (const data of request) parts.push(data);
    const end = new AbortController();
    response.on("close", () => end.abort());
    const answer = await at.answer(request.method, url.pathname.slice("/sync/v1/".length) + url.search, request.headers, Buffer.concat(parts), end.signal);
    at.statuses.push(`${request.method} ${answer?.status}`);
    if (answer) response.writeHead(answer.status).end(answer.body);
    else response.destroy();
    return true;
  };
  at.release = () => {
    for (const done of waiting) done();
    waiting.clear();
  };
  return at;
}
