// What the user service does: registers users in PostgreSQL, and remembers them in Redis.
'use strict';

const crypto = require('node:crypto');
const { promisify } = require('node:util');

const scrypt = promisify(crypto.scrypt);
const CACHED_FOR = 3600;
const TOKEN_LASTS = 3600;

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    password text NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE IF NOT EXISTS signing_key (one boolean PRIMARY KEY DEFAULT true CHECK (one), key text NOT NULL);
`;

/** Makes the tables, where they are missing; gives the key that all workers sign with. */
async function prepare(database) {
  const client = await database.connect();
  try {
    // Workers start together, and CREATE ... IF NOT EXISTS fails where two of them create.
    await client.query('SELECT pg_advisory_lock(3001)');
    await client.query(SCHEMA);
    const key = crypto.randomBytes(32).toString('base64');
    await client.query('INSERT INTO signing_key (key) VALUES ($1) ON CONFLICT DO NOTHING', [key]);
    const { rows } = await client.query('SELECT key FROM signing_key');
    return rows[0].key;
  } finally {
    await client.query('SELECT pg_advisory_unlock(3001)').catch(() => {});
    client.release();
  }
}

async function register({ database, cache, signingKey }, { email, password }) {
  if (typeof email !== 'string' || !/^[^\s@]+@[^\s@]+$/.test(email)) throw new Refused(400, 'email: missing or wrong');
  if (typeof password !== 'string' || password.length < 8) throw new Refused(400, 'password: at least 8 characters');
  if (await cache.exists(key(email))) throw new Refused(409, 'this email is registered');
  const salt = crypto.randomBytes(16);
  const hash = await scrypt(password, salt, 32);
  const insert = `INSERT INTO users (email, password) VALUES ($1, $2)
                  ON CONFLICT (email) DO NOTHING RETURNING id, email, created`;
  const { rows } = await database.query(insert, [email, `${salt.toString('hex')}:${hash.toString('hex')}`]);
  // The cache forgets; the database does not.
  if (!rows.length) throw new Refused(409, 'this email is registered');
  await remember(cache, rows[0]);
  return [201, { id: rows[0].id, token: token(rows[0], signingKey) }];
}

async function find({ database, cache }, email) {
  if (!email) throw new Refused(404, 'which user?');
  const known = await cache.get(key(email));
  if (known) return [200, JSON.parse(known)];
  const { rows } = await database.query('SELECT id, email, created FROM users WHERE email = $1', [email]);
  if (!rows.length) throw new Refused(404, 'there is no such user');
  await remember(cache, rows[0]);
  return [200, rows[0]];
}

const key = (email) => `user:${email}`;
const remember = (cache, user) => cache.set(key(user.email), JSON.stringify(user), { EX: CACHED_FOR });

/** A JSON Web Token, RFC 7519, signed with HMAC-SHA256. */
function token(user, signingKey) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user.id, iat: now, exp: now + TOKEN_LASTS })}`;
  return `${claims}.${crypto.createHmac('sha256', signingKey).update(claims).digest('base64url')}`;
}

module.exports = { Refused, prepare, register, find };
