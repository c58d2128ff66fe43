// The page without a network: all of a version is fetched at once, and a newer one waits until
// somebody asks for it.
const BUILD = "__BUILD__";
const POLICY = "__POLICY__";
const NAME = `clawft ${BUILD}`;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", ({ data }) => data === "take" && self.skipWaiting());
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const path = url.pathname.slice(new URL(self.registration.scope).pathname.length);
  if (event.request.mode === "navigate" && ["", "index.html"].includes(path)) event.respondWith(page(event.request));
  else if (/^[0-9a-f]{16}\//.test(path) || path === "audit.json") event.respondWith(asset(event.request));
});

async function install() {
  const cache = await caches.open(NAME);
  const plan = await fetch(`./${BUILD}/plan.json`);
  if (!plan.ok) throw new Error(`plan.json: ${plan.status}`);
  const { assets } = await plan.clone().json();
  await cache.put(`./${BUILD}/plan.json`, plan);
  await cache.addAll(["./", "./audit.json", ...assets.map(({ path }) => `./${BUILD}/${path}`)]);
}

// Tabs that are still open use the version before: its files stay, those of older ones go.
async function activate() {
  const names = (await caches.keys()).filter((name) => name.startsWith("clawft "));
  await Promise.all(names.filter((name) => name !== NAME).slice(0, -1).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function page(request) {
  const cache = await caches.open(NAME);
  return (await cache.match("./")) ?? fetch(request);
}

// A host that sends no headers leaves workers without a policy: here they get it.
async function asset(request) {
  const found = (await caches.match(request)) ?? (await fetch(request));
  if (!found.ok || found.headers.has("content-security-policy")) return found;
  const headers = new Headers(found.headers);
  headers.set("content-security-policy", `${POLICY}; frame-ancestors 'none'`);
  return new Response(found.body, { status: found.status, headers });
}
