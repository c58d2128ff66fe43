// A static host for tests, with the headers that `weft serve` sends, and whatever else a test adds.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm", ".tar": "application/x-tar" };

// `answer` may take a request: true if it did. `at.folder` can be changed while it runs.
export async function serve(at, answer = () => false) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    seen.push({ method: request.method, url: request.url, headers: request.headers, worker: request.headers["sec-fetch-dest"] });
    if (await answer(request, response, url)) return;
    const path = normalize(url.pathname.endsWith("/") ? `${url.pathname}index.html` : url.pathname);
    try {
      const body = await readFile(join(at.folder, path));
      response.writeHead(200, {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream", "x-content-type-options": "nosniff",
        ...(at.csp && { "content-security-policy": `${at.csp}; frame-ancestors 'none'` }),
        "cache-control": /^\/[0-9a-f]{16}\//.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, seen, port: server.address().port, stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))) };
}
