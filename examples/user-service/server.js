// The user service of the drawn shop: one worker of it. PM2 runs several on one port. Everything it needs to know comes
// from the environment; nothing of it is ever logged.
'use strict';

const http = require('node:http');
const { Pool } = require('pg');
const { createClient } = require('redis');
const users = require('./users');

const { PORT, DATABASE_HOST, DATABASE_PORT, DATABASE_NAME, DATABASE_USER, DATABASE_PASSWORD } = process.env;
const { REDIS_HOST, REDIS_PORT } = process.env;
const LONGEST_BODY = 64 * 1024;

const database = new Pool({
  host: DATABASE_HOST,
  port: Number(DATABASE_PORT),
  database: DATABASE_NAME,
  user: DATABASE_USER,
  password: DATABASE_PASSWORD,
  max: 5,
});
const cache = createClient({ socket: { host: REDIS_HOST, port: Number(REDIS_PORT) } });
database.on('error', (error) => console.error('database:', error.message));
cache.on('error', (error) => console.error('redis:', error.message));

const routes = {
  'GET /health': async () => [200, { status: 'ok', pid: process.pid }],
  'POST /api/auth/register': async (request) => users.register(store, await body(request)),
  'GET /api/users': async (_, email) => users.find(store, email),
};
const store = { database, cache, signingKey: undefined };

async function body(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > LONGEST_BODY) throw new users.Refused(413, 'too long');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new users.Refused(400, 'the body is not JSON');
  }
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://service');
  // `/api/users/ada@example.com` -> `/api/users` and what follows it.
  const [, path, rest] = /^(\/api\/users)\/(.+)$/.exec(url.pathname) ?? [null, url.pathname];
  const route = routes[`${request.method} ${path}`];
  let status, content;
  try {
    if (!route) throw new users.Refused(404, 'there is nothing here');
    [status, content] = await route(request, rest && decodeURIComponent(rest));
  } catch (error) {
    if (!(error instanceof users.Refused)) console.error(`${request.method} ${path}:`, error.message);
    [status, content] = [error.status ?? 500, { error: error.status ? error.message : 'sorry' }];
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(content));
  if (path !== '/health') console.log(request.method, path, status);
}

async function main() {
  await cache.connect();
  store.signingKey = await users.prepare(database);
  const server = http.createServer(answer);
  // The load balancer keeps idle connections for 60 s; who closes first loses requests.
  server.keepAliveTimeout = 65_000;
  server.listen(Number(PORT), () => console.log(`worker ${process.pid} listens on ${PORT}`));
  process.on('SIGINT', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

main().catch((error) => {
  console.error('did not start:', error.message);
  process.exit(1);
});
